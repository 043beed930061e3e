// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "softmmu/mem/address_space.h"
#include "target/riscv/inspect/registers.h"

namespace gstage::gdb {

/// The target description of a hart with these registers ("Target Descriptions" of gdb's manual): a feature a
/// group, those that gdb knows under its names.
std::string describe_target(std::span<const riscv::Register> registers);

/// The memory map for gdb, which takes it for one of all addresses, virtual ones too: what is ROM on the bus
/// is "rom", so that gdb uses hardware breakpoints there, and everything else may be read and written.
std::string describe_memory(const AddressSpace& memory);

}  // namespace gstage::gdb
