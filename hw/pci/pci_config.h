// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gstage::hw {

class Visitor;

/// One row of configuration space: a register, little-endian, with what software may do to its bits. Bits of
/// neither mask are read-only.
struct PciConfigRow {
  std::uint16_t offset;  ///< from the start of the header or of the capability
  std::uint8_t width;    ///< bytes: 1, 2 or 4
  const char* name;
  std::uint32_t value = 0;     ///< at reset
  std::uint32_t writable = 0;  ///< bits that take what is written
  std::uint32_t clears = 0;    ///< bits that a written one clears
};

/// The configuration space of one function: its registers' values and what a write may change of them. What
/// registers *do* is the function's business. The caller holds the host bridge's lock.
class PciConfig {
 public:
  static constexpr unsigned kSize = 4096;             ///< bytes of an express function
  static constexpr unsigned kConventionalSize = 256;  ///< of one without extended space
  static constexpr unsigned kFirstCapability = 0x40;  ///< behind the header
  static constexpr unsigned kFirstExtended = 0x100;

  /// Enters rows, of a capability at `base`.
  void add_rows(std::span<const PciConfigRow> rows, unsigned base = 0);
  void add_row(const PciConfigRow& row, unsigned base = 0);
  /// Reserves `size` bytes for a capability and links it at the list's end; answers its offset, a multiple of
  /// 4. Its first two bytes, id and link, are written here.
  unsigned add_capability(std::uint8_t id, unsigned size);
  /// Takes a capability out of the list; its bytes read as zero and cannot be written.
  void remove_capability(unsigned offset);
  /// The offset of the capability, 0: there is none.
  [[nodiscard]] unsigned find_capability(std::uint8_t id) const;

  /// 1, 2 or 4 bytes, aligned, within the space.
  [[nodiscard]] std::uint32_t read(unsigned offset, unsigned size) const;
  void write(unsigned offset, unsigned size, std::uint32_t value);
  /// Changes bits whatever the masks say: what the hardware does by itself.
  void set(unsigned offset, unsigned size, std::uint32_t value);
  /// Changes the values at reset as well: before the machine runs.
  void set_fixed(unsigned offset, unsigned size, std::uint32_t value);
  void reset();
  void visit(Visitor& visitor);

 private:
  using Bytes = std::array<std::uint8_t, kSize>;
  static std::uint32_t get(const Bytes& bytes, unsigned offset, unsigned size);
  static void put(Bytes& bytes, unsigned offset, unsigned size, std::uint32_t value);

  Bytes values_{};
  Bytes at_reset_{};
  Bytes writable_{};
  Bytes clears_{};
  unsigned next_capability_ = kFirstCapability;
};

}  // namespace gstage::hw
