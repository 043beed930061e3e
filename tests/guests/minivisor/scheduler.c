// SPDX-License-Identifier: Apache-2.0
// Which guest runs where. Hart 0 starts with both guests and switches between them round robin at
// every tick, yield and wait; hart 1, once it is up, asks for guest 1 and gets it.

#include "minivisor.h"

#ifndef TICK
#define TICK 10000  // 1 ms of the machine's 10 MHz clock
#endif

struct hart harts[HARTS];
static int guest_wanted;  // hart 1 is up and asks for its guest

void send_ipi(uint64_t hart) {
  register uint64_t a0 asm("a0") = hart;
  register uint64_t a7 asm("a7") = MACHINE_SEND_IPI;
  asm volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
}

// A virtual interrupt was made pending for `vcpu`; if its hart is another one, tell that hart.
void scheduler_notify(struct hart *hart, struct vcpu *vcpu) {
  uint64_t owner = __atomic_load_n(&vcpu->hart, __ATOMIC_ACQUIRE);
  if (owner != hart->id) send_ipi(owner);
}

static bool timer_expired(const struct vcpu *vcpu) {
  return csr_read("time") + vcpu->htimedelta >= vcpu->vstimecmp;
}

// A blocked guest is runnable again when an interrupt that it enabled is pending. For a guest that
// is not loaded the timer is compared by hand.
static bool runnable(struct hart *hart, struct vcpu *vcpu) {
  if (__atomic_load_n(&vcpu->hart, __ATOMIC_ACQUIRE) != (int)hart->id || vcpu->done) return false;
  if (!vcpu->blocked) return true;
  bool wake = hart->loaded == vcpu
                  ? vcpu_has_interrupt(vcpu)
                  : ((vcpu->hvip >> 1 & vcpu->vsie) != 0 ||
                     (timer_expired(vcpu) && (vcpu->vsie & BIT(IRQ_S_TIMER))));
  if (wake) vcpu->blocked = false;
  return wake;
}

// Gives guest 1 away. Its CSRs must be in memory first, so the hart loads guest 0.
static void hand_over(struct hart *hart) {
  if (hart->id != 0 || !__atomic_exchange_n(&guest_wanted, 0, __ATOMIC_ACQ_REL)) return;
  vcpu_load(hart, &vcpus[0]);
  __atomic_store_n(&vcpus[1].hart, 1, __ATOMIC_RELEASE);
  send_ipi(1);
}

// The next runnable guest after the loaded one, or none.
static struct vcpu *pick(struct hart *hart) {
  int first = hart->loaded ? hart->loaded->id + 1 : 0;
  for (int i = 0; i < GUESTS; i++) {
    struct vcpu *vcpu = &vcpus[(first + i) % GUESTS];
    if (runnable(hart, vcpu)) return vcpu;
  }
  return 0;
}

// Nothing to run: sleep until the tick or an IPI. WFI ends for an interrupt that is pending and
// enabled in sie although sstatus.SIE is clear; it is then acknowledged by hand.
static void idle(struct hart *hart) {
  csr_write(CSR_STIMECMP, csr_read("time") + TICK);
  asm volatile("wfi" : : : "memory");
  if (csr_read("sip") & BIT(IRQ_S_SOFT)) {
    csr_clear("sip", BIT(IRQ_S_SOFT));
    hart->wakeups++;
  }
}

static void report_and_stop(void) {
  uint64_t expected = 0;
  volatile uint64_t *log = shared_page();
  for (int i = 0; i < 2 * ROUNDS; i++) expected = expected * 31 + log[i];
  for (int i = 0; i < GUESTS; i++) {
    if (vcpus[i].checksum != expected) panic("checksum of guest", i);
    if (vcpus[i].round != ROUNDS) panic("rounds of guest", i);
  }
  for (int i = 0; i < HARTS; i++) {
    if (!harts[i].switches) continue;
    put_string("minivisor: hart ");
    put_number(i);
    put_string(": world switches ");
    put_number(harts[i].switches);
    put_string(", ticks ");
    put_number(harts[i].ticks);
    put_string(", wake-ups ");
    put_number(harts[i].wakeups);
    put_string("\n");
  }
  for (int i = 0; i < GUESTS; i++) {
    put_string("minivisor: guest ");
    put_number(i);
    put_string(": exits ");
    put_number(vcpus[i].exits);
    put_string("\n");
  }
  put_string("MARK minivisor done\n");
  power_off(0x5555);
}

static bool all_done(void) {
  for (int i = 0; i < GUESTS; i++) {
    if (!__atomic_load_n(&vcpus[i].done, __ATOMIC_ACQUIRE)) return false;
  }
  return true;
}

void scheduler_loop(struct hart *hart) {
  if (hart->id == 1) {
    __atomic_store_n(&guest_wanted, 1, __ATOMIC_RELEASE);
    send_ipi(0);
  }
  for (;;) {
    hand_over(hart);
    if (hart->id == 0 && all_done()) report_and_stop();
    struct vcpu *vcpu = pick(hart);
    if (!vcpu) {
      idle(hart);
      continue;
    }
    vcpu_load(hart, vcpu);
    csr_write(CSR_STIMECMP, csr_read("time") + TICK);
    for (bool again = true; again;) {
      struct exit exit = vcpu_run(vcpu);
      again = handle_exit(hart, vcpu, &exit);
    }
  }
}
