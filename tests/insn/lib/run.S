// SPDX-License-Identifier: Apache-2.0
// run(a0: mode, a1: code, a2-a5: its a0-a3) and the trap handlers of the privileged tests.
// `trap` is written by whichever handler takes the first trap; every handler then goes up to M mode
// by a call marked with EXIT_UP in a7, which ends the run.

#include "registers.h"

#define EXIT_MARK 0x7e57
#define EXIT_UP 0x7e58
#define MSTATUS 0x300
#define HSTATUS 0x600
#define MPP (3 << 11)
#define MPRV (1 << 17)

// Offsets in struct trap.
#define BY 0
#define CAUSE 8
#define EPC 16
#define TVAL 24
#define TVAL2 32
#define TINST 40
#define STATUS 48
#define HSTATUS_AT 56
#define A0 64
#define A1 72
#define START 80

    .text
    .globl run
    .balign 4
run:
    addi sp, sp, -128
    preserved sd
    csrw mscratch, sp

    la t0, trap
    sd zero, BY(t0)
    li t1, -1
    sd t1, CAUSE(t0)
    sd zero, TVAL2(t0)
    sd zero, TINST(t0)
    sd zero, HSTATUS_AT(t0)

    // User code runs at its alias when the first stage is on.
    li t1, 0
    beqz a0, user
    li t2, 4
    bne a0, t2, 2f
    csrr t1, 0x280
    j 1f
user:
    csrr t1, 0x180
1:  beqz t1, 2f
    li t1, 1
    slli t1, t1, 32
    add a1, a1, t1
2:  sd a1, START(t0)
    csrw mepc, a1

    li t1, MPP
    csrc MSTATUS, t1
    li t1, 1
    slli t1, t1, 39
    csrc MSTATUS, t1
    andi t2, a0, 4
    beqz t2, 3f
    csrs MSTATUS, t1
3:  andi t2, a0, 3
    slli t2, t2, 11
    csrs MSTATUS, t2
    mv a0, a2
    mv a1, a3
    mv a2, a4
    mv a3, a5
    li a7, 0
    mret

    .globl m_trap
    .balign 4
m_trap:
    csrrw sp, mscratch, sp
    beqz sp, lost
    // The handler's own accesses must not be translated by a MPRV that the test set.
    sd t0, 104(sp)
    li t0, MPRV
    csrc MSTATUS, t0
    la t0, trap
    sd a0, A0(t0)
    sd a1, A1(t0)
    li t1, EXIT_UP
    beq a7, t1, done
    csrr t2, mcause
    li t1, EXIT_MARK
    bne a7, t1, record
    // ecall from U, S, VS or M: causes 8 to 11.
    addi t2, t2, -8
    sltiu t2, t2, 4
    bnez t2, done
record:
    li t1, 1
    sd t1, BY(t0)
    csrr t1, mcause
    sd t1, CAUSE(t0)
    csrr t1, mepc
    sd t1, EPC(t0)
    csrr t1, mtval
    sd t1, TVAL(t0)
    csrr t1, 0x34b
    sd t1, TVAL2(t0)
    csrr t1, 0x34a
    sd t1, TINST(t0)
    csrr t1, MSTATUS
    sd t1, STATUS(t0)
done:
    csrw mscratch, zero
    preserved ld
    addi sp, sp, 128
    ret

// A trap in the test program itself.
lost:
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    la sp, stack_top
    call lost_in_m
1:  j 1b

// What both supervisors note of a trap, their number as well; `exit`: where it was the run's end by an ecall
// (causes 8 to 11). t0: struct trap, t2: the cause.
.macro record_unless_exit by, exit
    la t0, trap
    csrr t2, scause
    li t1, EXIT_MARK
    bne a7, t1, 1f
    addi t1, t2, -8
    sltiu t1, t1, 4
    bnez t1, \exit
1:  li t1, \by
    sd t1, BY(t0)
    sd t2, CAUSE(t0)
    csrr t1, sepc
    sd t1, EPC(t0)
    csrr t1, stval
    sd t1, TVAL(t0)
    csrr t1, sstatus
    sd t1, STATUS(t0)
.endm

// Taken in HS mode.
    .globl hs_trap
    .balign 4
hs_trap:
    record_unless_exit 2, 2f
    csrr t1, 0x643
    sd t1, TVAL2(t0)
    csrr t1, 0x64a
    sd t1, TINST(t0)
    csrr t1, HSTATUS
    sd t1, HSTATUS_AT(t0)
2:  li a7, EXIT_UP
    // An ecall from HS mode that is delegated would come back here; a machine CSR does not.
    li t1, 9
    beq t2, t1, 3f
    ecall
3:  csrr t1, mscratch

// Taken in VS mode.
    .globl vs_trap
    .balign 4
vs_trap:
    record_unless_exit 3, 2f
2:  li a7, EXIT_UP
    ecall
