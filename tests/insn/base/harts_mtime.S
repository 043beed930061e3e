// SPDX-License-Identifier: Apache-2.0
// mtime is the time of all harts: a hart that writes it wakes and interrupts the other. Needs -smp 2.

#include "test.h"

#define MTIME 0x200bff8
#define MTIMECMP1 0x2004008
#define FAR 1000000000000
#define MTI 0x80
#define STI 0x20

// Hart 0, `number`: waits until hart 1 is as good as asleep, sets the time, waits for the answer.
    .macro MOVE number, time
    BARRIER \number
    li s3, 20000
1:  addi s3, s3, -1
    bnez s3, 1b
    li t0, MTIME
    li t1, \time
    sd t1, 0(t0)
    BARRIER \number + 1
    .endm

// Hart 1: passes the barrier with interrupts on; what follows up to TAKEN lasts until the supervisor timer's.
    .macro INTERRUPTED_AT number
    la t0, 78f
    csrw mtvec, t0
    csrsi mstatus, 8
    BARRIER \number
    .endm
    .macro TAKEN
    .balign 4
78: csrr t0, mcause
    CHECK t0, 0x8000000000000005
    .endm

TEST_MAIN
    CASE 1
    MOVE 1, FAR
    CASE 2
    MOVE 3, 2 * FAR
    CASE 3
    MOVE 5, 3 * FAR
    CASE 4
    MOVE 7, 0
    CASE 5
    MOVE 9, 3 * FAR - 500
TEST_END

    .globl secondary_main
secondary_main:
    li gp, 100
    li t0, 1
    slli t0, t0, 63
    csrs 0x30a, t0         // menvcfg.STCE
    li s2, FAR
    li s3, -1
    csrw 0x14d, s3         // stimecmp
    li t0, MTI | STI
    csrw mie, t0
    // Asleep until mtimecmp.
    li t0, MTIMECMP1
    sd s2, 0(t0)
    BARRIER 1
1:  wfi
    csrr t0, mip
    andi t0, t0, MTI
    beqz t0, 1b
    li t0, MTIMECMP1
    sd s3, 0(t0)
    BARRIER 2
    // Asleep until stimecmp.
    li s2, 2 * FAR
    csrw 0x14d, s2
    BARRIER 3
1:  wfi
    csrr t0, mip
    andi t0, t0, STI
    beqz t0, 1b
    BARRIER 4
    // At work.
    li s2, 3 * FAR
    csrw 0x14d, s2
    INTERRUPTED_AT 5
1:  j 1b
    TAKEN
    BARRIER 6
    // What is due is not any more, in the end.
    BARRIER 7
1:  csrr t0, mip
    andi t0, t0, STI
    bnez t0, 1b
    BARRIER 8
    // Armed, and near all of a sudden.
    INTERRUPTED_AT 9
1:  wfi
    j 1b
    TAKEN
    csrw mie, zero
    BARRIER 10
1:  wfi
    j 1b

    .data
    .balign 64
barrier: .dword 0
