// SPDX-License-Identifier: Apache-2.0
// Assembly macros that move groups of registers: `op` is sd or ld.

// What a C call preserves, sp, gp and tp aside: 13 words from sp.
.macro preserved op
    \op ra, 0(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    \op s\n, 8 + 8 * \n(sp)
    .endr
.endm

// What a C call may destroy, a0 aside: 15 words from sp.
.macro destroyed op
    \op ra, 0(sp)
    .irp n, 0,1,2,3,4,5,6
    \op t\n, 8 + 8 * \n(sp)
    .endr
    .irp n, 1,2,3,4,5,6,7
    \op a\n, 56 + 8 * \n(sp)
    .endr
.endm

// Into a hypervisor's frame: what it needs to go on after the guest; from there back to the caller.
#define HOST_FRAME 128
.macro host op
    preserved \op
    \op gp, 104(sp)
    \op tp, 112(sp)
.endm

// The guest's registers, a0 aside, in the vcpu that a0 points to: word n is xn, word 0 the pc.
.macro guest op
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op x\n, \n * 8(a0)
    .endr
.endm

// From HS mode into the guest whose vcpu a0 is; its next trap goes to stvec, with the vcpu in sscratch.
.macro enter_guest
    csrw sscratch, a0
    ld t0, 0(a0)
    csrw sepc, t0
    guest ld
    ld a0, 10 * 8(a0)
    sret
.endm

// The first thing after that trap: all of the guest's registers into the vcpu, which a0 is again.
.macro leave_guest
    csrrw a0, sscratch, a0
    guest sd
    csrr t0, sscratch
    sd t0, 10 * 8(a0)
    csrr t0, sepc
    sd t0, 0(a0)
.endm
