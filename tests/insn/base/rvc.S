// SPDX-License-Identifier: Apache-2.0
// Every compressed instruction of RV64DC, its hints, and the encodings that are illegal.
// The instructions are written as c.* so that the assembler cannot choose another form.

#include "test.h"

    .macro C_ILLEGAL number, encoding
    CASE \number
    EXPECT_TRAP
9:  .2byte \encoding
    TRAPPED 2
    la a0, 9b
    CHECK_REGS s10, a0
    // mtval holds the instruction's own 16 bits or zero.
    beqz s9, 8f
    CHECK s9, \encoding
8:
    .endm

// A hint: must execute and change none of the registers that its bits name.
    .macro C_HINT number, encoding
    CASE \number
    li a0, 0x1234
    li s7, 0x5678
    .2byte \encoding
    CHECK a0, 0x1234
    CHECK s7, 0x5678
    CHECK zero, 0
    .endm

TEST_MAIN
    // Stack-pointer relative loads and stores, at both ends of their offsets.
    CASE 1
    mv s11, sp
    la sp, area
    li a0, 0x1122334455667788
    li s7, 0x99aabbccddeeff00
    c.sdsp a0, 0(sp)
    c.sdsp s7, 504(sp)
    c.ldsp a1, 0(sp)
    c.ldsp s8, 504(sp)
    c.swsp s7, 8(sp)
    c.swsp a0, 252(sp)
    c.lwsp a2, 8(sp)
    c.lwsp s9, 252(sp)
    fmv.d.x fa0, a0
    c.fsdsp fa0, 16(sp)
    c.fldsp fs5, 16(sp)
    c.fsdsp fs5, 496(sp)
    ld a4, 496(sp)
    mv a5, sp
    mv sp, s11
    li s11, 0
    CHECK a1, 0x1122334455667788
    CHECK s8, 0x99aabbccddeeff00
    CHECK a2, 0xffffffffddeeff00
    CHECK s9, 0x55667788
    CHECK a4, 0x1122334455667788
    fmv.x.d a1, fs5
    CHECK a1, 0x1122334455667788
    la a1, area
    CHECK_REGS a5, a1
    ld a2, 504(a1)
    CHECK a2, 0x99aabbccddeeff00

    // Register-based loads and stores.
    CASE 2
    la s0, area
    li a0, 0x0123456789abcdef
    c.sd a0, 0(s0)
    c.ld a1, 0(s0)
    CHECK a1, 0x0123456789abcdef
    c.sd a0, 248(s0)
    c.ld a5, 248(s0)
    CHECK a5, 0x0123456789abcdef
    c.sw a0, 124(s0)
    c.lw a2, 124(s0)
    CHECK a2, 0xffffffff89abcdef
    c.sw a0, 4(s0)
    c.lw a3, 4(s0)
    CHECK a3, 0xffffffff89abcdef
    c.fld fa1, 248(s0)
    c.fsd fa1, 64(s0)
    c.ld s1, 64(s0)
    CHECK s1, 0x0123456789abcdef
    c.lw s0, 0(s0)
    CHECK s0, 0xffffffff89abcdef

    // Jumps.
    CASE 3
    li a0, 0
    c.j 1f
    li a0, 1
1:  CHECK a0, 0
    la a1, 1f
    c.jr a1
    li a0, 1
1:  CHECK a0, 0
    la s5, 1f
    c.jalr s5
0:  li a0, 1
1:  CHECK a0, 0
    la a1, 0b
    CHECK_REGS ra, a1
    la a1, 1f + 1
    c.jr a1
    li a0, 1
1:  CHECK a0, 0
    la ra, 1f
    c.jalr ra
0:  li a0, 1
1:  la a1, 0b
    CHECK_REGS ra, a1
    CHECK a0, 0

    // Branches, taken and not, both directions.
    CASE 4
    li a0, 0
    li s1, 7
    c.beqz a0, 1f
    j test_fail
1:  c.bnez s1, 2f
    j test_fail
3:  li a0, 1
    c.j 4f
2:  c.bnez a0, 5f
    c.beqz s1, 5f
    c.beqz a0, 3b
5:  j test_fail
4:  CHECK a0, 1
    // A backward c.j and a c.bnez loop.
    li a0, 5
    li a1, 0
1:  c.addi a1, 3
    c.addi a0, -1
    c.bnez a0, 1b
    CHECK a1, 15

    // Constants and immediates.
    CASE 5
    c.li a0, -32
    CHECK a0, -32
    c.li s7, 31
    CHECK s7, 31
    c.lui a0, 1
    CHECK a0, 0x1000
    c.lui s7, 0xfffe0
    CHECK s7, 0xfffffffffffe0000
    c.lui a1, 31
    CHECK a1, 0x1f000
    CASE 6
    li a0, 100
    c.addi a0, 31
    CHECK a0, 131
    c.addi a0, -32
    CHECK a0, 99
    li a0, 0x7fffffff
    c.addiw a0, 1
    CHECK a0, 0xffffffff80000000
    c.addiw a0, -1
    CHECK a0, 0x7fffffff
    li a0, 0x1234567880000000
    c.addiw a0, 0
    CHECK a0, 0xffffffff80000000
    CASE 7
    mv s2, sp
    c.addi16sp sp, 496
    sub a0, sp, s2
    c.addi16sp sp, -512
    sub a1, sp, s2
    c.addi4spn a2, sp, 4
    sub a2, a2, sp
    c.addi4spn s1, sp, 1020
    sub a3, s1, sp
    mv sp, s2
    CHECK a0, 496
    CHECK a1, -16
    CHECK a2, 4
    CHECK a3, 1020

    // Shifts and logic.
    CASE 8
    li a0, 0x8000000000000001
    c.slli a0, 1
    CHECK a0, 2
    li s7, 1
    c.slli s7, 63
    CHECK s7, 0x8000000000000000
    li a0, 0x8000000000000000
    c.srli a0, 63
    CHECK a0, 1
    li a0, 0x8000000000000000
    c.srai a0, 63
    CHECK a0, -1
    li a0, 0xff0
    c.srli a0, 4
    CHECK a0, 0xff
    li a0, 0xff
    c.andi a0, -32
    CHECK a0, 0xe0
    c.andi a0, 31
    CHECK a0, 0
    CASE 9
    li a0, 0xff00
    li a1, 0x0ff0
    li s0, 0xff00
    c.sub a0, a1
    CHECK a0, 0xef10
    mv a0, s0
    c.xor a0, a1
    CHECK a0, 0xf0f0
    mv a0, s0
    c.or a0, a1
    CHECK a0, 0xfff0
    mv a0, s0
    c.and a0, a1
    CHECK a0, 0x0f00
    li a0, 0x7fffffff
    c.addw a0, a0
    CHECK a0, -2
    li a0, 0x80000000
    li a1, 1
    c.subw a0, a1
    CHECK a0, 0x7fffffff
    c.mv s7, a1
    CHECK s7, 1
    c.add s7, s7
    CHECK s7, 2
    c.add a0, s7
    CHECK a0, 0x80000001
    c.nop
    CASE 10
    EXPECT_TRAP
1:  c.ebreak
    TRAPPED 3
    la a0, 1b
    CHECK_REGS s10, a0

    // A 32-bit instruction at a 2-byte boundary, and one that crosses two pages.
    CASE 11
    li a0, 1
    c.nop
    addi a0, a0, 1000
    c.nop
    CHECK a0, 1001
    li a0, 0
    call page_crossing
    CHECK a0, 2000

    // Hints (chapter C, HINT instructions).
    C_HINT 20, 0x0005       // c.nop 1
    C_HINT 21, 0x1001       // c.nop -32
    C_HINT 22, 0x0501       // c.addi a0, 0
    C_HINT 23, 0x4025       // c.li x0, 9
    C_HINT 24, 0x6005       // c.lui x0, 1
    C_HINT 25, 0x802a       // c.mv x0, a0
    C_HINT 26, 0x902a       // c.add x0, a0
    C_HINT 27, 0x0006       // c.slli x0, 1
    C_HINT 28, 0x0502       // c.slli a0, 0
    C_HINT 29, 0x8101       // c.srli a0, 0
    C_HINT 30, 0x8501       // c.srai a0, 0

    // Illegal and reserved.
    C_ILLEGAL 40, 0x0000    // the defined illegal instruction
    C_ILLEGAL 41, 0x0008    // c.addi4spn with imm=0
    C_ILLEGAL 42, 0x2001    // c.addiw x0
    C_ILLEGAL 43, 0x6101    // c.addi16sp 0
    C_ILLEGAL 44, 0x6501    // c.lui a0, 0
    C_ILLEGAL 45, 0x4002    // c.lwsp x0
    C_ILLEGAL 46, 0x6002    // c.ldsp x0
    C_ILLEGAL 47, 0x8002    // c.jr x0
    C_ILLEGAL 48, 0x9c41    // reserved between c.subw/c.addw
    C_ILLEGAL 49, 0x9c61
    C_ILLEGAL 50, 0x8000    // quadrant 0, funct3=4
TEST_END

    .balign 4096
    .zero 4092
page_crossing:
    c.nop
    .word 0x3e850513        // addi a0, a0, 1000: its halves lie on different pages
    addi a0, a0, 1000
    ret

    .bss
    .balign 4096
area:
    .zero 4096
