// SPDX-License-Identifier: Apache-2.0
// Reset of every hart, in M mode: a stack, the machine's setup in C, then mret into HS mode.

#include "layout.h"
#include "registers.h"

    .section .machine.start, "ax"
    .globl _start
_start:
    csrr a0, mhartid
    li t0, HARTS
    bgeu a0, t0, halt
    // M mode's own stack lies in the region that PMP keeps from HS mode.
    la sp, machine_stacks
    addi t0, a0, 1
    slli t0, t0, 10
    add sp, sp, t0
    csrw mscratch, sp
    call machine_setup

    // On to HS mode with the hart's number in a0.
    csrr a0, mhartid
    la t0, hypervisor_start
    csrw mepc, t0
    mret

halt:
    wfi
    j halt

// M mode's trap handler: saves the registers that C may use and calls machine_trap, which gets
// a0 and a7 of the trapped code and returns the new a0.
    .balign 4
    .globl machine_vector
machine_vector:
    csrrw sp, mscratch, sp
    addi sp, sp, -144
    destroyed sd
    mv a1, a7
    call machine_trap
    destroyed ld
    addi sp, sp, 144
    csrrw sp, mscratch, sp
    mret

    .section .machine.data, "aw"
    .balign 16
machine_stacks:
    .zero HARTS * 1024

    .text
// HS mode: a stack for each hart, then C.
hypervisor_start:
    la sp, stacks
    addi t0, a0, 1
    li t1, STACK_SIZE
    mul t0, t0, t1
    add sp, sp, t0
    la t0, hypervisor_trap
    csrw stvec, t0
    call hypervisor_main
    j hypervisor_start

// No trap is expected while the hypervisor itself runs: its interrupts stay disabled.
    .balign 4
    .globl hypervisor_trap
hypervisor_trap:
    la sp, panic_stack_top
    call hypervisor_panic
1:  j 1b

    .bss
    .balign 16
stacks:
    .zero HARTS * STACK_SIZE
    .zero STACK_SIZE
panic_stack_top:

// The guests' image, linked for address GUEST_RAM; every guest gets a copy.
    .section .rodata
    .balign 16
    .globl guest_image, guest_image_end
guest_image:
    .incbin "minivisor_guest.bin"
guest_image_end:
