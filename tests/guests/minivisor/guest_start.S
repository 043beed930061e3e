// SPDX-License-Identifier: Apache-2.0
// The guest's entry in VS mode (a0: its number) and its trap vector.

#include "layout.h"
#include "registers.h"

    .section .text.start, "ax"
    .globl _start
_start:
    la sp, guest_stack_top
    la t0, guest_vector
    csrw stvec, t0
    call guest_main
1:  j 1b

    .text
    .balign 4
guest_vector:
    addi sp, sp, -128
    destroyed sd
    sd a0, 120(sp)
    call guest_interrupt
    destroyed ld
    ld a0, 120(sp)
    addi sp, sp, 128
    sret

    .data
    .balign 16
    .zero 16384
guest_stack_top:
