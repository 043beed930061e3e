// SPDX-License-Identifier: Apache-2.0
// Why a guest left, and what is done about it.

#include "minivisor.h"

static struct vcpu *other(struct vcpu *vcpu) {
  return &vcpus[1 - vcpu->id];
}

// Message passing under the lock: the receiver may be running on another hart.
static uint64_t send(struct hart *hart, struct vcpu *vcpu, uint64_t message) {
  struct vcpu *receiver = other(vcpu);
  lock();
  bool full = receiver->box_full;
  if (!full) {
    receiver->box = message;
    receiver->box_full = true;
    receiver->hvip |= BIT(IRQ_VS_SOFT);
  }
  unlock();
  if (full) return -1ull;
  scheduler_notify(hart, receiver);
  return 0;
}

static uint64_t receive(struct vcpu *vcpu) {
  lock();
  uint64_t message = vcpu->box_full ? vcpu->box : -1ull;
  vcpu->box_full = false;
  // The guest has seen the message, so the virtual interrupt ends.
  vcpu->hvip &= ~BIT(IRQ_VS_SOFT);
  unlock();
  return message;
}

static bool hypercall(struct hart *hart, struct vcpu *vcpu) {
  uint64_t *a0 = &vcpu->x[10];
  vcpu->x[0] += 4;
  switch (vcpu->x[17]) {
    case CALL_SEND: *a0 = send(hart, vcpu, *a0); return true;
    case CALL_RECV: *a0 = receive(vcpu); return true;
    case CALL_YIELD: return false;
    case CALL_DONE:
      vcpu->checksum = *a0;
      __atomic_store_n(&vcpu->done, true, __ATOMIC_RELEASE);
      return false;
    default: panic("unknown hypercall", vcpu->x[17]);
  }
}

// The only virtual-instruction exception that these guests can cause is WFI (hstatus.VTW). stval
// holds the instruction, or zero.
static bool virtual_instruction(struct vcpu *vcpu, uint64_t tval) {
  if (tval != 0 && tval != 0x10500073) panic("virtual instruction", tval);
  vcpu->x[0] += 4;
  if (vcpu_has_interrupt(vcpu)) return true;
  vcpu->blocked = true;
  return false;
}

bool handle_exit(struct hart *hart, struct vcpu *vcpu, const struct exit *exit) {
  switch (exit->cause) {
    case INTERRUPT | IRQ_S_TIMER:
      // The tick: off until the scheduler sets the next one.
      csr_write(CSR_STIMECMP, -1ull);
      hart->ticks++;
      return false;
    case INTERRUPT | IRQ_S_SOFT:
      csr_clear("sip", BIT(IRQ_S_SOFT));
      hart->wakeups++;
      return false;
    case EXC_VS_CALL: return hypercall(hart, vcpu);
    case EXC_VIRTUAL_INSTRUCTION: return virtual_instruction(vcpu, exit->tval);
    case EXC_LOAD_GUEST_PAGE:
    case EXC_STORE_GUEST_PAGE:
      if (emulate_access(vcpu, exit)) return true;
      panic("guest touched", exit->gpa);
    default:
      put_string("pc ");
      put_hex(vcpu->x[0]);
      panic(" unexpected exit", exit->cause);
  }
}
