// SPDX-License-Identifier: Apache-2.0
// For insight.py: a guest of VMID 3 that waits for a software interrupt, which is pending and not enabled. Both stages
// map the gigabyte at 0x80000000 to itself.
  .globl _start
_start:
  csrr t0, mhartid
  bnez t0, park
  csrw 0x30a, zero  // menvcfg
  li t0, -1
  srli t0, t0, 10
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  la t0, guest_root
  li t1, 0x200000df  // 0x80000000 >> 2, V R W X U A D
  sd t1, 16(t0)
  srli t0, t0, 12
  li t1, (8 << 60) | (3 << 44)
  or t0, t0, t1
  csrw 0x680, t0  // hgatp
  la t0, root
  li t1, 0x200000cf  // V R W X A D
  sd t1, 16(t0)
  srli t0, t0, 12
  li t1, (8 << 60) | (7 << 44)
  or t0, t0, t1
  csrw 0x280, t0  // vsatp
  li t0, 4
  csrw 0x603, t0  // hideleg: VSSI
  csrw 0x645, t0  // hvip
  li t0, (1 << 39) | (1 << 11)  // MPV, MPP=S
  csrs mstatus, t0
  la t0, guest
  csrw mepc, t0
  li a0, 0x1234
  mret
guest:
guest_waits:
  wfi
  j guest_waits
park:
  wfi
  j park

  .bss
  .align 14
guest_root:
  .skip 16384
root:
  .skip 4096
