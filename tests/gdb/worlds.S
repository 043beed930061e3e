// SPDX-License-Identifier: Apache-2.0
// A firmware (M), a hypervisor (HS), its guest's kernel (VS) and two processes (VU), for gdb to find its way
// through. Each hart goes round for ever: two guests take turns, by VMID 3 and 4; in each, two processes take
// turns, by ASID 1 and 2, at the same addresses.
//
//   guest virtual            guest physical  physical
//   0x80000000 kernel        0x80000000      0x80000000
//   0x40000000 processes     0x80000000      0x80000000
//   0xc0000000 another view  0x40000000      0x80000000, of VMID 3 alone

#define SATP_SV39 (8 << 60)
#define FIRST_VMID 3
// V R W X A D, and U; the page number of 0x80000000 and 0x40000000 as leaves of 1 GiB.
#define LEAF_KERNEL 0xcf
#define LEAF_USER 0xdf
#define AT_80000000 (0x80000 << 10)
#define AT_40000000 (0x40000 << 10)

#define CAUSE_VU_CALL 8

  .option norelax

  .option nopic
  .text
  .globl _start, m_start, m_vector, m_return
_start:
m_start:
  la t0, m_vector
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  // All but calls of the hypervisor is the hypervisor's.
  li t0, ~(1 << 9)
  csrw medeleg, t0
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, 1 << 11
  csrs mstatus, t0
  csrr tp, mhartid
  la t0, hs_start
  csrw mepc, t0
  mret

  .balign 4
m_vector:
  csrw mscratch, t0
  csrr t0, mepc
  addi t0, t0, 4
  csrw mepc, t0
  csrr t0, mscratch
m_return:
  mret

  .globl hs_start, hs_paging, hs_call, hs_called, hs_enter, hs_vector, hs_return
hs_start:
  la t0, hs_vector
  csrw stvec, t0
  la t0, hs_root
  srli t0, t0, 12
  li t1, SATP_SV39
  or t0, t0, t1
  csrw satp, t0
hs_paging:
  sfence.vma
  li s0, FIRST_VMID
  // Calls of processes are the guest's kernel's.
  li t0, 1 << CAUSE_VU_CALL
  csrw hedeleg, t0
hs_call:
  ecall
hs_called:
  nop

// Enters the guest of VMID s0 at its kernel's start.
hs_enter:
  la t0, g_root_3
  li t1, FIRST_VMID
  beq s0, t1, 1f
  la t0, g_root_4
1:
  srli t0, t0, 12
  slli t1, s0, 44
  or t0, t0, t1
  li t1, SATP_SV39
  or t0, t0, t1
  csrw hgatp, t0
  csrw vsatp, zero
  li t0, 3 << 7  // SPV, SPVP
  csrs hstatus, t0
  li t0, 1 << 8  // SPP
  csrs sstatus, t0
  la t0, vs_start
  csrw sepc, t0
hs_return:
  sret

  .balign 4
hs_vector:
  // It is the guest's call: the other one's turn.
  li t0, 2 * FIRST_VMID + 1
  sub s0, t0, s0
  j hs_call

  .globl vs_start, vs_paging, vs_vector, vs_counted, vs_call
vs_start:
  la t0, vs_vector
  csrw stvec, t0
  li s1, 1
vs_run:
  la t0, vs_root
  srli t0, t0, 12
  slli t1, s1, 44
  or t0, t0, t1
  li t1, SATP_SV39
  or t0, t0, t1
  csrw satp, t0
vs_paging:
  sfence.vma
  li t0, 1 << 8  // SPP: U
  csrc sstatus, t0
  la t0, user_start
  li t1, 0x40000000
  sub t0, t0, t1
  csrw sepc, t0
  sret

  .balign 4
vs_vector:
  la t0, vs_count
  li t1, 1
  amoadd.d zero, t1, (t0)
vs_counted:
  csrr t1, sscratch
  la t0, vs_seen
  sd t1, (t0)
  addi s1, s1, 1
  li t0, 3
  blt s1, t0, vs_run
vs_call:
  ecall

// Runs at its address less 0x40000000.
  .balign 4
  .globl user_start, user_call
user_start:
  addi a0, a0, 1
user_call:
  ecall

  .data
  .balign 4096
  .globl hs_root, vs_root, secret, vs_count, vs_seen
hs_root:
  .quad 0, 0, AT_80000000 | LEAF_KERNEL
  .fill 509, 8, 0
vs_root:
  .quad 0, AT_80000000 | LEAF_USER, AT_80000000 | LEAF_KERNEL, AT_40000000 | LEAF_KERNEL
  .fill 508, 8, 0
  .balign 16384
g_root_3:
  .quad 0, AT_80000000 | LEAF_USER, AT_80000000 | LEAF_USER
  .fill 2045, 8, 0
g_root_4:
  .quad 0, 0, AT_80000000 | LEAF_USER
  .fill 2045, 8, 0
vs_count:
  .quad 0
vs_seen:
  .quad 0
secret:
  .quad 0x5ec4e7
