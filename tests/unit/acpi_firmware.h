// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gstage::hw::acpi {

using Octets = std::vector<std::uint8_t>;

/// The little-endian number of `size` bytes.
std::uint64_t number_at(const Octets& bytes, std::size_t offset, unsigned size);
/// The sum of the bytes, which a checksum makes zero.
std::uint8_t sum_of(const Octets& bytes, std::size_t start, std::size_t size);
/// The structures of a MADT, SRAT or PPTT from `offset` on.
std::vector<Octets> structures(const Octets& table, std::size_t offset);

/// Firmware as far as tables go: it loads files, obeys the commands for them, and finds the tables as an
/// operating system does. Each step that goes wrong fails the test.
class AcpiFirmware {
 public:
  /// The files of fw_cfg by name.
  explicit AcpiFirmware(std::map<std::string, Octets> files);
  /// The table, with a right checksum; empty: there is none.
  [[nodiscard]] Octets table(const std::string& signature) const;
  /// Of those that the XSDT lists, in order.
  [[nodiscard]] std::vector<std::string> signatures() const;

 private:
  static constexpr std::uint64_t kNowhere = ~std::uint64_t{0};
  void obey(const Octets& command);
  void allocate(const Octets& command);
  void add_pointer(const Octets& command);
  void add_checksum(const Octets& command);
  /// The table at an address.
  [[nodiscard]] Octets at(std::uint64_t address) const;
  [[nodiscard]] std::vector<std::uint64_t> listed() const;
  [[nodiscard]] std::uint64_t address_of(const std::string& file) const;

  std::map<std::string, Octets> files_;
  std::map<std::string, std::uint64_t> places_;
  std::uint64_t next_place_ = 0x1'8000'0000;
};

}  // namespace gstage::hw::acpi
