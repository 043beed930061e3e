# SPDX-License-Identifier: Apache-2.0
# A hypervisor whose guest leaves it in known ways, so often: the exit profile has to name each (traces.py).
# The guest is VMID 5. Of its exits, TIME.set_timer makes the hypervisor call M-mode, and HSM.hart_stop makes it
# run a program in U-mode. LOOPS is how often the guest goes round.
#ifndef LOOPS
#define LOOPS 10
#endif
#define HSTATUS 0x600
#define HGATP 0x680
#define TIME 0x54494d45
#define HSM 0x48534d
#define SRST 0x53525354
#define PTE_ALL 0xdf   // V R W X U A D
#define SPV_VTW 0x200180  // SPV, SPVP, VTW

.globl _start
_start:
  csrr t0, mhartid
  bnez t0, park
  la t0, machine
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  # All but calls of HS, 9, and virtual instructions, 22, which M-mode skips.
  li t0, 0xb3f5ff & ~0x200
  csrw medeleg, t0
  li t0, 0x1800
  csrc mstatus, t0
  li t0, 0x800
  csrs mstatus, t0
  la t0, supervisor
  csrw mepc, t0
  mret

# M-mode has one service, which does nothing.
.balign 4
machine:
  csrrw t3, mepc, t3
  addi t3, t3, 4
  csrrw t3, mepc, t3
  mret

supervisor:
  la t0, hypervisor
  csrw stvec, t0
  # The second GiB of guest physical memory, and that alone, is mapped: where this program is.
  la t0, root
  li t1, (0x80000000 >> 2) | PTE_ALL
  sd t1, 16(t0)
  srli t0, t0, 12
  li t1, (8 << 60) | (5 << 44)
  or t0, t0, t1
  csrw HGATP, t0
  .insn r 0x73, 0, 0x31, x0, x0, x0  # hfence.gvma
  li t0, SPV_VTW
  csrw HSTATUS, t0
  li t0, 0x100
  csrs sstatus, t0
  la t0, guest
  csrw sepc, t0
  sret

# t5 and t6 are the hypervisor's.
.balign 4
hypervisor:
  csrr t5, scause
  li t6, 8
  beq t5, t6, from_user
  li t6, 10
  bne t5, t6, skip
  li t6, TIME
  beq a7, t6, below
  li t6, HSM
  beq a7, t6, above
  li t6, SRST
  bne a7, t6, skip
  li t5, 0x5555
  li t6, 0x100000
  sw t5, (t6)
  j park
below:
  ecall
  j skip
above:
  csrr s10, sepc
  csrr s11, HSTATUS
  csrw HSTATUS, zero
  li t5, 0x100
  csrc sstatus, t5
  la t5, user
  csrw sepc, t5
  sret
from_user:
  csrw HSTATUS, s11
  csrw sepc, s10
  li t5, 0x100
  csrs sstatus, t5
skip:
  csrr t5, sepc
  addi t5, t5, 4
  csrw sepc, t5
  sret

.balign 4
user:
  ecall

.option norvc
.balign 4
.globl guest
guest:
  li s1, LOOPS
1:
  li a7, TIME
  li a6, 0
  ecall
  li a7, HSM
  li a6, 1
  ecall
.globl guest_device
guest_device:
  li a0, 0x10001000
  lw a1, 8(a0)
  lw a1, 12(a0)
  sw a1, 16(a0)
  wfi
  addi s1, s1, -1
  bnez s1, 1b
  li a7, SRST
  li a6, 0
  ecall

park:
  wfi
  j park

.balign 16384
root:
  .zero 16384
