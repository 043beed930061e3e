// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "hw/acpi/bytes.h"
#include "hw/acpi/description.h"

namespace gstage::hw::acpi {

// The tables (ACPI 6.6, chapter 5, and what it refers to). Each is complete and has a checksum, but for the
// addresses that whoever puts them into memory adds.

/// Hardware-reduced: there are no fixed registers. The address of the DSDT, eight bytes, is left 0.
Bytes make_fadt();
/// Where FADT has that address.
inline constexpr std::size_t kDsdtPointerOffset = 140;
/// The namespace of devices that no bus enumerates.
Bytes make_dsdt(const Description& board);
/// Harts and interrupt controllers.
Bytes make_madt(const Description& board);
/// What harts can do.
Bytes make_rhct(const Harts& harts);
/// Which harts are in a package: one, or one a NUMA node that has harts.
Bytes make_pptt(const Harts& harts, const NumaOptions& numa);
/// The console.
Bytes make_spcr(const Description& board);
/// Where configuration space is.
Bytes make_mcfg(const PciBridge& pci);
/// Which node harts and memory belong to. For boards with nodes.
Bytes make_srat(const Description& board);
/// How far the nodes are from one another. Where that is said.
Bytes make_slit(const NumaOptions& numa);

/// The object of the console in the DSDT.
inline constexpr const char* kConsolePath = "\\_SB.COM0";

}  // namespace gstage::hw::acpi
