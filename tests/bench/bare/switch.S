// SPDX-License-Identifier: Apache-2.0
// uint64_t guest_run(a0: struct vcpu *): into the guest by sret, back by its next exit. All 31
// registers change worlds, as in any hypervisor. Returns scause.

#define HOST_SP (32 * 8)

    .text
    .globl guest_run
    .balign 4
guest_run:
    la a1, guest_exit
enter:
    addi sp, sp, -128
    sd ra, 0(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    sd s\n, 8 + 8 * \n(sp)
    .endr
    sd gp, 104(sp)
    sd tp, 112(sp)
    sd sp, HOST_SP(a0)
    csrw stvec, a1
    csrw sscratch, a0
    ld t0, 0(a0)
    csrw sepc, t0
    // hstatus.SPV and sstatus.SPP: sret enters VS mode.
    li t0, 0x180
    csrs 0x600, t0
    li t0, 0x100
    csrs sstatus, t0
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, \n * 8(a0)
    .endr
    ld a0, 10 * 8(a0)
    sret

    .balign 4
guest_exit:
    csrrw a0, sscratch, a0
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, \n * 8(a0)
    .endr
    csrr t0, sscratch
    sd t0, 10 * 8(a0)
    csrr t0, sepc
    sd t0, 0(a0)
    la t0, host_trap
    csrw stvec, t0
    ld sp, HOST_SP(a0)
    ld ra, 0(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    ld s\n, 8 + 8 * \n(sp)
    .endr
    ld gp, 104(sp)
    ld tp, 112(sp)
    addi sp, sp, 128
    csrr a0, scause
    ret

// guest_run for guests that make calls with a7 = 0: those are answered at once by means of t0 alone,
// the least that an exit can cost. Such guests keep nothing in t0.
    .globl guest_run_calls
guest_run_calls:
    la a1, answer_call
    j enter

    .balign 4
answer_call:
    bnez a7, guest_exit
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    sret
