// SPDX-License-Identifier: Apache-2.0
// misa.C cleared: instructions are 4-byte aligned, compressed ones are illegal, and jumps to other
// addresses raise instruction-address-misaligned at the jump (chapters misa, RV32I control transfer).
// Where the bit is hardwired there is nothing to see. No code here may be compressed.

#include "test.h"

    .option norvc

// The sequence must trap; the handler leaves mcause, mtval and mepc in s8, s9 and s10.
    .macro EXPECT
    la s11, 77f
    .endm

    .macro MISALIGNED target
    j test_failed
77: li t6, 0
    bne s8, t6, test_failed
    bne s9, \target, test_failed
    .endm

TEST_MAIN
    // The write is refused while the next instruction would be misaligned.
    CASE 1
    csrr s2, misa
    .balign 4
    .2byte 0x0001           // c.nop
    csrci misa, 4
    .2byte 0x0001
    csrr a0, misa
    bne a0, s2, test_failed

    la t0, handler
    csrrw s3, mtvec, t0
    csrci misa, 4
    csrr a0, misa
    andi a0, a0, 4
    bnez a0, out

    CASE 2
    la s4, target + 2
    EXPECT
0:  jalr s5, s4
    MISALIGNED s4
    la a0, 0b
    bne s10, a0, test_failed
    // The link register keeps its value.
    CASE 3
    li s5, 55
    EXPECT
    jalr s5, s4
    MISALIGNED s4
    li t6, 55
    bne s5, t6, test_failed
    CASE 4
    EXPECT
    .word 0x0060006f        // jal x0, .+6
    MISALIGNED s9
    addi t6, s10, 6
    bne s9, t6, test_failed
    // A branch traps when taken only.
    CASE 5
    EXPECT
    .word 0x00000363        // beq x0, x0, .+6
    MISALIGNED s9
    addi t6, s10, 6
    bne s9, t6, test_failed
    li s11, 0
    .word 0x00001363        // bne x0, x0, .+6
    CASE 6
    EXPECT
    .2byte 0x0505, 0x0505   // c.addi a0, 1 twice
    j test_failed
77: li t6, 2
    bne s8, t6, test_failed
    // mepc and sepc read with bit 1 clear.
    CASE 7
    li a0, -1
    csrw mepc, a0
    csrr a0, mepc
    li t6, -4
    bne a0, t6, test_failed
    csrw sepc, a0
    csrr a0, sepc
    bne a0, t6, test_failed
    CASE 8
    la t0, 1f + 2
    csrw mepc, t0
    li t0, 0x1800
    csrs mstatus, t0
    mret
    j test_failed
1:
    csrsi misa, 4
    CASE 9
    csrr a0, misa
    bne a0, s2, test_failed
out:
    csrw mtvec, s3
TEST_END

test_failed:
    csrsi misa, 4
    j test_fail

    .balign 4
handler:
    beqz s11, test_failed
    csrr s8, mcause
    csrr s9, mtval
    csrr s10, mepc
    csrw mepc, s11
    li s11, 0
    mret

    .balign 4
target:
    nop
    nop
