// SPDX-License-Identifier: Apache-2.0
// Leaves a signature as architecture tests do and ends by the host-target interface.

    .section .text
    .globl  _start
_start:
    la      t0, begin_signature
    li      t1, 0x11223344
    sw      t1, 0(t0)
    li      t1, 0x55667788
    sw      t1, 4(t0)
    la      t0, tohost
    li      t1, 1
1:  sd      t1, 0(t0)
    j       1b

    .section .data
    .balign 16
    .globl  begin_signature, end_signature, tohost, fromhost
begin_signature:
    .word   0xdeadbeef, 0xdeadbeef, 0x99aabbcc
end_signature:
    .balign 64
tohost:
    .dword  0
fromhost:
    .dword  0
