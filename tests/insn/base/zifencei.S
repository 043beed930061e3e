// SPDX-License-Identifier: Apache-2.0
// Code that is written while it runs. After fence.i every earlier store of the hart is visible to
// its fetches (chapter Zifencei).

#include "test.h"

#define ADDI_A0_1 0x00150513
#define ADDI_A0_5 0x00550513
#define ADDI_A0_100 0x06450513
#define RET 0x00008067

    // The patches are 4 bytes wide; so must be what they replace.
    .option norvc

TEST_MAIN
    // Code on a data page, then changed many times.
    CASE 1
    la s0, scratch
    li s1, 300
    li a0, 0
1:  andi t0, s1, 0x3ff
    slli t0, t0, 20
    li t1, 0x00050513
    or t1, t1, t0
    sw t1, 0(s0)
    li t1, RET
    sw t1, 4(s0)
    fence.i
    jalr s0
    addi s1, s1, -1
    bnez s1, 1b
    CHECK a0, 45150

    // A store to the page that runs, right behind the store.
    CASE 2
    li a0, 0
    la a1, patched
    li a2, ADDI_A0_100
    sw a2, 0(a1)
    fence.i
patched:
    addi a0, a0, 1
    CHECK a0, 100

    // The same code run before and after the change, in a loop that flips it.
    CASE 3
    li s1, 100
    li a0, 0
    la s2, flipping
2:  call flipping
    andi t0, s1, 1
    li t1, ADDI_A0_5
    beqz t0, 1f
    li t1, ADDI_A0_1
1:  sw t1, 0(s2)
    fence.i
    addi s1, s1, -1
    bnez s1, 2b
    CHECK a0, 1 + 49 * 1 + 50 * 5

    // Byte and halfword patches: the immediate of one instruction.
    CASE 4
    la s2, flipping
    li t0, 0x7ff0 >> 4
    li a0, 0
    li t1, 0x0075
    sh t1, 2(s2)
    fence.i
    call flipping
    CHECK a0, 7
    li t1, 0x01
    sb t1, 3(s2)
    fence.i
    li a0, 0
    call flipping
    CHECK a0, 0x17

    // An instruction across two pages, whose second half changes.
    CASE 5
    la s3, straddler
    li a0, 0
    call straddler
    CHECK a0, 1
    li t1, 0x00a5
    sh t1, 2(s3)
    fence.i
    li a0, 0
    call straddler
    CHECK a0, 10
    // And whose first half changes: addi becomes xori (funct3 4).
    li t1, 0x4513
    sh t1, 0(s3)
    fence.i
    li a0, 3
    call straddler
    CHECK a0, 9

    // A function copied to many places and called there; a jump over a page boundary.
    CASE 6
    la s0, scratch
    li s1, 32
    li s4, 0
1:  la t0, copied
    ld t1, 0(t0)
    sd t1, 0(s0)
    ld t1, 8(t0)
    sd t1, 8(s0)
    fence.i
    li a0, 21
    jalr s0
    add s4, s4, a0
    li t0, 520
    add s0, s0, t0
    addi s1, s1, -1
    bnez s1, 1b
    CHECK s4, 32 * 43

    // Data stores next to code (same page, other lines) leave the code right.
    CASE 7
    la s2, neighbour
    li s1, 1000
    li a0, 0
1:  sd s1, 0(s2)
    call beside
    ld t0, 0(s2)
    bne t0, s1, 9f
    addi s1, s1, -1
    bnez s1, 1b
    CHECK a0, 2000
    j 2f
9:  j test_fail
2:
    // An AMO and an SC can patch code as well.
    CASE 8
    la s2, flipping
    li t1, ADDI_A0_5
    amoswap.w zero, t1, (s2)
    fence.i
    li a0, 0
    call flipping
    CHECK a0, 5
    li t1, ADDI_A0_100
    lr.w t0, (s2)
    sc.w t0, t1, (s2)
    CHECK t0, 0
    fence.i
    li a0, 0
    call flipping
    CHECK a0, 100
    // A floating-point store too.
    CASE 9
    li t1, ADDI_A0_1
    fmv.w.x fa0, t1
    fsw fa0, 0(s2)
    fence.i
    li a0, 0
    call flipping
    CHECK a0, 1
    // And a misaligned store that straddles into the code.
    CASE 10
    la s2, misaligned_code
    li t1, 0x808200550513       // addi a0, a0, 5; c.jr ra
    slli t1, t1, 16
    sd t1, -2(s2)
    fence.i
    li a0, 0
    call misaligned_code
    CHECK a0, 5
TEST_END

    .balign 4096
flipping:
    addi a0, a0, 1
    ret

    .balign 4096
beside:
    addi a0, a0, 2
    ret
    .balign 128
neighbour:
    .dword 0

    .balign 4
    .2byte 0
    .2byte 0
misaligned_code:
    addi a0, a0, 1
    .2byte 0x8082           // c.jr ra
    .2byte 0
    ret

    .balign 4096
    .zero 4094
straddler:
    .word 0x00150513        // addi a0, a0, 1
    ret

    .balign 8
copied:
    slli a0, a0, 1
    addi a0, a0, 1
    ret
    nop

    .data
    .balign 4096
scratch:
    .zero 32768
