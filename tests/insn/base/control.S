// SPDX-License-Identifier: Apache-2.0
// Jumps, calls, branches over long distances, loops and indirect jumps with changing targets.

#include "test.h"

TEST_MAIN
    // jal: target and link, with ra, another register and x0.
    CASE 1
    jal ra, 1f
0:  j test_fail
1:  la a0, 0b
    CHECK_REGS ra, a0
    CASE 2
    jal s7, 1f
0:  j test_fail
1:  la a0, 0b
    CHECK_REGS s7, a0
    CASE 3
    li a0, 0
    jal zero, 1f
    li a0, 1
1:  CHECK a0, 0
    CHECK zero, 0

    // jalr: immediate of both signs, bit 0 of the sum cleared, rd equal to rs1.
    CASE 10
    la a0, 1f + 2047
    jalr ra, -2047(a0)
0:  j test_fail
1:  la a1, 0b
    CHECK_REGS ra, a1
    CASE 11
    la a0, 1f
    jalr a0, 1(a0)
0:  j test_fail
    .balign 4
1:  la a1, 0b
    CHECK_REGS a0, a1
    CASE 12
    la s5, 1f
    jalr s5, s5, 0
0:  j test_fail
1:  la a1, 0b
    CHECK_REGS s5, a1
    CASE 13
    la t0, 1f - 2000
    jalr zero, 2000(t0)
    j test_fail
1:
    // Negative jumps and a branch in each direction near the limit of its range.
    CASE 20
    li a0, 0
    j 2f
1:  addi a0, a0, 1
    j 3f
2:  jal zero, 1b
    j test_fail
3:  CHECK a0, 1
    CASE 21
    li a0, 1
    bnez a0, far_forward
    j test_fail
    .balign 4
far_back:
    li a0, 5
    j far_done
    .zero 3800
far_forward:
    beqz zero, far_back
    j test_fail
far_done:
    CHECK a0, 5

    // A branch to its own successor and a not-taken branch leave the state alone.
    CASE 22
    li a0, 3
    beq a0, a0, 1f
1:  bne a0, a0, 1f
1:  CHECK a0, 3

    // A counted loop, nested loops, and a recursion that uses the stack.
    CASE 30
    li a0, 100000
    li a1, 0
1:  add a1, a1, a0
    addi a0, a0, -1
    bnez a0, 1b
    CHECK a1, 5000050000
    CASE 31
    li a0, 0
    li a1, 300
1:  li a2, 50
2:  addi a0, a0, 1
    addi a2, a2, -1
    bgtz a2, 2b
    addi a1, a1, -1
    bgtz a1, 1b
    CHECK a0, 15000
    CASE 32
    li a0, 18
    call fibonacci
    CHECK a0, 2584

    // One indirect jump with many targets, and one target from many callers.
    CASE 40
    li s0, 0
    li s1, 4000
    li a0, 0
1:  andi t0, s0, 7
    slli t0, t0, 3
    la t1, targets
    add t1, t1, t0
    ld t1, 0(t1)
    jalr ra, t1
    addi s0, s0, 1
    bltu s0, s1, 1b
    CHECK a0, 500 * (1 + 2 + 3 + 5 + 7 + 11 + 13 + 17)
    CASE 41
    li a0, 0
    li s1, 1000
1:  call add_one
    call add_one
    call add_one_twice
    addi s1, s1, -1
    bnez s1, 1b
    CHECK a0, 4000

    // fence in all its operand forms is a no-op for a single hart.
    CASE 50
    li a0, 77
    fence
    fence rw, w
    fence.tso
    fence i, o
    .word 0x0000000f
    .word 0x0ff5050f
    .word 0x0100000f
    CHECK a0, 77
    CHECK zero, 0

    // Hints: instructions that write x0 change nothing.
    CASE 51
    lui zero, 0x12345
    auipc zero, 1
    addi zero, a0, 3
    slti zero, a0, 3
    xor zero, a0, a0
    jal zero, 1f
1:  CHECK zero, 0
TEST_END

fibonacci:
    li t0, 2
    bgeu a0, t0, 1f
    ret
1:  addi sp, sp, -32
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    mv s0, a0
    addi a0, s0, -1
    call fibonacci
    mv s1, a0
    addi a0, s0, -2
    call fibonacci
    add a0, a0, s1
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    addi sp, sp, 32
    ret

add_one_twice:
    mv s3, ra
    call add_one
    mv ra, s3
add_one:
    addi a0, a0, 1
    ret

// Targets on different pages, so that no jump can be resolved once and for all.
    .irp value, 1, 2, 3, 5, 7, 11, 13, 17
    .balign 4096
target_\value:
    addi a0, a0, \value
    ret
    .endr

    .section .rodata
    .balign 8
targets:
    .dword target_1, target_2, target_3, target_5, target_7, target_11, target_13, target_17
