// SPDX-License-Identifier: Apache-2.0
// Looks whether the machine is as a reset leaves it, says so, makes everything dirty and resets it: for ever.
// Prints "MARK boot clean", or "MARK boot dirty X" with the letter of the first check below that failed.

    .equ UART, 0x10000000
    .equ PLIC, 0x0c000000
    .equ CLINT, 0x02000000
    .equ TEST, 0x00100000
    .equ RESET, 0x7777

// What is in \value has to be zero.
    .macro  zero letter, value
    li      a1, \letter
    bnez    \value, dirty
    .endm

    .section .text
    .globl  _start
_start:
    li      s0, UART
    li      s1, PLIC
    li      s2, CLINT
    la      s3, word
    li      s4, UART + 1            // the interrupt enables of the UART
    csrr    t0, mhartid
    bnez    t0, park

    lw      t0, 0(s3)               // the image is loaded anew
    zero    'D', t0
    csrr    t0, mstatus
    li      t1, (1 << 3) | (1 << 17)
    and     t0, t0, t1              // MIE, MPRV
    zero    'S', t0
    csrr    t0, pmpcfg2             // a lock ends with a reset only
    zero    'P', t0
    csrr    t0, mcause
    zero    'C', t0
    lbu     t0, 3(s0)               // LCR
    zero    'L', t0
    lbu     t0, 0(s4)               // IER
    zero    'U', t0
    lw      t0, 40(s1)              // the PLIC's priority of source 10
    zero    'I', t0
    li      t1, 0x2000
    add     t1, t1, s1
    lw      t0, 0(t1)               // enables of context 0
    zero    'E', t0
    lw      t0, 0(s2)               // the CLINT's msip of hart 0
    zero    'M', t0
    la      a0, clean
    call    print
    j       spoil

dirty:
    la      a0, dirty_text
    call    print
    sb      a1, 0(s0)
    li      t0, '\n'
    sb      t0, 0(s0)

spoil:
    li      t0, 1
    sw      t0, 0(s3)
    li      t1, (1 << 17) | (3 << 11) // MPRV as machine mode
    csrs    mstatus, t1
    li      t1, 0x80 << 56          // lock entry 15
    csrw    pmpcfg2, t1
    csrw    mcause, 5
    li      t1, 1
    sb      t1, 0(s4)
    sw      t0, 40(s1)
    li      t1, 0x2000
    add     t1, t1, s1
    li      t0, 1 << 10
    sw      t0, 0(t1)
    li      t0, 1
    sw      t0, 0(s2)
    li      t1, 0x1b
    sb      t1, 3(s0)
    li      t0, TEST
    li      t1, RESET
    sw      t1, 0(t0)
park:
    wfi
    j       park

print:
    lbu     t0, 0(a0)
    beqz    t0, 1f
    sb      t0, 0(s0)
    addi    a0, a0, 1
    j       print
1:  ret

    .section .rodata
clean:
    .asciz  "MARK boot clean\n"
dirty_text:
    .asciz  "MARK boot dirty "

    .section .data
    .balign 4
word:
    .word   0
