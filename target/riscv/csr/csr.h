// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "target/riscv/hart.h"
#include "target/riscv/ops/helpers.h"

namespace gstage::riscv {

/// Executes the CSR part of a Zicsr instruction in the hart's current mode, from within generated code or the
/// interpreter (fflags and frm live in the host's MXCSR). Returns the old value (0 for CsrOp::kWriteOnly);
/// where the access is not allowed, raises an illegal- or virtual-instruction exception that carries `raw`
/// and returns nothing.
std::optional<std::uint64_t> csr_access(Hart& hart, unsigned number, CsrOp op, std::uint64_t operand,
                                        std::uint64_t raw);

/// csr_access of sstatus for an instruction that writes it, in S-mode (the active bank's, so vsstatus in
/// VS-mode) or M-mode: nothing forbids it there. Kernels do it several times a system call.
std::uint64_t access_sstatus(Hart& hart, CsrOp op, std::uint64_t operand);

/// The value as M-mode would read it, whatever the hart's mode; nothing if the hart has no such CSR. For the
/// debugger, the monitor and the log, while the hart is outside generated code.
std::optional<std::uint64_t> csr_peek(Hart& hart, unsigned number);

/// Writes as M-mode would, with all consequences, while the hart is outside generated code. Returns whether
/// the hart has such a CSR and it can be written.
bool csr_poke(Hart& hart, unsigned number, std::uint64_t value);

/// "mstatus", "hpmcounter3", …; empty if the table has no such number.
std::string csr_name(unsigned number);

/// All CSRs to their values at power-on, the floating-point ones included. Expects `config` to be set.
void reset_csrs(Hart& hart);

/// Lets the status registers show the floating-point writes that Hart::fp_dirty stands for: FS of the HS
/// bank, and under V also of the VS bank, becomes Dirty. To be called before FS is read or written and before
/// V changes.
void fold_fp_dirty(Hart& hart);

/// fflags ↔ the exception flags of MXCSR; frm → the bits of MXCSR.RC (round to nearest for RMM and reserved
/// values, which have no counterpart).
std::uint64_t fflags_of_mxcsr(std::uint32_t mxcsr);
std::uint32_t mxcsr_of_fflags(std::uint64_t fflags);
std::uint32_t mxcsr_of_frm(std::uint64_t frm);

}  // namespace gstage::riscv
