// SPDX-License-Identifier: Apache-2.0
// guest_enter(a0: struct vcpu *): from HS mode into the guest by sret, and back by the next trap,
// which returns from this function. The caller has loaded the guest's CSRs.

#define HOST_SP (32 * 8)

    .text
    .globl guest_enter
    .balign 4
guest_enter:
    // The hypervisor's own registers: only those that a C call preserves.
    addi sp, sp, -128
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    sd s2, 24(sp)
    sd s3, 32(sp)
    sd s4, 40(sp)
    sd s5, 48(sp)
    sd s6, 56(sp)
    sd s7, 64(sp)
    sd s8, 72(sp)
    sd s9, 80(sp)
    sd s10, 88(sp)
    sd s11, 96(sp)
    sd gp, 104(sp)
    sd tp, 112(sp)
    sd sp, HOST_SP(a0)

    // Traps now mean the guest's exits; sscratch finds its state then.
    la t0, guest_exit
    csrw stvec, t0
    csrw sscratch, a0
    ld t0, 0(a0)
    csrw sepc, t0
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
    la t0, hypervisor_trap
    csrw stvec, t0
    ld sp, HOST_SP(a0)
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    ld s2, 24(sp)
    ld s3, 32(sp)
    ld s4, 40(sp)
    ld s5, 48(sp)
    ld s6, 56(sp)
    ld s7, 64(sp)
    ld s8, 72(sp)
    ld s9, 80(sp)
    ld s10, 88(sp)
    ld s11, 96(sp)
    ld gp, 104(sp)
    ld tp, 112(sp)
    addi sp, sp, 128
    ret
