// SPDX-License-Identifier: Apache-2.0
// Macros of the self-checking assembly tests. A test defines `test_main`, numbers its cases in gp
// (CASE) and returns 0 in a0. Any failed check ends the machine with the case number.
#ifndef GSTAGE_TESTS_INSN_TEST_H
#define GSTAGE_TESTS_INSN_TEST_H

#define TEST_DEVICE 0x100000
#define UART 0x10000000
#define MSTATUS_FS 0x6000

// What follows is for the assembler; C sources use priv.h.
#ifdef __ASSEMBLER__

    .macro TEST_MAIN
    .text
    .globl test_main
    .balign 4
test_main:
    addi sp, sp, -16
    sd ra, 8(sp)
    .endm

    .macro TEST_END
    ld ra, 8(sp)
    addi sp, sp, 16
    li a0, 0
    ret
    .endm

// Two harts wait here for each other. `number` counts the barriers of the program, which has a word `barrier`.
    .macro BARRIER number
    la t0, barrier
    li t1, 1
    fence rw, rw
    amoadd.w.aqrl zero, t1, (t0)
    li t2, 2 * \number
77: lw t1, 0(t0)
    bltu t1, t2, 77b
    fence rw, rw
    .endm

    .macro CASE number
    li gp, \number
    .endm

// Fails unless the register holds the constant.
    .macro CHECK reg, value
    li t6, \value
    beq \reg, t6, .Lcheck\@
    j test_fail
.Lcheck\@:
    .endm

    .macro CHECK_REGS rega, regb
    beq \rega, \regb, .Lcheckr\@
    j test_fail
.Lcheckr\@:
    .endm

// The following instruction sequence up to TRAPPED must trap with `cause`; afterwards s9 holds
// mtval and s10 mepc.
    .macro EXPECT_TRAP
    la s11, 77f
    .endm

    .macro TRAPPED cause
    j test_fail
    .balign 4
77: li t6, \cause
    beq s8, t6, .Ltrapped\@
    j test_fail
.Ltrapped\@:
    .endm

// One two-operand instruction with a constant result: in plain registers, in registers that a
// translator is unlikely to treat alike, and with the destination equal to either source.
    .macro TEST_RR number, op, expected, a, b
    CASE \number
    li a0, \a
    li a1, \b
    \op a2, a0, a1
    CHECK a2, \expected
    li s7, \a
    li t4, \b
    \op s5, s7, t4
    CHECK s5, \expected
    \op a0, a0, a1
    CHECK a0, \expected
    \op t4, s7, t4
    CHECK t4, \expected
    li a0, \a
    li a1, \b
    \op zero, a0, a1
    CHECK zero, 0
    .endm

// One register-immediate instruction.
    .macro TEST_RI number, op, expected, a, imm
    CASE \number
    li a0, \a
    \op a2, a0, \imm
    CHECK a2, \expected
    li s7, \a
    \op s7, s7, \imm
    CHECK s7, \expected
    \op zero, a0, \imm
    CHECK zero, 0
    .endm

#endif
#endif
