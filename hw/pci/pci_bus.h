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

/// A bus: the root's, that of a link below a port, or a conventional one below a bridge.
class PciBus final : public Bus {
 public:
  static constexpr const char* kKind = "PCI";
  enum class Kind : std::uint8_t { kRoot, kLink, kConventional };
  static constexpr unsigned kDevices = 32;
  static constexpr unsigned kFunctions = 8;

  /// `above`: the bridge that the bus is behind; null: it is the root's.
  PciBus(Kind kind, std::string name, PciFunction* above)
      : Bus(kKind, std::move(name)), type_(kind), above_(above) {}

  /// Takes a function over, at the address that it asks for, and wires it; before the machine runs. What is
  /// put on a bus of this kind is a PciFunction: the table of drivers sees to it.
  Status plug(std::unique_ptr<Device> device) override;
  /// Null: there is none, or software reaches it no more.
  [[nodiscard]] PciFunction* at(unsigned devfn) const { return is_cut_off_ ? nullptr : functions_[devfn]; }
  [[nodiscard]] Kind type() const { return type_; }
  [[nodiscard]] PciFunction* above() const { return above_; }

  /// Resets all that is on the bus, and from now on software reaches none of it, until the bus is emptied.
  void cut_off();
  [[nodiscard]] bool is_cut_off() const { return is_cut_off_; }
  /// Destroys all that is on the bus; what is behind has gone before.
  void empty();

  /// The host bridge's part.
  void set_host(PciHost& host) { host_ = &host; }
  [[nodiscard]] PciHost* host() const { return host_; }

 private:
  [[nodiscard]] Result<unsigned> place(const PciAddress& address) const;

  const Kind type_;
  PciFunction* const above_;
  PciHost* host_ = nullptr;
  bool is_cut_off_ = false;
  std::array<PciFunction*, std::size_t{kDevices} * kFunctions> functions_{};
};

}  // namespace gstage::hw
