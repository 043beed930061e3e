// SPDX-License-Identifier: Apache-2.0
// From M mode to HS mode, accesses that may trap, and the guest.

#define SAVED_BYTES 112

    .text
    .globl enter_hypervisor
enter_hypervisor:
    csrw mepc, a0
    li t0, 3 << 11
    csrc mstatus, t0
    li t0, 1 << 11
    csrs mstatus, t0
    mret

// The accesses: a trap in them answers -1.
probes_begin:
    .globl probe_load
probe_load:
    ld a0, 0(a0)
    ret
    .globl probe_store
probe_store:
    sd a1, 0(a0)
    li a0, 0
    ret
    .globl probe_hlv
probe_hlv:
    .insn r 0x73, 4, 0x36, a0, a0, x0   // hlv.d a0, (a0)
    ret
probes_end:

.macro saved op
    \op ra, 0(sp)
    \op s0, 8(sp)
    \op s1, 16(sp)
    \op s2, 24(sp)
    \op s3, 32(sp)
    \op s4, 40(sp)
    \op s5, 48(sp)
    \op s6, 56(sp)
    \op s7, 64(sp)
    \op s8, 72(sp)
    \op s9, 80(sp)
    \op s10, 88(sp)
    \op s11, 96(sp)
    \op gp, 104(sp)
.endm

    .globl guest_run
guest_run:
    addi sp, sp, -SAVED_BYTES
    saved sd
    csrw sscratch, sp
    csrw sepc, a0
    mv a0, a1
    mv a1, a2
    mv a2, a3
    li t0, 1 << 8             // SPP
    csrs sstatus, t0
    li t0, 1 << 8 | 1 << 7    // SPVP, SPV
    csrs 0x600, t0
    sret

    .balign 4
    .globl hypervisor_trap
hypervisor_trap:
    csrr t0, 0x600
    andi t0, t0, 1 << 7
    bnez t0, 2f
    csrr t0, sepc
    la t1, probes_begin
    la t2, probes_end
    bltu t0, t1, 1f
    bgeu t0, t2, 1f
    li a0, -1
    csrw sepc, ra
    sret
1:  csrr a0, scause           // a defect of this program
    csrr a1, sepc
    csrr a2, stval
    j unexpected
2:  csrr t0, scause           // from the guest
    li t1, 10
    beq t0, t1, 3f
    li a0, -1
3:  csrr sp, sscratch
    saved ld
    addi sp, sp, SAVED_BYTES
    ret

// The guest, in VS mode.
    .globl guest_load, guest_store, guest_remap, guest_remap_bare, guest_call, guest_call_bare
guest_load:
    ld a0, 0(a0)
    ecall
guest_store:
    sd a1, 0(a0)
    li a0, 0
    ecall
guest_remap:
    sd a2, 0(a1)
    li t0, 7                  // GUEST_ASID
    sfence.vma a0, t0
    ld a0, 0(a0)
    ecall
guest_remap_bare:
    sd a2, 0(a1)
    ld a0, 0(a0)
    ecall
guest_call:
    fence.i
guest_call_bare:
    jalr a0
    ecall
