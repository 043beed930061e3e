// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "hw/acpi/bytes.h"

namespace gstage::hw::acpi {

// What all tables have in common (ACPI 6.6, section 5.2.6).

inline constexpr std::size_t kHeaderSize = 36;
/// Where a header has the sum.
inline constexpr std::size_t kChecksumOffset = 9;
/// Who made the tables; six characters at most.
inline constexpr std::string_view kOemId = "GSTAGE";

/// The byte that makes the sum of all bytes zero.
std::uint8_t checksum(std::span<const std::uint8_t> bytes);

/// A table: header, `body`, a checksum that is right. `signature` has four characters.
Bytes make_table(std::string_view signature, unsigned revision, const Bytes& body);

/// A structure of MADT, SRAT or PPTT: its type and length, a byte each, then `body`.
Bytes make_structure(unsigned type, const Bytes& body);

/// A register in memory that is accessed by bytes (section 5.2.3.2, "Generic Address Structure").
Bytes byte_register(std::uint64_t address);
/// What stands for a register that is not there.
Bytes no_register();

}  // namespace gstage::hw::acpi
