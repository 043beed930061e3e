// SPDX-License-Identifier: Apache-2.0
// uint64_t guest_run(a0: struct vcpu *): into the guest by sret, back by its next exit. All 31
// registers change worlds, as in any hypervisor. Returns scause.

#include "registers.h"

#define HOST_SP (32 * 8)

    .text
    .globl guest_run
    .balign 4
guest_run:
    la a1, guest_exit
enter:
    addi sp, sp, -HOST_FRAME
    host sd
    sd sp, HOST_SP(a0)
    csrw stvec, a1
    // hstatus.SPV and sstatus.SPP: sret enters VS mode.
    li t0, 0x180
    csrs 0x600, t0
    li t0, 0x100
    csrs sstatus, t0
    enter_guest

    .balign 4
guest_exit:
    leave_guest
    la t0, host_trap
    csrw stvec, t0
    ld sp, HOST_SP(a0)
    host ld
    addi sp, sp, HOST_FRAME
    csrr a0, scause
    ret

// guest_run for guests that make calls with a7 = 0: those are answered at once by means of t0 alone,
// the least that an exit can cost. Such guests keep nothing in t0.
    .globl guest_run_calls
guest_run_calls:
    la a1, answer_call
    j enter

    .balign 4
answer_call:
    bnez a7, guest_exit
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    sret
