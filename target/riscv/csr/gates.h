// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/riscv/csr/row.h"

namespace gstage::riscv {

/// Predicates of the column `exists`.
inline bool always(const Hart&) { return true; }
inline bool has_f(const Hart& hart) { return has_misa(hart, 'F'); }
inline bool has_h(const Hart& hart) { return has_misa(hart, 'H'); }
inline bool has_pmp(const Hart& hart) { return hart.config->pmp; }
inline bool has_smepmp(const Hart& hart) { return hart.config->smepmp; }
inline bool has_sstc(const Hart& hart) { return hart.config->sstc; }
inline bool has_h_sstc(const Hart& hart) { return has_h(hart) && has_sstc(hart); }
inline bool has_zicntr(const Hart& hart) { return hart.config->zicntr; }
inline bool has_zihpm(const Hart& hart) { return hart.config->zihpm; }

/// Gates of the column `gate`: whether other registers let `mode` reach the CSR. Privilege as such is not
/// their business. Asked for V=1 only where HS-mode could do the access.

/// FS is Off: illegal in every mode, also where the guest's own FS is the cause ("Trap Cause Codes").
Verdict gate_fp(const Hart& hart, unsigned number, CsrMode mode);
/// cycle, time, instret, hpmcounter: mcounteren, hcounteren, scounteren.
Verdict gate_counter(const Hart& hart, unsigned number, CsrMode mode);
/// stimecmp and vstimecmp: the TM bits and STCE.
Verdict gate_stimecmp(const Hart& hart, unsigned number, CsrMode mode);
/// satp: mstatus.TVM in HS-mode, hstatus.VTVM in VS-mode.
Verdict gate_satp(const Hart& hart, unsigned number, CsrMode mode);
/// hgatp: mstatus.TVM in HS-mode.
Verdict gate_hgatp(const Hart& hart, unsigned number, CsrMode mode);

}  // namespace gstage::riscv
