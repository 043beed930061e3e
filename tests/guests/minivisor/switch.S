// SPDX-License-Identifier: Apache-2.0
// guest_enter(a0: struct vcpu *): from HS mode into the guest by sret, and back by the next trap,
// which returns from this function. The caller has loaded the guest's CSRs.

#include "registers.h"

#define HOST_SP (32 * 8)

    .text
    .globl guest_enter
    .balign 4
guest_enter:
    addi sp, sp, -HOST_FRAME
    host sd
    sd sp, HOST_SP(a0)
    // Traps now mean the guest's exits.
    la t0, guest_exit
    csrw stvec, t0
    enter_guest

    .balign 4
guest_exit:
    leave_guest
    la t0, hypervisor_trap
    csrw stvec, t0
    ld sp, HOST_SP(a0)
    host ld
    addi sp, sp, HOST_FRAME
    ret
