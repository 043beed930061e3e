// SPDX-License-Identifier: Apache-2.0
// Chaos: harts that run random code in all modes below machine mode, under page tables of both stages that change while
// they are walked, among devices. This program alone is not random: each trap to machine mode, a timer's at the latest,
// draws another mode, place, registers and CSRs. Hart 0 ends the machine after as many draws as blob.py was told. What
// the guest does is of no interest; that the emulator lives is.
//
// Layout of the blob (blob.py): seed, draws, then by offset.

    .equ BLOB, 0x81000000
    .equ POOL, 0x1000               // 512 values for registers
    .equ TABLES, 0x100000           // 16 pages of roots, then 16 of middle levels and 16 of leaves
    .equ CODE, 0x200000             // 256 KiB
    .equ CODE_MASK, 0x3fffe
    .equ CLINT, 0x02000000
    .equ MTIMECMP, CLINT + 0x4000
    .equ MTIME, CLINT + 0xbff8
    .equ TEST, 0x00100000

// The state of a hart, by mscratch.
    .equ RANDOM, 0
    .equ LEFT, 8
    .equ STATE_BYTES, 64

// The next random number, in \to; changes t6.
    .macro  draw to
    slli    t6, s0, 13
    xor     s0, s0, t6
    srli    t6, s0, 7
    xor     s0, s0, t6
    slli    t6, s0, 17
    xor     s0, s0, t6
    mv      \to, s0
    .endm

// Goes to \where except once in \n, a power of two.
    .macro  seldom n, where
    draw    t0
    srli    t0, t0, 20
    andi    t0, t0, \n - 1
    bnez    t0, \where
    .endm

    .macro  random_csr name
    draw    t0
    csrw    \name, t0
    .endm

// A root of \align pages for an address-translation register.
    .macro  random_root name, mask
    draw    t0
    srli    t1, t0, 8
    li      t2, \mask
    and     t1, t1, t2              // which page
    li      t2, (BLOB + TABLES) >> 12
    add     t1, t1, t2
    andi    t2, t0, 3               // an ID
    slli    t2, t2, 44
    or      t1, t1, t2
    andi    t2, t0, 4               // bare or Sv39
    slli    t2, t2, 61
    or      t1, t1, t2
    csrw    \name, t1
    .endm

    .section .text
    .globl  _start
_start:
    li      s1, BLOB
    csrr    s2, mhartid
    la      sp, states
    slli    t0, s2, 6
    add     sp, sp, t0
    csrw    mscratch, sp
    ld      s0, 0(s1)               // the seed; each hart's own
    addi    t0, s2, 1
    slli    t0, t0, 32
    add     s0, s0, t0
    sd      s0, RANDOM(sp)
    ld      t0, 8(s1)
    sd      t0, LEFT(sp)
    la      t0, trap
    csrw    mtvec, t0
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0x1f
    csrw    pmpcfg0, t0
    j       next

    .align  2
trap:
    csrr    sp, mscratch
    ld      s0, RANDOM(sp)
    csrr    s2, mhartid
    li      s1, BLOB
next:
    li      t0, 3 << 13             // FS; MPRV and MIE off
    csrw    mstatus, t0
    ld      t0, LEFT(sp)
    addi    t0, t0, -1
    sd      t0, LEFT(sp)
    bgtz    t0, 1f
    bnez    s2, 1f
    li      t0, TEST
    li      t1, 0x5555
    sw      t1, 0(t0)
1:  li      t0, CLINT               // no software interrupt of our own, the timer soon
    slli    t1, s2, 2
    add     t0, t0, t1
    sw      zero, 0(t0)
    li      t0, MTIME
    ld      t1, 0(t0)
    draw    t2
    andi    t2, t2, 0x1ff
    addi    t2, t2, 50
    add     t1, t1, t2
    li      t0, MTIMECMP
    slli    t2, s2, 3
    add     t0, t0, t2
    sd      t1, 0(t0)

    seldom  4, 2f
    random_csr medeleg
    random_csr mideleg
    random_csr hedeleg
    random_csr hideleg
    random_csr menvcfg
    random_csr henvcfg
    random_csr senvcfg
    random_csr mcounteren
    random_csr hcounteren
    random_csr scounteren
    random_csr hstatus
    random_csr vsstatus
    random_csr htimedelta
    random_csr hvip
    random_csr mip
2:  seldom  4, 3f
    random_root satp, 15
    random_root vsatp, 15
    random_root hgatp, 12
3:  seldom  4, 4f                   // an entry of a table becomes another's, or has a bit flipped
    li      t1, BLOB + TABLES
    li      t2, 0x2fff8
    draw    t0
    and     t3, t0, t2
    srli    t0, t0, 24
    and     t4, t0, t2
    add     t3, t3, t1
    add     t4, t4, t1
    ld      t4, 0(t4)
    li      t5, 1
    sll     t5, t5, t0
    xor     t4, t4, t5
    sd      t4, 0(t3)
4:  seldom  8, 5f                   // code that another hart may be running
    draw    t1
    li      t2, CODE_MASK & ~2
    and     t1, t1, t2
    li      t2, BLOB + CODE
    add     t1, t1, t2
    draw    t2
    sw      t2, 0(t1)
    fence.i
5:  seldom  4, 6f
    draw    t1
    draw    t2
    sfence.vma t1, t2
    sfence.vma
    .insn r 0x73, 0, 0x31, x0, t1, t2 // hfence.gvma
    .insn r 0x73, 0, 0x11, x0, x0, t2 // hfence.vvma
6:  seldom  8, 7f                   // a device
    la      t1, devices
    draw    t0
    andi    t2, t0, 15
    slli    t2, t2, 3
    add     t1, t1, t2
    ld      t1, 0(t1)
    srli    t2, t0, 16
    li      t3, 0xffc
    and     t2, t2, t3
    add     t1, t1, t2
    sd      s0, RANDOM(sp)          // an access fault comes back by `trap`
    lw      t2, 0(t1)
    sw      t0, 0(t1)

7:  draw    t0
    csrw    mie, t0
    li      t1, 1 << 7
    csrs    mie, t1
    li      t1, 0x780000 | 3 << 13 | 0xa0 // MXR TVM TW TSR, FS, MPIE and SPIE
    or      t1, t1, t0
    li      t2, ~(3 << 11 | 1 << 17 | 1 << 3)
    and     t1, t1, t2              // to U at first, nothing of MPRV and MIE
    li      t2, 1 << 11
    and     t2, t2, s0              // or to S
    or      t1, t1, t2
    li      t3, 3 << 13             // FP most of the time
    or      t1, t1, t3
    csrw    mstatus, t1
    draw    t1
    li      t2, CODE_MASK
    and     t1, t1, t2
    li      t3, BLOB + CODE
    add     t1, t1, t3
    csrw    mepc, t1
    draw    t1
    and     t1, t1, t2
    add     t1, t1, t3
    csrw    stvec, t1
    csrw    vstvec, t1
    csrw    sepc, t1
    csrw    vsepc, t1
    draw    t0
    sd      s0, RANDOM(sp)
    andi    t0, t0, 0x7f8           // where in the pool
    li      t1, BLOB + POOL
    add     t1, t1, t0
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    fld     f\n, 8 * \n(t1)
    .endr
    mv      x31, t1
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    ld      x\n, 8 * \n(x31)
    .endr
    .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    ld      x\n, 8 * \n(x31)
    .endr
    ld      x31, 248(x31)
    mret

    .align  3
devices:                            // not the test device, nor what would take a hart its timer
    .dword  0x00101000, 0x02000000, 0x0c201000, 0x0c000000
    .dword  0x0c002000, 0x0c200000, 0x0d000000, 0x10000000
    .dword  0x10001000, 0x10007000, 0x10008000, 0x10100000
    .dword  0x20000000, 0x24000000, 0x28000000, 0x30000000

    .bss
    .align  6
states:
    .space  STATE_BYTES * 8
