// SPDX-License-Identifier: Apache-2.0
// RV64I loads and stores: every width, both extensions, offsets of both signs, neighbours intact.

#include "test.h"

// Loads at `offset` from the middle of the pattern, via two base registers and over the base.
    .macro TEST_LOAD number, op, expected, offset
    CASE \number
    la a0, pattern_middle
    \op a1, \offset(a0)
    CHECK a1, \expected
    la s6, pattern_middle
    \op s9, \offset(s6)
    CHECK s9, \expected
    \op a0, \offset(a0)
    CHECK a0, \expected
    \op s6, \offset(s6)
    CHECK s6, \expected
    .endm

// Stores into a field of ones and checks the doubleword that results.
    .macro TEST_STORE number, op, expected, value, offset
    CASE \number
    la a0, field
    li a1, -1
    sd a1, 0(a0)
    sd a1, 8(a0)
    li a2, \value
    \op a2, \offset(a0)
    ld a3, 0(a0)
    CHECK a3, \expected
    ld a3, 8(a0)
    CHECK a3, -1
    sd a1, 0(a0)
    li s8, \value
    addi s7, a0, 2047
    addi s7, s7, 1
    \op s8, \offset - 2048(s7)
    ld a3, 0(a0)
    CHECK a3, \expected
    \op zero, \offset(a0)
    \op a1, \offset(a0)
    ld a3, 0(a0)
    CHECK a3, -1
    .endm

// The store of x0 writes zero in the op's width.
    .macro TEST_STORE_ZERO number, op, expected
    CASE \number
    la a0, field
    li a1, -1
    sd a1, 0(a0)
    \op zero, 0(a0)
    ld a3, 0(a0)
    CHECK a3, \expected
    .endm

TEST_MAIN
    TEST_LOAD 1, lb, 0xffffffffffffff80, 0
    TEST_LOAD 2, lb, 0x7f, 1
    TEST_LOAD 3, lb, 0xffffffffffffffff, -1
    TEST_LOAD 4, lbu, 0x80, 0
    TEST_LOAD 5, lbu, 0xff, -1
    TEST_LOAD 6, lh, 0x7f80, 0
    TEST_LOAD 7, lh, 0xffffffffffff8201, 2
    TEST_LOAD 8, lhu, 0x8201, 2
    TEST_LOAD 9, lhu, 0xff44, -2
    TEST_LOAD 10, lw, 0xffffffff82017f80, 0
    TEST_LOAD 11, lw, 0x04030201, 4
    TEST_LOAD 12, lwu, 0x82017f80, 0
    TEST_LOAD 13, lwu, 0xff443322, -4
    TEST_LOAD 14, ld, 0x0403020182017f80, 0
    TEST_LOAD 15, ld, 0xff44332211efbead, -8
    TEST_LOAD 16, lb, 0x5a, 2047
    TEST_LOAD 17, lb, 0x3c, -2048
    TEST_LOAD 18, ld, 0x5a000000000000a5, 2040
    TEST_LOAD 19, lwu, 0x12345678, -2044

    TEST_STORE 30, sb, 0xffffffffffffff5a, 0x1234567812345a5a, 0
    TEST_STORE 31, sb, 0x5affffffffffffff, 0x5a, 7
    TEST_STORE 32, sh, 0xffffffffffff1234, 0xabcd1234, 0
    TEST_STORE 33, sh, 0xffff1234ffffffff, 0xabcd1234, 4
    TEST_STORE 34, sw, 0xffffffff89abcdef, 0x0123456789abcdef, 0
    TEST_STORE 35, sw, 0x89abcdefffffffff, 0x0123456789abcdef, 4
    TEST_STORE 36, sd, 0x0123456789abcdef, 0x0123456789abcdef, 0
    TEST_STORE_ZERO 37, sb, 0xffffffffffffff00
    TEST_STORE_ZERO 38, sh, 0xffffffffffff0000
    TEST_STORE_ZERO 39, sw, 0xffffffff00000000
    TEST_STORE_ZERO 40, sd, 0

    // A load into x0 is performed and discarded.
    CASE 50
    la a0, field
    ld zero, 0(a0)
    CHECK zero, 0

    // Store-to-load forwarding between widths.
    CASE 51
    la a0, field
    li a1, 0x1122334455667788
    sd a1, 0(a0)
    lbu a2, 3(a0)
    CHECK a2, 0x55
    lhu a2, 4(a0)
    CHECK a2, 0x3344
    sb zero, 6(a0)
    ld a2, 0(a0)
    CHECK a2, 0x1100334455667788

    // A store whose base and data are one register; a stack-like push and pop over sp.
    CASE 52
    la a0, field
    sd a0, 0(a0)
    ld a1, 0(a0)
    CHECK_REGS a0, a1
    CASE 53
    addi sp, sp, -32
    li a0, 7
    li ra, 9
    sd a0, 0(sp)
    sd ra, 24(sp)
    sd sp, 8(sp)
    ld a1, 24(sp)
    CHECK a1, 9
    ld a1, 8(sp)
    CHECK_REGS a1, sp
    addi sp, sp, 32

    // Address arithmetic wraps at 64 bits.
    CASE 54
    la a0, pattern_middle
    addi a0, a0, -16
    li a1, -1
    slli a1, a1, 63
    add a2, a0, a1
    add a2, a2, a1
    ld a3, 16(a2)
    CHECK a3, 0x0403020182017f80
TEST_END

    .data
    .balign 4096
    .byte 0x3c, 0, 0, 0
    .word 0x12345678
    .zero 2032
    .byte 0xad, 0xbe, 0xef, 0x11, 0x22, 0x33, 0x44, 0xff
pattern_middle:
    .byte 0x80, 0x7f, 0x01, 0x82, 0x01, 0x02, 0x03, 0x04
    .zero 2032
    .byte 0xa5, 0, 0, 0, 0, 0, 0, 0x5a
    .balign 8
field:
    .zero 16
