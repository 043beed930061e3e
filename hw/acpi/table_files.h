// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hw/acpi/bytes.h"
#include "hw/acpi/description.h"

namespace gstage::hw::acpi {

/// The files that the firmware reads (hw/acpi/loader.h has their names).
struct TableFiles {
  Bytes rsdp;
  Bytes tables;
  Bytes loader;
};

/// All tables of a board.
TableFiles make_table_files(const Description& board);

}  // namespace gstage::hw::acpi
