// SPDX-License-Identifier: Apache-2.0
// Misaligned loads and stores to main memory work (as Zicclsm promises), within a page and across
// the boundary of two pages; misaligned atomics trap with store/AMO (lr: load) address-misaligned.

#include "test.h"

    .macro TEST_WIDTH number, load, store, mask, offset
    CASE \number
    la a0, boundary
    addi a0, a0, \offset
    li a1, 0x8877665544332211
    \store a1, 0(a0)
    \load a2, 0(a0)
    li a3, \mask
    and a4, a1, a3
    CHECK_REGS a2, a4
    // The same bytes, one at a time.
    .if \mask == 0xffff
    .set .Lbytes, 2
    .elseif \mask == 0xffffffff
    .set .Lbytes, 4
    .else
    .set .Lbytes, 8
    .endif
    li a5, 0
    .set .Li, 0
    .rept .Lbytes
    lbu a6, .Li(a0)
    slli a6, a6, 8 * .Li
    or a5, a5, a6
    .set .Li, .Li + 1
    .endr
    CHECK_REGS a5, a4
    lbu a6, -1(a0)
    CHECK a6, 0xee
    lbu a6, .Lbytes(a0)
    CHECK a6, 0xee
    li a6, -1
    .set .Li, 0
    li a6, 0xee
    .rept .Lbytes
    sb a6, .Li(a0)
    .set .Li, .Li + 1
    .endr
    .endm

TEST_MAIN
    la a0, boundary - 32
    la a1, boundary + 64
    li a2, 0xee
1:  sb a2, 0(a0)
    addi a0, a0, 1
    bltu a0, a1, 1b

    .set .Lcase, 100
    .irp offset, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 5, 7, 9
    TEST_WIDTH .Lcase, ld, sd, 0xffffffffffffffff, \offset
    TEST_WIDTH .Lcase + 1, lwu, sw, 0xffffffff, \offset
    TEST_WIDTH .Lcase + 2, lhu, sh, 0xffff, \offset
    .set .Lcase, .Lcase + 10
    .endr

    // Sign extension of the misaligned forms.
    CASE 1
    la a0, boundary
    li a1, 0x80
    sb a1, 0(a0)
    lh a2, -1(a0)
    CHECK a2, 0xffffffffffff80ee
    lw a2, -3(a0)
    CHECK a2, 0xffffffff80eeeeee

    // Chapter A: addresses of LR, SC and AMOs must be naturally aligned.
    CASE 2
    la a0, boundary + 2
    EXPECT_TRAP
    lr.w a1, (a0)
    TRAPPED 4
    CHECK_REGS s9, a0
    CASE 3
    EXPECT_TRAP
    sc.w a1, a1, (a0)
    TRAPPED 6
    CHECK_REGS s9, a0
    CASE 4
    la a0, boundary + 4
    EXPECT_TRAP
    amoadd.d a1, a1, (a0)
    TRAPPED 6
    CHECK_REGS s9, a0
    CASE 5
    EXPECT_TRAP
    lr.d a1, (a0)
    TRAPPED 4
    CHECK_REGS s9, a0
    CASE 6
    la a0, boundary + 1
    EXPECT_TRAP
    amoswap.w a1, a1, (a0)
    TRAPPED 6
    CHECK_REGS s9, a0
TEST_END

    .data
    .balign 4096
    .zero 4096
boundary:
    .zero 4096
