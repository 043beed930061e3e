// SPDX-License-Identifier: Apache-2.0
// A guest's hart: its first state, the world switch, and one run up to the next exit.

#include "minivisor.h"

struct vcpu vcpus[GUESTS];

void vcpu_init(struct vcpu *vcpu, int id) {
  vcpu->id = id;
  vcpu->hart = 0;
  vcpu->x[0] = GUEST_RAM;  // pc; the guest starts with vsatp = Bare, so this is a guest physical address
  vcpu->x[10] = id;
  // sret with SPV=1 and SPP=1 enters VS mode. VTW makes the guest's WFI exit.
  vcpu->sstatus = SSTATUS_SPP | SSTATUS_SPIE;
  vcpu->hstatus = HSTATUS_SPV | HSTATUS_SPVP | HSTATUS_VTW | 2ull << 32;
  vcpu->hgatp = gstage_hgatp(id);
  vcpu->vstimecmp = -1ull;
  // Each guest's clock starts near zero, the second a million ticks ahead of the first.
  vcpu->htimedelta = -csr_read("time") + id * 1000000;
}

static void save(struct vcpu *vcpu) {
  vcpu->vsstatus = csr_read(CSR_VSSTATUS);
  vcpu->vsie = csr_read(CSR_VSIE);
  vcpu->vstvec = csr_read(CSR_VSTVEC);
  vcpu->vsscratch = csr_read(CSR_VSSCRATCH);
  vcpu->vsepc = csr_read(CSR_VSEPC);
  vcpu->vscause = csr_read(CSR_VSCAUSE);
  vcpu->vstval = csr_read(CSR_VSTVAL);
  vcpu->vsatp = csr_read(CSR_VSATP);
  vcpu->vstimecmp = csr_read(CSR_VSTIMECMP);
}

// Makes `vcpu` the guest whose state the hart's CSRs hold. Between the old vsatp and the new hgatp
// no translation may mix one guest's first stage with the other's second stage; hence vsatp goes
// through Bare (note in "Memory-Management Fences"). No fence: the VMIDs differ.
void vcpu_load(struct hart *hart, struct vcpu *vcpu) {
  if (hart->loaded == vcpu) return;
  if (hart->loaded) save(hart->loaded);
  csr_write(CSR_VSATP, 0);
  csr_write(CSR_HGATP, vcpu->hgatp);
  csr_write(CSR_VSATP, vcpu->vsatp);
  csr_write(CSR_VSSTATUS, vcpu->vsstatus);
  csr_write(CSR_VSIE, vcpu->vsie);
  csr_write(CSR_VSTVEC, vcpu->vstvec);
  csr_write(CSR_VSSCRATCH, vcpu->vsscratch);
  csr_write(CSR_VSEPC, vcpu->vsepc);
  csr_write(CSR_VSCAUSE, vcpu->vscause);
  csr_write(CSR_VSTVAL, vcpu->vstval);
  csr_write(CSR_HTIMEDELTA, vcpu->htimedelta);
  csr_write(CSR_VSTIMECMP, vcpu->vstimecmp);
  hart->loaded = vcpu;
  hart->switches++;
}

// Whether WFI would end: something pending that the guest enabled. The vcpu must be loaded.
bool vcpu_has_interrupt(struct vcpu *vcpu) {
  csr_write(CSR_HVIP, vcpu->hvip);
  return (csr_read("0x644") & csr_read("0x604")) != 0;  // hip and hie, of which vsip and vsie are views
}

struct exit vcpu_run(struct vcpu *vcpu) {
  csr_write(CSR_HVIP, vcpu->hvip);
  csr_write(CSR_HSTATUS, vcpu->hstatus);
  csr_write("sstatus", vcpu->sstatus);
  guest_enter(vcpu);
  struct exit exit = {
      .cause = csr_read("scause"),
      .tval = csr_read("stval"),
      .gpa = csr_read(CSR_HTVAL) << 2 | (csr_read("stval") & 3),
      .tinst = csr_read(CSR_HTINST),
  };
  vcpu->sstatus = csr_read("sstatus");
  vcpu->hstatus = csr_read(CSR_HSTATUS);
  vcpu->exits++;
  return exit;
}
