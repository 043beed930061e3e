// SPDX-License-Identifier: Apache-2.0
// Ends the machine by the test device with the word VALUE: 0x5555 passes, 0xNNNN3333 fails with exit code NNNN.

    .section .text
    .globl  _start
_start:
    csrr    t0, mhartid
    bnez    t0, park
    la      a0, text
    li      s0, 0x10000000
1:  lbu     t0, 0(a0)
    beqz    t0, 2f
    sb      t0, 0(s0)
    addi    a0, a0, 1
    j       1b
2:  li      t0, 0x100000
    li      t1, VALUE
    sw      t1, 0(t0)
park:
    wfi
    j       park

    .section .rodata
text:
    .asciz  "MARK exit\n"
