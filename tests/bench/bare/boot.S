// SPDX-License-Identifier: Apache-2.0
// Reset in M mode, and all that M mode does: it opens everything, delegates everything, and turns a
// CLINT software interrupt into one of HS mode. Hart 0 goes on in bench_main, others in
// secondary_main, both in HS mode with translation off.

#define CLINT 0x2000000
#define MSTATUS_MPP_S (1 << 11)
#define MSTATUS_MPP_M (3 << 11)
#define MSTATUS_FS (3 << 13)

    .section .text.start, "ax"
    .globl _start
_start:
    la t0, machine_trap
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f  // NAPOT, RWX
    csrw pmpcfg0, t0
    // Every exception and S-level interrupt to HS mode.
    li t0, -1
    csrw medeleg, t0
    li t0, 0x222
    csrw mideleg, t0
    li t0, 7
    csrw mcounteren, t0
    // menvcfg.STCE: stimecmp is HS mode's.
    li t0, 1
    slli t0, t0, 63
    csrw 0x30a, t0
    li t0, -1
    csrw 0x14d, t0
    li t0, 8
    csrw mie, t0
    li t0, MSTATUS_MPP_M
    csrc mstatus, t0
    li t0, MSTATUS_MPP_S | MSTATUS_FS
    csrs mstatus, t0
    csrr a0, mhartid
    la t0, machine_words
    slli t1, a0, 4
    add t0, t0, t1
    csrw mscratch, t0
    bnez a0, 2f
    la t0, bss_start
    la t1, bss_end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    fence rw, rw
    la t0, cleared
    li t1, 1
    sw t1, 0(t0)
    la sp, stack_top
    la t0, bench_main
    csrw mepc, t0
    mret
    // What the others write before hart 0 has cleared it would be lost.
2:  la t0, cleared
    lw t0, 0(t0)
    beqz t0, 2b
    fence rw, rw
    la sp, stack_top - 32768
    la t0, secondary_main
    csrw mepc, t0
    mret

// Only software interrupts come here: acknowledged and handed on as HS mode's own. mscratch points
// to two words of the hart's.
    .text
    .balign 4
machine_trap:
    csrrw t0, mscratch, t0
    sd t1, 0(t0)
    csrr t1, mcause
    bgez t1, machine_lost
    sd t2, 8(t0)
    csrr t1, mhartid
    slli t1, t1, 2
    li t2, CLINT
    add t1, t1, t2
    sw zero, 0(t1)
    li t1, 2
    csrs mip, t1
    ld t1, 0(t0)
    ld t2, 8(t0)
    csrrw t0, mscratch, t0
    mret

// An exception in M mode or an ecall of HS mode: a bug. Its cause plus one is the exit code.
machine_lost:
    addi t1, t1, 1
    slli t1, t1, 16
    li t2, 0x3333
    or t1, t1, t2
    li t2, 0x100000
    sw t1, 0(t2)
    j machine_lost

    .data
    .balign 4
cleared:
    .word 0

    .bss
    .balign 16
machine_words:
    .zero 8 * 16
