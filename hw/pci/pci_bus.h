// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "softmmu/base/result.h"
#include "hw/pci/pci_function.h"

namespace gstage::hw {

class PciHost;

/// Where a device goes: `addr=` and `multifunction=` of `-device`.
struct PciAddress {
  static constexpr unsigned kAny = ~0u;
  unsigned devfn = kAny;          ///< device × 8 + function; kAny: function 0 of the first free device
  bool is_multifunction = false;  ///< the device has (or may get) other functions than 0

  /// `DEV` or `DEV.FN`, both hexadecimal, as on the board that this follows.
  static Result<unsigned> parse(const std::string& text);
};

/// A bus: the root's, that of a link below a port, or a conventional one below a bridge.
class PciBus {
 public:
  enum class Kind : std::uint8_t { kRoot, kLink, kConventional };
  static constexpr unsigned kDevices = 32;
  static constexpr unsigned kFunctions = 8;

  /// `above`: the bridge that the bus is behind; null: it is the root's.
  PciBus(Kind kind, PciFunction* above) : kind_(kind), above_(above) {}

  /// Takes the function over and wires it; before the machine runs. Fails where the place is taken or cannot
  /// be.
  Status plug(const PciAddress& address, std::unique_ptr<PciFunction> function);
  [[nodiscard]] PciFunction* at(unsigned devfn) const { return functions_[devfn].get(); }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] PciFunction* above() const { return above_; }
  /// The name that `bus=` of `-device` has for it.
  [[nodiscard]] const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  /// The host bridge's part.
  void set_host(PciHost& host) { host_ = &host; }

 private:
  [[nodiscard]] Result<unsigned> place(const PciAddress& address) const;

  const Kind kind_;
  PciFunction* const above_;
  PciHost* host_ = nullptr;
  std::string name_;
  std::array<std::unique_ptr<PciFunction>, std::size_t{kDevices} * kFunctions> functions_;
};

}  // namespace gstage::hw
