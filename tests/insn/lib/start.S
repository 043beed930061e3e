// SPDX-License-Identifier: Apache-2.0
// Entry, default trap handler and exit paths shared by all instruction tests.
//
// Register convention of the assembly tests (include/test.h):
//   gp   number of the running case, s11  address to resume at after an expected trap (0: none)
//   s8, s9, s10  mcause, mtval and mepc of the expected trap

#include "test.h"

    .section .text.start, "ax"
    .globl _start
_start:
    la t0, trap_entry
    csrw mtvec, t0
    csrr t0, mhartid
    bnez t0, secondary
    li gp, 0
    li s11, 0
    la sp, stack_top
    la t0, bss_start
    la t1, bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  li t0, MSTATUS_FS
    csrs mstatus, t0
    csrw fcsr, zero
    call test_main
    beqz a0, test_pass
    mv gp, a0
    j test_fail

// Other harts run secondary_main(a0: hart) on the lower half of the stack, or sleep.
secondary:
    la sp, stack_top - 32768
    li s11, 0
    csrr a0, mhartid
    call secondary_main
    .weak secondary_main
secondary_main:
    wfi
    j secondary_main

    .text
    .balign 4
    .weak trap_entry
trap_entry:
    beqz s11, unexpected_trap
    csrr s8, mcause
    csrr s9, mtval
    csrr s10, mepc
    csrw mepc, s11
    li s11, 0
    mret

unexpected_trap:
    la a0, text_trap
    call put_string
    csrr a0, mcause
    call put_hex
    csrr a0, mepc
    call put_hex
    csrr a0, mtval
    call put_hex
    j test_fail

// Ends the machine: 0x5555 is sifive_test's pass; tohost=1 is the same word to Spike.
    .globl test_pass
test_pass:
    la t0, spin
    csrw mtvec, t0
    la t0, tohost
    li t1, 1
    sd t1, 0(t0)
    li t0, TEST_DEVICE
    li t1, 0x5555
    sw t1, 0(t0)
    j spin

// Prints the case number in gp and ends the machine with it (at least 1) as exit code.
    .globl test_fail
test_fail:
    la t0, spin
    csrw mtvec, t0
    mv s0, gp
    la a0, text_fail
    call put_string
    mv a0, s0
    call put_hex
    la a0, text_newline
    call put_string
    andi s0, s0, 0x7f
    bnez s0, 1f
    li s0, 1
1:  la t0, tohost
    slli t1, s0, 1
    ori t1, t1, 1
    sd t1, 0(t0)
    slli t1, s0, 16
    li t2, 0x3333
    or t1, t1, t2
    li t0, TEST_DEVICE
    sw t1, 0(t0)
    .balign 4
spin:
    j spin

// a0: zero-terminated text. Clobbers t0-t2.
    .globl put_string
put_string:
    li t0, UART
1:  lbu t1, 0(a0)
    beqz t1, 3f
2:  lbu t2, 5(t0)
    andi t2, t2, 0x20
    beqz t2, 2b
    sb t1, 0(t0)
    addi a0, a0, 1
    j 1b
3:  ret

// a0: a number, printed as a blank and 0x followed by its digits. Clobbers t0-t4.
    .globl put_hex
put_hex:
    li t0, UART
    li t1, ' '
    sb t1, 0(t0)
    li t1, '0'
    sb t1, 0(t0)
    li t1, 'x'
    sb t1, 0(t0)
    li t3, 60
1:  srl t1, a0, t3
    bnez t1, 2f
    addi t3, t3, -4
    bgtz t3, 1b
2:  srl t1, a0, t3
    andi t1, t1, 15
    li t4, 10
    bltu t1, t4, 3f
    addi t1, t1, 'a' - '0' - 10
3:  addi t1, t1, '0'
4:  lbu t2, 5(t0)
    andi t2, t2, 0x20
    beqz t2, 4b
    sb t1, 0(t0)
    addi t3, t3, -4
    bgez t3, 2b
    ret

    .section .rodata
text_trap:    .asciz "unexpected trap: cause, epc, tval ="
text_fail:    .asciz "\nFAIL case"
text_newline: .asciz "\n"
