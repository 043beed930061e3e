// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hw/core/machine.h"

namespace gstage {

/// The value of a register of a hart by its name ("pc", "a0", "x10", "vsepc", "seip0"), without side effects;
/// nothing where there is no such hart or register. While no hart runs.
std::optional<std::uint64_t> hart_register(Machine& machine, unsigned hart, const std::string& name);

/// The registers of a group ("general", "vs") of each hart, a line each, fields of CSRs spelt out; nothing if
/// there is no such group. While no hart runs.
std::optional<std::string> describe_register_group(Machine& machine, const std::string& group);

/// "general, float, …".
std::string register_groups();

}  // namespace gstage
