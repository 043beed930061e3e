// SPDX-License-Identifier: Apache-2.0
// Two harts: Zabha and Zacas under contention. Needs -smp 2.

#include "test.h"

#define ROUNDS 20000

// The assembler need not know them.
    .macro AMOADD_B rd, rs2, rs1
    .insn r 0x2f, 0, 0x00, \rd, \rs1, \rs2
    .endm
    .macro AMOADD_H rd, rs2, rs1
    .insn r 0x2f, 1, 0x00, \rd, \rs1, \rs2
    .endm
    .macro AMOCAS funct3, rd, rs2, rs1
    .insn r 0x2f, \funct3, 0x14, \rd, \rs1, \rs2
    .endm

// The part that both harts run; everything is checked by hart 0.
    .macro WORK
    la s2, cells
    // Neighbours in one word.
    li s3, ROUNDS
    li t0, 1
    li t1, 3
    addi s4, s2, 1
    addi s5, s2, 2
1:  AMOADD_B zero, t0, s2
    AMOADD_B zero, t1, s4
    AMOADD_H zero, t1, s5
    addi s3, s3, -1
    bnez s3, 1b
    // Additions by compare-and-swap of 2 and 8 bytes.
    addi s4, s2, 64
    li s3, ROUNDS
2:  lh a2, 0(s4)
3:  mv a6, a2
    addi a4, a2, 1
    AMOCAS 1, a2, a4, s4
    bne a2, a6, 3b
    addi s3, s3, -1
    bnez s3, 2b
    addi s4, s2, 128
    li s3, ROUNDS
4:  ld a2, 0(s4)
5:  mv a6, a2
    addi a4, a2, 5
    AMOCAS 3, a2, a4, s4
    bne a2, a6, 5b
    addi s3, s3, -1
    bnez s3, 4b
    // Both halves of a quadword always change together: the second is three times the first.
    addi s4, s2, 192
    li s3, ROUNDS
6:  ld a2, 0(s4)
    ld a3, 8(s4)
7:  mv a6, a2
    mv a7, a3
    addi a4, a2, 1
    addi a5, a3, 3
    AMOCAS 4, a2, a4, s4
    slli t0, a2, 1
    add t0, t0, a2
    beq t0, a3, 8f
    j test_fail
8:  bne a2, a6, 7b
    bne a3, a7, 7b
    addi s3, s3, -1
    bnez s3, 6b
    .endm

TEST_MAIN
    CASE 1
    BARRIER 1
    WORK
    BARRIER 2
    la s2, cells
    CASE 2
    lbu a0, 0(s2)
    CHECK a0, (2 * ROUNDS) & 0xff
    lbu a0, 1(s2)
    CHECK a0, (6 * ROUNDS) & 0xff
    lhu a0, 2(s2)
    CHECK a0, (6 * ROUNDS) & 0xffff
    ld a0, 0(s2)
    srli a0, a0, 32
    CHECK a0, 0
    CASE 3
    lhu a0, 64(s2)
    CHECK a0, 2 * ROUNDS
    CASE 4
    ld a0, 128(s2)
    CHECK a0, 10 * ROUNDS
    CASE 5
    ld a0, 192(s2)
    CHECK a0, 2 * ROUNDS
    ld a0, 200(s2)
    CHECK a0, 6 * ROUNDS
TEST_END

    .globl secondary_main
secondary_main:
    li gp, 100
    BARRIER 1
    WORK
    BARRIER 2
1:  wfi
    j 1b

    .data
    .balign 4096
cells:  .zero 4096
    .balign 64
barrier: .dword 0
