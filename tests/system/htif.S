// SPDX-License-Identifier: Apache-2.0
// A program for the host-target interface: it prints by characters and by a system call, keeps code, data and
// atomics in tohost's page, echoes one character that is typed if it is built with ECHO, and ends with exit
// code VALUE by a store, or by an AMO (HOW is 1) or an LR/SC pair (HOW is 2).

    .section .text
    .globl  _start
_start:
    csrr    t0, mhartid
    bnez    t0, park
    la      s0, tohost
    la      s1, fromhost
    la      s2, text
1:  lbu     t0, 0(s2)
    beqz    t0, 2f
    li      t1, 0x0101 << 48        // device 1, command 1: print
    or      t0, t0, t1
    sd      t0, 0(s0)
    addi    s2, s2, 1
    j       1b

2:  la      t0, call                // a system call: its words, then its address in tohost
    sd      t0, 0(s0)
3:  ld      t1, 0(s1)
    beqz    t1, 3b
    sd      zero, 0(s1)
    ld      t1, 0(t0)
    li      t2, 5                   // bytes written
    li      a0, 101
    bne     t1, t2, end

    la      t0, near                // words beside tohost are words
    li      t1, 40
    sd      t1, 0(t0)
    li      t2, 2
    amoadd.d t3, t2, (t0)
    li      a0, 102
    bne     t3, t1, end
4:  lr.d    t1, (t0)
    addi    t1, t1, 1
    sc.d    t2, t1, (t0)
    bnez    t2, 4b
    ld      t1, 0(t0)
    li      t2, 43
    li      a0, 103
    bne     t1, t2, end
    call    beside                  // and instructions there are instructions, that may be changed
    li      t2, 7
    li      a0, 104
    bne     t1, t2, end
    la      t0, beside
    lw      t1, other
    sw      t1, 0(t0)
    fence.i
    call    beside
    li      t2, 9
    li      a0, 105
    bne     t1, t2, end

#ifdef ECHO
    li      t0, 0x0100 << 48        // device 1, command 0: a character
    sd      t0, 0(s0)
5:  ld      t1, 0(s1)
    beqz    t1, 5b
    sd      zero, 0(s1)
    andi    t1, t1, 0xff
    li      t0, 0x0101 << 48
    or      t0, t0, t1
    sd      t0, 0(s0)
#endif
    li      a0, VALUE
end:
    slli    a0, a0, 1
    ori     a0, a0, 1
#if HOW == 1
    amoswap.d zero, a0, (s0)
#elif HOW == 2
6:  lr.d    t0, (s0)
    sc.d    t0, a0, (s0)
    bnez    t0, 6b
#else
    sw      a0, 0(s0)               // as the architecture's own tests do
    sw      zero, 4(s0)
#endif
park:
    j       park

    .section .data
    .balign 8
text:
    .asciz  "MARK characters\n"
    .balign 4
    .option push
    .option norvc
other:
    li      t1, 9
    .option pop
    .balign 8
call:
    .dword  64, 1, hello, 5, 0, 0, 0, 0
hello:
    .ascii  "call\n"

    .balign 4096
    .globl  tohost, fromhost
tohost:
    .dword  0
near:
    .dword  0
    .balign 64
fromhost:
    .dword  0
    .option norvc
beside:
    li      t1, 7
    ret
    .balign 4096
