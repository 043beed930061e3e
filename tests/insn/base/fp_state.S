// SPDX-License-Identifier: Apache-2.0
// Floating-point state: loads, stores and moves with NaN boxing, fcsr and its parts, dynamic and
// reserved rounding modes, sticky flags, and mstatus.FS/SD.

#include "test.h"

#define FS_MASK 0x6000
#define FS_INITIAL 0x2000
#define FS_CLEAN 0x4000

// Runs one instruction with FS=Clean and checks that FS is Dirty and SD set afterwards.
    .macro TEST_DIRTIES number, insn:vararg
    CASE \number
    li a0, FS_MASK
    csrc mstatus, a0
    li a0, FS_CLEAN
    csrs mstatus, a0
    csrr a1, mstatus
    bltz a1, 9f
    la a2, data
    li a3, 3
    \insn
    csrr a1, mstatus
    bgez a1, 9f
    srli a1, a1, 13
    andi a1, a1, 3
    li a2, 3
    beq a1, a2, 8f
9:  j test_fail
8:
    .endm

// The instruction is illegal while FS is Off, whatever it touches.
    .macro TEST_OFF number, insn:vararg
    CASE \number
    la a2, data
    EXPECT_TRAP
    \insn
    TRAPPED 2
    .endm

// A static or dynamic rounding mode that is reserved.
    .macro TEST_ILLEGAL number, insn:vararg
    CASE \number
    EXPECT_TRAP
    \insn
    TRAPPED 2
    .endm

TEST_MAIN
    la a2, data
    // Loads and stores.
    CASE 1
    flw fa0, 0(a2)
    fmv.x.d a0, fa0
    CHECK a0, 0xffffffff3f800000
    flw ft11, 4(a2)
    fmv.x.d a0, ft11
    CHECK a0, 0xffffffffbf800001
    CASE 2
    fld fs3, 8(a2)
    fmv.x.d a0, fs3
    CHECK a0, 0x400921fb54442d18
    CASE 3
    la a3, cell
    li a0, -1
    sd a0, 0(a3)
    fsw fs3, 0(a3)
    ld a0, 0(a3)
    CHECK a0, 0xffffffff54442d18
    fsd fs3, 0(a3)
    ld a0, 0(a3)
    CHECK a0, 0x400921fb54442d18
    fsd fa0, -8(a3)
    ld a0, -8(a3)
    CHECK a0, 0xffffffff3f800000
    CASE 4
    li a0, 0x123456783f000000
    fmv.w.x fs4, a0
    fmv.x.d a1, fs4
    CHECK a1, 0xffffffff3f000000
    fmv.d.x fs4, a0
    fmv.x.d a1, fs4
    CHECK a1, 0x123456783f000000
    fmv.x.w a1, fs4
    CHECK a1, 0x3f000000
    CASE 5
    // fmv.x.w and fsw move bits, boxed or not; fmv keeps signaling NaNs as they are.
    li a0, 0x00000000ff800001
    fmv.d.x fa1, a0
    fmv.x.w a1, fa1
    CHECK a1, 0xffffffffff800001
    fsw fa1, 0(a3)
    lwu a1, 0(a3)
    CHECK a1, 0xff800001
    csrr a1, fflags
    CHECK a1, 0
    // f0 is an ordinary register.
    CASE 6
    li a0, 0x4000000000000000
    fmv.d.x ft0, a0
    fmv.x.d a1, ft0
    CHECK a1, 0x4000000000000000

    // fcsr: frm and fflags are its fields, other bits read zero.
    CASE 10
    li a0, -1
    csrw fcsr, a0
    csrr a1, fcsr
    CHECK a1, 0xff
    csrr a1, frm
    CHECK a1, 7
    csrr a1, fflags
    CHECK a1, 31
    CASE 11
    csrwi frm, 2
    csrwi fflags, 5
    csrr a1, fcsr
    CHECK a1, 0x45
    csrrwi a1, fcsr, 0
    CHECK a1, 0x45
    csrr a1, frm
    CHECK a1, 0
    CASE 12
    li a0, 0xffffffffffffff28
    csrw frm, a0
    csrr a1, fcsr
    CHECK a1, 0
    li a0, 0x100
    csrs fflags, a0
    csrr a1, fcsr
    CHECK a1, 0
    // Flags accumulate over operations and a CSR read between them.
    CASE 13
    csrw fcsr, zero
    fld fa0, 8(a2)
    fmv.d.x fa1, zero
    fdiv.d fa2, fa0, fa0
    csrr a1, fflags
    CHECK a1, 0
    fdiv.d fa2, fa0, fa1
    csrr a1, fflags
    CHECK a1, 8
    fadd.d fa2, fa0, fa0
    fmul.d fa2, fa0, fa0
    fdiv.d fa2, fa1, fa1
    csrr a1, fcsr
    CHECK a1, 0x19
    csrrci a1, fflags, 0x10
    CHECK a1, 0x19
    csrr a1, fflags
    CHECK a1, 9
    csrrsi a1, fflags, 4
    csrr a1, fflags
    CHECK a1, 13
    // The dynamic mode follows frm at once.
    CASE 14
    csrw fcsr, zero
    li a0, 0x3ff0000000000000
    fmv.d.x fa0, a0
    li a0, 0x3ca0000000000000
    fmv.d.x fa1, a0
    fadd.d fa2, fa0, fa1
    csrwi frm, 3
    fadd.d fa3, fa0, fa1
    csrwi frm, 0
    fadd.d fa4, fa0, fa1
    fmv.x.d a0, fa2
    CHECK a0, 0x3ff0000000000000
    fmv.x.d a0, fa3
    CHECK a0, 0x3ff0000000000001
    fmv.x.d a0, fa4
    CHECK a0, 0x3ff0000000000000
    // The same in a loop, where a translation is reused under another mode.
    CASE 15
    li s0, 0
    li s1, 0x3ff0000000000000
1:  csrw frm, s0
    fadd.d fa2, fa0, fa1
    fmv.x.d a0, fa2
    li t0, 3
    sub t0, s0, t0
    seqz t0, t0
    li t1, 4
    sub t1, s0, t1
    seqz t1, t1
    or t0, t0, t1
    add t0, t0, s1
    CHECK_REGS a0, t0
    addi s0, s0, 1
    li t0, 5
    bltu s0, t0, 1b
    csrw fcsr, zero

    // Reserved rounding modes: static 5 and 6 always, dynamic with frm 5 to 7 (chapter F).
    TEST_ILLEGAL 20, .word 0x02b55553                    // fadd.d fa0, fa0, fa1 with rm=5
    TEST_ILLEGAL 21, .word 0x02b56553                    // rm=6
    TEST_ILLEGAL 22, .word 0x00b55553                    // fadd.s rm=5
    TEST_ILLEGAL 23, .word 0xc2056553                    // fcvt.w.d rm=6
    .irp mode, 5, 6, 7
    csrwi frm, \mode
    TEST_ILLEGAL 24 + \mode, fadd.d fa0, fa0, fa1, dyn
    TEST_ILLEGAL 34 + \mode, fsqrt.s fa0, fa0, dyn
    TEST_ILLEGAL 44 + \mode, fcvt.l.d a0, fa0, dyn
    TEST_ILLEGAL 54 + \mode, fmadd.s fa0, fa0, fa0, fa0, dyn
    // What does not round is not affected.
    CASE 64 + \mode
    fadd.d fa2, fa0, fa1, rtz
    fmin.d fa2, fa0, fa1
    fsgnj.d fa2, fa0, fa1
    feq.d a0, fa0, fa0
    CHECK a0, 1
    .endr
    csrw fcsr, zero
    // Reserved encodings: a nonexistent format, fsgnj with funct3=3, fmv with funct3=2,
    // a nonzero rs2 in fsqrt.
    TEST_ILLEGAL 80, .word 0x04b50553
    TEST_ILLEGAL 81, .word 0x22b53553
    TEST_ILLEGAL 82, .word 0xe2052553
    TEST_ILLEGAL 83, .word 0x5a150553
    TEST_ILLEGAL 84, .word 0xc2450553
    TEST_ILLEGAL 85, .word 0x42250553

    // FS: everything that changes the state makes it Dirty.
    TEST_DIRTIES 100, flw fa0, 0(a2)
    TEST_DIRTIES 101, fld fa0, 8(a2)
    TEST_DIRTIES 102, fadd.d fa0, fa0, fa0
    TEST_DIRTIES 103, fmv.d.x fa0, a3
    TEST_DIRTIES 104, csrw fflags, a3
    TEST_DIRTIES 105, csrw frm, zero
    TEST_DIRTIES 106, csrwi fcsr, 0
    TEST_DIRTIES 107, fcvt.s.w fa0, a3
    TEST_DIRTIES 108, fsgnj.s fa0, fa0, fa0
    TEST_DIRTIES 109, fmadd.d fa0, fa0, fa0, fa0
    TEST_DIRTIES 110, c.fldsp fa0, 0(sp)
    csrw fcsr, zero

    // FS=Off: all floating-point instructions and CSR accesses are illegal.
    li a0, FS_MASK
    csrc mstatus, a0
    csrr a1, mstatus
    bgez a1, 1f
    j test_fail
1:
    TEST_OFF 120, flw fa0, 0(a2)
    TEST_OFF 121, fld fa0, 0(a2)
    TEST_OFF 122, fsw fa0, 0(a2)
    TEST_OFF 123, fsd fa0, 0(a2)
    TEST_OFF 124, fadd.s fa0, fa0, fa0
    TEST_OFF 125, fmv.x.d a0, fa0
    TEST_OFF 126, fmv.w.x fa0, a0
    TEST_OFF 127, csrr a0, fcsr
    TEST_OFF 128, csrr a0, frm
    TEST_OFF 129, csrwi fflags, 0
    TEST_OFF 130, feq.s a0, fa0, fa0
    TEST_OFF 131, fclass.d a0, fa0
    TEST_OFF 132, fcvt.d.l fa0, a0
    TEST_OFF 133, c.fld fa0, 0(a2)
    TEST_OFF 134, c.fsdsp fa0, 0(sp)
    TEST_OFF 135, fnmsub.d fa0, fa0, fa0, fa0
    // Back on, the registers hold what they held.
    CASE 140
    li a0, FS_INITIAL
    csrs mstatus, a0
    fmv.x.d a0, fs3
    CHECK a0, 0x400921fb54442d18
    csrr a1, mstatus
    bgez a1, 1f
    j test_fail
1:
TEST_END

    .data
    .balign 8
data:   .word 0x3f800000, 0xbf800001
    .dword 0x400921fb54442d18
    .dword 0
cell:   .dword 0
