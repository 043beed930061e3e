// SPDX-License-Identifier: Apache-2.0
// Two harts: atomics under contention, a lock, ordering by fences (litmus tests of chapter RVWMO),
// code written by the other hart, and inter-processor interrupts. Needs -smp 2.

#include "test.h"

#define ROUNDS 20000
#define LITMUS 5000
#define CLINT_MSIP 0x2000000

// The part that both harts run; s0 is the hart's number. Everything is checked by hart 0.
    .macro WORK
    // Contended AMOs.
    la s2, cells
    li s3, ROUNDS
1:  li t0, 1
    amoadd.d zero, t0, (s2)
    addi s4, s2, 64
    amoadd.w.aqrl zero, t0, (s4)
    addi s3, s3, -1
    bnez s3, 1b
    // Contended LR/SC.
    addi s4, s2, 128
    li s3, ROUNDS
2:  lr.d t0, (s4)
    addi t0, t0, 3
    sc.d t1, t0, (s4)
    bnez t1, 2b
    addi s3, s3, -1
    bnez s3, 2b
    // A spin lock around plain loads and stores.
    addi s4, s2, 192
    addi s5, s2, 256
    li s3, ROUNDS / 4
3:  li t0, 1
4:  amoswap.w.aq t1, t0, (s4)
    bnez t1, 4b
    ld t1, 0(s5)
    addi t1, t1, 1
    sd t1, 0(s5)
    ld t1, 8(s5)
    addi t1, t1, 2
    sd t1, 8(s5)
    amoswap.w.rl zero, zero, (s4)
    addi s3, s3, -1
    bnez s3, 3b
    .endm

// Store buffering: each hart stores its flag, fences, loads the other's. Both reading 0 is forbidden.
// s5: own flag, s6: the other's, s7: where the own observation goes.
    .macro STORE_BUFFERING
    la s2, cells
    addi s5, s2, 512
    addi s6, s2, 576
    la s7, seen
    beqz s0, 1f
    mv t0, s5
    mv s5, s6
    mv s6, t0
    addi s7, s7, 8
1:  li s3, 1
2:  // Round s3: the flags hold round numbers, so that they need no reset.
    sd s3, 0(s5)
    fence rw, rw
    ld t3, 0(s6)
    sltu t3, t3, s3
    sd t3, 0(s7)
    // Meet, let hart 0 judge, meet again.
    la t0, meeting
    li t1, 1
    amoadd.w.aqrl zero, t1, (t0)
    slli t2, s3, 2
    addi t2, t2, -2
3:  lw t1, 0(t0)
    bltu t1, t2, 3b
    fence rw, rw
    bnez s0, 4f
    la t3, seen
    ld t4, 0(t3)
    ld t5, 8(t3)
    and t4, t4, t5
    beqz t4, 4f
    j test_fail
4:  li t1, 1
    amoadd.w.aqrl zero, t1, (t0)
    addi t2, t2, 2
5:  lw t1, 0(t0)
    bltu t1, t2, 5b
    fence rw, rw
    addi s3, s3, 1
    li t1, LITMUS
    bleu s3, t1, 2b
    .endm

TEST_MAIN
    li s0, 0
    BARRIER 1
    WORK
    BARRIER 2
    la s2, cells
    CASE 1
    ld a0, 0(s2)
    CHECK a0, 2 * ROUNDS
    CASE 2
    ld a0, 64(s2)
    CHECK a0, 2 * ROUNDS
    CASE 3
    ld a0, 128(s2)
    CHECK a0, 6 * ROUNDS
    CASE 4
    ld a0, 256(s2)
    CHECK a0, ROUNDS / 2
    ld a0, 264(s2)
    CHECK a0, ROUNDS
    CASE 5
    STORE_BUFFERING
    BARRIER 3

    // Message passing of code: the other hart rewrites a function, then raises a flag.
    CASE 6
    li s3, 1
    la s2, cells + 1024
1:  ld t0, 0(s2)
    bltu t0, s3, 1b
    fence r, r
    fence.i
    call patched
    CHECK_REGS a0, s3
    sd s3, 64(s2)
    addi s3, s3, 1
    li t0, 200
    bleu s3, t0, 1b

    // Interrupts: hart 1 sends, hart 0 sleeps.
    CASE 7
    BARRIER 4
    li s3, 50
1:  csrwi mie, 8
    wfi
    csrr t0, mip
    andi t0, t0, 8
    beqz t0, 1b
    li t0, CLINT_MSIP
    sw zero, 0(t0)
2:  csrr t1, mip
    andi t1, t1, 8
    bnez t1, 2b
    la t0, answered
    li t1, 1
    fence rw, rw
    amoadd.w zero, t1, (t0)
    addi s3, s3, -1
    bnez s3, 1b
TEST_END

    .globl secondary_main
secondary_main:
    li s0, 1
    li gp, 100
    BARRIER 1
    WORK
    BARRIER 2
    STORE_BUFFERING
    BARRIER 3
    // The function becomes li a0, round.
    li s3, 1
    la s2, cells + 1024
    la s4, patched
1:  slli t0, s3, 20
    li t1, 0x513
    or t0, t0, t1
    sw t0, 0(s4)
    fence w, w
    sd s3, 0(s2)
2:  ld t0, 64(s2)
    bltu t0, s3, 2b
    addi s3, s3, 1
    li t0, 200
    bleu s3, t0, 1b
    BARRIER 4
    li s3, 1
3:  li t0, CLINT_MSIP
    li t1, 1
    sw t1, 0(t0)
    la t0, answered
4:  lw t1, 0(t0)
    bltu t1, s3, 4b
    addi s3, s3, 1
    li t1, 50
    bleu s3, t1, 3b
5:  wfi
    j 5b

    .balign 4096
patched:
    .option push
    .option norvc
    li a0, 0
    ret
    .option pop

    .data
    .balign 4096
cells:  .zero 4096
    .balign 64
barrier: .dword 0
    .balign 64
meeting: .dword 0
    .balign 64
seen:   .dword 0, 0
    .balign 64
answered: .dword 0
