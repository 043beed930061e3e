// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/riscv/csr/row.h"

namespace gstage::riscv {

/// Predicates of the column `exists`.
inline bool always(const Hart&) { return true; }
inline bool has_smaia(const Hart& hart) { return hart.config->smaia; }
inline bool has_ssaia(const Hart& hart) { return hart.config->ssaia; }
inline bool has_h_ssaia(const Hart& hart) { return has_misa(hart, 'H') && hart.config->ssaia; }
inline bool has_mtopei(const Hart& hart) { return hart.config->smaia && hart.imsic != nullptr; }
inline bool has_f(const Hart& hart) { return has_misa(hart, 'F'); }
inline bool has_h(const Hart& hart) { return has_misa(hart, 'H'); }
inline bool has_mtval2(const Hart& hart) { return has_misa(hart, 'H') || hart.config->ssdbltrp; }
inline bool has_pmp(const Hart& hart) { return hart.config->pmp; }
/// It exists where an extension has a field in it ("Machine Security Configuration").
inline bool has_mseccfg(const Hart& hart) {
  return hart.config->smepmp || hart.config->smmpm || hart.config->zkr;
}
inline bool has_zkr(const Hart& hart) { return hart.config->zkr; }
inline bool has_sdtrig(const Hart& hart) { return hart.config->sdtrig; }
inline bool has_smrnmi(const Hart& hart) { return hart.config->smrnmi; }
inline bool has_smcntrpmf(const Hart& hart) { return hart.config->smcntrpmf; }
inline bool has_smcsrind(const Hart& hart) { return hart.config->smcsrind; }
inline bool has_sscsrind(const Hart& hart) { return hart.config->sscsrind; }
inline bool has_h_sscsrind(const Hart& hart) { return has_h(hart) && has_sscsrind(hart); }
inline bool has_miselect(const Hart& hart) { return has_smaia(hart) || has_smcsrind(hart); }
inline bool has_siselect(const Hart& hart) { return has_ssaia(hart) || has_sscsrind(hart); }
inline bool has_vsiselect(const Hart& hart) { return has_h(hart) && has_siselect(hart); }
inline bool has_ssccfg(const Hart& hart) { return hart.config->ssccfg; }
inline bool has_sscofpmf(const Hart& hart) { return hart.config->sscofpmf; }
inline bool has_smstateen(const Hart& hart) { return hart.config->smstateen; }
inline bool has_h_smstateen(const Hart& hart) { return has_h(hart) && hart.config->smstateen; }
inline bool has_sstc(const Hart& hart) { return hart.config->sstc; }
inline bool has_h_sstc(const Hart& hart) { return has_h(hart) && has_sstc(hart); }
inline bool has_zicntr(const Hart& hart) { return hart.config->zicntr; }
inline bool has_zihpm(const Hart& hart) { return hart.config->zihpm; }

/// Gates of the column `gate`: whether other registers let `mode` reach the CSR. Privilege as such is not
/// their business. Asked for V=1 only where HS-mode could do the access.

/// FS is Off: illegal in every mode, also where the guest's own FS is the cause ("Trap Cause Codes").
Verdict gate_fp(const Hart& hart, unsigned number, CsrMode mode);
/// What mstateen and hstateen close, whichever gate the row has besides.
Verdict gate_stateen(const Hart& hart, unsigned number, CsrMode mode);
/// Whether a bit of mstateen0, and for guests also of hstateen0, opens state that no CSR number names.
bool is_state_enabled(const Hart& hart, std::uint64_t bit, CsrMode mode);
/// cycle, time, instret, hpmcounter: mcounteren, hcounteren, scounteren.
Verdict gate_counter(const Hart& hart, unsigned number, CsrMode mode);
/// scountinhibit and scountovf: menvcfg.CDE, which also takes them from guests.
Verdict gate_scountinhibit(const Hart& hart, unsigned number, CsrMode mode);
Verdict gate_scountovf(const Hart& hart, unsigned number, CsrMode mode);
/// stimecmp and vstimecmp: the TM bits and STCE.
Verdict gate_stimecmp(const Hart& hart, unsigned number, CsrMode mode);
/// satp: mstatus.TVM in HS-mode, hstatus.VTVM in VS-mode.
Verdict gate_satp(const Hart& hart, unsigned number, CsrMode mode);
/// seed: mseccfg.SSEED and USEED.
Verdict gate_seed(const Hart& hart, unsigned number, CsrMode mode);
/// hgatp: mstatus.TVM in HS-mode.
Verdict gate_hgatp(const Hart& hart, unsigned number, CsrMode mode);

/// mireg, sireg, vsireg and their further windows: whether the register that the select register names is
/// there.
Verdict gate_mireg(const Hart& hart, unsigned number, CsrMode mode);
Verdict gate_sireg(const Hart& hart, unsigned number, CsrMode mode);
Verdict gate_vsireg(const Hart& hart, unsigned number, CsrMode mode);
/// stopei and vstopei: whether there is an interrupt file, mvien.SEI and hstatus.VGEIN.
Verdict gate_stopei(const Hart& hart, unsigned number, CsrMode mode);
Verdict gate_vstopei(const Hart& hart, unsigned number, CsrMode mode);
/// sip and sie: hvictl.VTI in VS-mode.
Verdict gate_sip(const Hart& hart, unsigned number, CsrMode mode);
/// What is kept from a guest's writes alone: stimecmp under hvictl.VTI.
Verdict gate_guest_write(const Hart& hart, unsigned number);

}  // namespace gstage::riscv
