// SPDX-License-Identifier: Apache-2.0
// LR/SC (chapter A): success, failure, what ends a reservation, and loops of the forward-progress
// form. SC writes 0 on success and a nonzero code (1 where unspecified) on failure.

#include "test.h"

TEST_MAIN
    la s2, cell

    .macro TEST_PAIR number, width, order_lr, order_sc, initial, loaded, value, stored
    CASE \number
    li a0, \initial
    sd a0, 0(s2)
    lr.\width\order_lr a1, (s2)
    CHECK a1, \loaded
    li a2, \value
    sc.\width\order_sc a3, a2, (s2)
    CHECK a3, 0
    ld a4, 0(s2)
    CHECK a4, \stored
    .endm
    TEST_PAIR 1, d, , , 0x1122334455667788, 0x1122334455667788, 0x8877665544332211, 0x8877665544332211
    TEST_PAIR 2, w, , , 0x11223344f5667788, 0xfffffffff5667788, 0x8877665544332211, 0x1122334444332211
    TEST_PAIR 3, d, .aq, .rl, 5, 5, 6, 6
    TEST_PAIR 4, w, .aq, .rl, 5, 5, 6, 6
    TEST_PAIR 5, d, .aqrl, .aqrl, 7, 7, 8, 8
    TEST_PAIR 6, w, .aqrl, .aqrl, 7, 7, -1, 0xffffffff

    // The upper word of a doubleword.
    CASE 7
    li a0, 0x0123456789abcdef
    sd a0, 0(s2)
    addi s3, s2, 4
    lr.w a1, (s3)
    CHECK a1, 0x01234567
    li a2, 0x55555555
    sc.w a3, a2, (s3)
    CHECK a3, 0
    ld a4, 0(s2)
    CHECK a4, 0x5555555589abcdef

    // An SC without reservation fails and does not store.
    CASE 10
    li a0, 1
    sd a0, 0(s2)
    li a2, 2
    sc.d a3, a2, (s2)
    CHECK a3, 1
    ld a4, 0(s2)
    CHECK a4, 1
    sc.w a3, a2, (s2)
    CHECK a3, 1
    ld a4, 0(s2)
    CHECK a4, 1

    // Any SC ends the reservation, the successful one and the failed one.
    CASE 11
    lr.d a1, (s2)
    sc.d a3, a2, (s2)
    CHECK a3, 0
    sc.d a3, a2, (s2)
    CHECK a3, 1
    CASE 12
    la s4, other
    sd zero, 0(s4)
    lr.d a1, (s2)
    sc.d a3, a2, (s4)
    CHECK a3, 1
    ld a4, 0(s4)
    CHECK a4, 0
    sc.d a3, a2, (s2)
    CHECK a3, 1

    // The last LR counts.
    CASE 13
    lr.d a1, (s2)
    lr.d a1, (s4)
    li a2, 9
    sc.d a3, a2, (s2)
    CHECK a3, 1
    lr.d a1, (s2)
    lr.d a1, (s4)
    sc.d a3, a2, (s4)
    CHECK a3, 0
    ld a4, 0(s4)
    CHECK a4, 9

    // A store of another value by the same hart between the pair does not itself forbid success,
    // but the SC must not succeed with a value loaded before somebody else's store: here the only
    // requirement is consistency of result and memory.
    CASE 14
    li a0, 1
    sd a0, 0(s2)
    lr.d a1, (s2)
    li a2, 3
    sd a2, 0(s2)
    li a2, 4
    sc.d a3, a2, (s2)
    ld a4, 0(s2)
    beqz a3, 1f
    CHECK a4, 3
    j 2f
1:  CHECK a4, 4
2:
    // rd = x0, rd equal to either source.
    CASE 20
    lr.d zero, (s2)
    li a2, 5
    sc.d zero, a2, (s2)
    ld a4, 0(s2)
    CHECK a4, 5
    lr.d a1, (s2)
    li a2, 6
    sc.d a2, a2, (s2)
    CHECK a2, 0
    ld a4, 0(s2)
    CHECK a4, 6
    mv a5, s2
    lr.d a1, (a5)
    li a2, 7
    sc.d a5, a2, (a5)
    CHECK a5, 0
    ld a4, 0(s2)
    CHECK a4, 7
    mv a5, s2
    lr.d a5, (a5)
    CHECK a5, 7

    // A constrained loop must make progress (section on eventual success).
    CASE 30
    sd zero, 0(s2)
    li s5, 10000
1:  lr.w a0, (s2)
    addi a0, a0, 1
    sc.w a1, a0, (s2)
    bnez a1, 1b
    addi s5, s5, -1
    bnez s5, 1b
    ld a0, 0(s2)
    CHECK a0, 10000

    // A trap to M and back may end the reservation, but a failing SC must still not store.
    CASE 31
    li a0, 1
    sd a0, 0(s2)
    lr.d a1, (s2)
    EXPECT_TRAP
    ebreak
    TRAPPED 3
    li a2, 2
    sc.d a3, a2, (s2)
    ld a4, 0(s2)
    beqz a3, 1f
    CHECK a4, 1
    j 2f
1:  CHECK a4, 2
2:
    // Accesses to holes of the memory map: lr is a load, sc and amo are stores, whether or not
    // the sc would fail (priv. spec: an SC that fails its permission check traps regardless).
    CASE 40
    li a0, 0x01000000
    EXPECT_TRAP
    lr.d a1, (a0)
    TRAPPED 5
    CASE 41
    EXPECT_TRAP
    sc.d a1, a2, (a0)
    TRAPPED 7
    CASE 42
    EXPECT_TRAP
    amoadd.d a1, a2, (a0)
    TRAPPED 7
TEST_END

    .data
    .balign 64
cell:   .dword 0
    .balign 4096
other:  .dword 0
