// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gstage::tcg {

/// The x86-64 code as text, one line an instruction with the address it is shown at; or a line that says why
/// not.
std::string disassemble_host(const std::uint8_t* code, std::size_t size, std::uint64_t shown_at);

/// Opens the disassembler's library now: a sandbox keeps it from being opened later.
void load_host_disassembler();

}  // namespace gstage::tcg
