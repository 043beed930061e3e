// SPDX-License-Identifier: Apache-2.0
// The six CSR instructions (chapter Zicsr): old value, write, set, clear; forms that do not write
// must not trap on read-only CSRs; forms that do must.

#include "test.h"

    .macro CSR_ILLEGAL number, insn:vararg
    CASE \number
    li a1, 0
    EXPECT_TRAP
    \insn
    TRAPPED 2
    .endm

TEST_MAIN
    CASE 1
    li a0, 0x1234567812345678
    csrw mscratch, a0
    li a1, 0xff
    csrrw a2, mscratch, a1
    CHECK a2, 0x1234567812345678
    csrr a2, mscratch
    CHECK a2, 0xff
    CASE 2
    li a1, 0xf00
    csrrs a2, mscratch, a1
    CHECK a2, 0xff
    csrrc s7, mscratch, a2
    CHECK s7, 0xfff
    csrr a2, mscratch
    CHECK a2, 0xf00
    CASE 3
    csrrwi a2, mscratch, 31
    CHECK a2, 0xf00
    csrrsi a2, mscratch, 0
    CHECK a2, 31
    csrrci a2, mscratch, 10
    CHECK a2, 31
    csrrsi a2, mscratch, 8
    CHECK a2, 21
    csrr a2, mscratch
    CHECK a2, 29
    // rd equal to rs1, rd = x0.
    CASE 4
    li a0, 55
    csrrw a0, mscratch, a0
    CHECK a0, 29
    csrr a0, mscratch
    CHECK a0, 55
    li s9, 64
    csrrs s9, mscratch, s9
    CHECK s9, 55
    csrrc zero, mscratch, s9
    csrr a0, mscratch
    CHECK a0, 64
    csrrw zero, mscratch, zero
    csrr a0, mscratch
    CHECK a0, 0
    CHECK zero, 0

    // Read-only CSRs: set/clear with x0 or 0 reads, any other form is illegal, even one whose
    // register happens to hold zero.
    CASE 5
    csrrs a0, mhartid, zero
    CHECK a0, 0
    csrrc a0, mhartid, zero
    csrrsi a0, mhartid, 0
    csrrci a0, mhartid, 0
    CHECK a0, 0
    CSR_ILLEGAL 6, csrrw a0, mhartid, zero
    CSR_ILLEGAL 7, csrrs a0, mhartid, a1
    CSR_ILLEGAL 8, csrrc a0, mhartid, a1
    CSR_ILLEGAL 9, csrrwi a0, mhartid, 0
    CSR_ILLEGAL 10, csrrsi a0, mhartid, 1
    CSR_ILLEGAL 11, csrrci a0, mhartid, 1
    CSR_ILLEGAL 12, csrw cycle, a1
    CSR_ILLEGAL 13, csrw instret, a1
    CSR_ILLEGAL 14, csrw time, a1
    // CSRs that do not exist.
    CSR_ILLEGAL 15, csrr a0, 0x8ff
    CSR_ILLEGAL 16, csrr a0, 0xfff
    CSR_ILLEGAL 17, csrr a0, 0x3ff
    CSR_ILLEGAL 18, csrr a0, 0x2ff
    // High halves exist only when XLEN is 32.
    CSR_ILLEGAL 19, csrr a0, 0xc80
    CSR_ILLEGAL 20, csrr a0, 0xb80
    CSR_ILLEGAL 21, csrr a0, 0x310
    CSR_ILLEGAL 22, csrr a0, 0x3a1
    // Debug-mode registers are not accessible.
    CSR_ILLEGAL 23, csrr a0, 0x7b0

    // Machine information registers read some value; the ones with a known one are checked.
    CASE 30
    csrr a0, mvendorid
    csrr a0, marchid
    csrr a0, mimpid
    csrr a0, misa
    srli a1, a0, 62
    CHECK a1, 2
    // I, M, A, F, D, C, S, U, H are present.
    li a1, (1 << 0) | (1 << 2) | (1 << 3) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 12) | (1 << 18) | (1 << 20)
    and a2, a0, a1
    CHECK_REGS a1, a2

    // Counters: cycle, instret and time advance; mcycle and minstret are writable.
    CASE 40
    rdcycle a0
    rdinstret s7
    rdtime s8
    li a2, 20000
1:  addi a2, a2, -1
    bnez a2, 1b
    rdcycle a1
    bgtu a1, a0, 1f
    j test_fail
1:  rdinstret a1
    bgtu a1, s7, 1f
    j test_fail
1:
    CASE 41
    li a3, 0x02000000 + 0xbff8
1:  rdtime a1
    beq a1, s8, 1b
    ld a2, 0(a3)
    rdtime a4
    bleu a1, a2, 1f
    j test_fail
1:  bleu a2, a4, 1f
    j test_fail
1:
    CASE 42
    li a0, 0x100000000000
    csrw mcycle, a0
    csrr a1, mcycle
    bgeu a1, a0, 1f
    j test_fail
1:  sub a1, a1, a0
    srli a1, a1, 32
    CHECK a1, 0
    CASE 43
    li a0, 0x123456780
    csrw minstret, a0
    csrr a1, minstret
    bgeu a1, a0, 1f
    j test_fail
1:  sub a1, a1, a0
    srli a1, a1, 32
    CHECK a1, 0
    csrr a2, instret
    bgeu a2, a1, 1f
    j test_fail
1:
    // mcountinhibit stops them.
    CASE 44
    csrwi mcountinhibit, 5
    csrr a0, mcountinhibit
    CHECK a0, 5
    csrr a0, minstret
    csrr a1, mcycle
    nop
    nop
    csrr a2, minstret
    csrr a3, mcycle
    CHECK_REGS a0, a2
    CHECK_REGS a1, a3
    // Bit 1 would stop time and is read-only zero.
    csrwi mcountinhibit, 2
    csrr a0, mcountinhibit
    CHECK a0, 0
    // All 29 hpm counters and their event selectors exist and may be zero.
    CASE 45
    .altmacro
    .macro HPM index
    csrr a0, 0xb00 + \index
    csrw 0xb00 + \index, a0
    csrr a0, 0x320 + \index
    csrw 0x320 + \index, zero
    csrr a0, 0x320 + \index
    CHECK a0, 0
    csrr a0, 0xc00 + \index
    .endm
    .set .Lindex, 3
    .rept 29
    HPM %.Lindex
    .set .Lindex, .Lindex + 1
    .endr
    .noaltmacro
TEST_END
