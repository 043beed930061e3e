// SPDX-License-Identifier: Apache-2.0
#ifndef MINIVISOR_H
#define MINIVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "csr.h"
#include "layout.h"

// What a guest hart is while it does not run. switch.S knows the offsets of the first members.
struct vcpu {
  uint64_t x[32];        // x[0] holds the guest's pc
  uint64_t host_sp;      // the hypervisor's stack pointer while the guest runs
  uint64_t sstatus, hstatus;
  uint64_t vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp, vstimecmp;
  uint64_t hgatp, htimedelta;
  uint64_t hvip;         // virtual interrupts; changed under the lock, since the other hart may
  int id;
  int hart;              // the hart that may run it
  bool blocked;          // in WFI with nothing pending
  bool done;
  bool box_full;
  uint64_t box;
  uint64_t checksum;
  uint64_t round;
  unsigned exits;
  unsigned line_length;
  char line[80];
};

// The registers of one exit, read before anything can overwrite them.
struct exit {
  uint64_t cause, tval, gpa, tinst;
};

struct hart {
  uint64_t id;
  struct vcpu *loaded;   // whose CSRs the hart holds
  unsigned switches, ticks, wakeups;
};

extern struct vcpu vcpus[GUESTS];
extern struct hart harts[HARTS];

// switch.S: runs the guest until it exits.
void guest_enter(struct vcpu *vcpu);
void hypervisor_panic(void);

// vcpu.c
void vcpu_init(struct vcpu *vcpu, int id);
void vcpu_load(struct hart *hart, struct vcpu *vcpu);
bool vcpu_has_interrupt(struct vcpu *vcpu);
struct exit vcpu_run(struct vcpu *vcpu);

// gstage.c
void gstage_build(int guest);
uint64_t gstage_hgatp(int guest);
uint64_t guest_ram(int guest);
volatile uint64_t *shared_page(void);

// exits.c: true when the guest may go on at once.
bool handle_exit(struct hart *hart, struct vcpu *vcpu, const struct exit *exit);

// mmio.c
bool emulate_access(struct vcpu *vcpu, const struct exit *exit);

// scheduler.c
void scheduler_loop(struct hart *hart) __attribute__((noreturn));
void scheduler_notify(struct hart *hart, struct vcpu *vcpu);
void send_ipi(uint64_t hart);

// support.c
void lock(void);
void unlock(void);
void put_char(char c);
void put_string(const char *text);
void put_number(uint64_t value);
void put_hex(uint64_t value);
void power_off(uint32_t code) __attribute__((noreturn));
void panic(const char *why, uint64_t value) __attribute__((noreturn));
void *memcpy(void *to, const void *from, unsigned long size);
void *memset(void *to, int value, unsigned long size);

#endif
