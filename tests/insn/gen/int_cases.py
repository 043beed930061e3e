#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an assembly test of the integer instructions: int_cases.py i|m|a|b|k|zk|zabha > test.S

The expected values come from the Python models below, which follow the unprivileged
specification's text (chapters RV32I, RV64I, M, A, B, Zicond, cryptography) on unbounded integers, so that they share
nothing with the emulator under test. Every instruction runs over the cross product of VALUES.
"""
import sys

MASK64 = (1 << 64) - 1
VALUES = [0, 1, 2, 3, 10, 31, 32, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
          0x7fffffffffffffff, 0x8000000000000000, 0x5555555555555555, 0x123456789abcdef0,
          0xffffffff80000000, 0xffffffff7fffffff, MASK64, MASK64 - 1, MASK64 - 2, MASK64 - 9]
IMMEDIATES = [-2048, -683, -1, 0, 1, 5, 1365, 2047]


def s64(value):
    value &= MASK64
    return value - (1 << 64) if value >> 63 else value


def s32(value):
    value &= 0xffffffff
    return value - (1 << 32) if value >> 31 else value


def s16(value):
    value &= 0xffff
    return value - (1 << 16) if value >> 15 else value


def s8(value):
    value &= 0xff
    return value - (1 << 8) if value >> 7 else value


def div_trunc(a, b):
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def div_signed(a, b):
    return -1 if b == 0 else div_trunc(a, b)


def rem_signed(a, b):
    return a if b == 0 else a - b * div_trunc(a, b)


def u32(value):
    return value & 0xffffffff


ALU = {
    'add': lambda a, b: a + b,
    'sub': lambda a, b: a - b,
    'sll': lambda a, b: a << (b & 63),
    'slt': lambda a, b: int(s64(a) < s64(b)),
    'sltu': lambda a, b: int(a < b),
    'xor': lambda a, b: a ^ b,
    'srl': lambda a, b: a >> (b & 63),
    'sra': lambda a, b: s64(a) >> (b & 63),
    'or': lambda a, b: a | b,
    'and': lambda a, b: a & b,
    'addw': lambda a, b: s32(a + b),
    'subw': lambda a, b: s32(a - b),
    'sllw': lambda a, b: s32(a << (b & 31)),
    'srlw': lambda a, b: s32(u32(a) >> (b & 31)),
    'sraw': lambda a, b: s32(s32(a) >> (b & 31)),
}
ALU_IMMEDIATE = {
    'addi': 'add', 'slti': 'slt', 'sltiu': 'sltu', 'xori': 'xor', 'ori': 'or', 'andi': 'and',
    'addiw': 'addw',
}
SHIFT_IMMEDIATE = {
    'slli': ('sll', 64), 'srli': ('srl', 64), 'srai': ('sra', 64),
    'slliw': ('sllw', 32), 'srliw': ('srlw', 32), 'sraiw': ('sraw', 32),
}
MUL = {
    'mul': lambda a, b: a * b,
    'mulh': lambda a, b: (s64(a) * s64(b)) >> 64,
    'mulhsu': lambda a, b: (s64(a) * b) >> 64,
    'mulhu': lambda a, b: (a * b) >> 64,
    'mulw': lambda a, b: s32(a * b),
    'div': lambda a, b: div_signed(s64(a), s64(b)),
    'divu': lambda a, b: MASK64 if b == 0 else a // b,
    'rem': lambda a, b: rem_signed(s64(a), s64(b)),
    'remu': lambda a, b: a if b == 0 else a % b,
    'divw': lambda a, b: s32(div_signed(s32(a), s32(b))),
    'divuw': lambda a, b: MASK64 if u32(b) == 0 else s32(u32(a) // u32(b)),
    'remw': lambda a, b: s32(rem_signed(s32(a), s32(b))),
    'remuw': lambda a, b: s32(a) if u32(b) == 0 else s32(u32(a) % u32(b)),
}
AMO = {
    'amoswap': lambda a, b: b, 'amoadd': lambda a, b: a + b, 'amoxor': lambda a, b: a ^ b,
    'amoand': lambda a, b: a & b, 'amoor': lambda a, b: a | b,
    'amomin': min, 'amomax': max, 'amominu': min, 'amomaxu': max,
}
def bits(value, width):
    """As text, most significant first."""
    return format(value & ((1 << width) - 1), f'0{width}b')


def rotate(value, by, width):
    text = bits(value, width)
    by %= width
    return int(text[width - by:] + text[:width - by], 2)


def each_byte(value, work):
    return int.from_bytes([work(byte) for byte in (value & MASK64).to_bytes(8, 'little')], 'little')


def leading_zeros(text):
    return len(text) - len(text.lstrip('0'))


def carryless(a, b):
    product = 0
    for place in range(64):
        if b >> place & 1:
            product ^= a << place
    return product


def permute(table, indices, width):
    elements = [table >> at & ((1 << width) - 1) for at in range(0, 64, width)]
    chosen = [indices >> at & ((1 << width) - 1) for at in range(0, 64, width)]
    return sum((elements[c] if c < len(elements) else 0) << at * width for at, c in enumerate(chosen))


# Zba, Zbb, Zbs, Zicond.
BITMANIP = {
    'sh1add': lambda a, b: 2 * a + b, 'sh2add': lambda a, b: 4 * a + b, 'sh3add': lambda a, b: 8 * a + b,
    'add.uw': lambda a, b: u32(a) + b, 'sh1add.uw': lambda a, b: 2 * u32(a) + b,
    'sh2add.uw': lambda a, b: 4 * u32(a) + b, 'sh3add.uw': lambda a, b: 8 * u32(a) + b,
    'andn': lambda a, b: a & ~b, 'orn': lambda a, b: a | ~b, 'xnor': lambda a, b: ~(a ^ b),
    'rol': lambda a, b: rotate(a, -(b & 63), 64), 'ror': lambda a, b: rotate(a, b & 63, 64),
    'rolw': lambda a, b: s32(rotate(a, -(b & 31), 32)), 'rorw': lambda a, b: s32(rotate(a, b & 31, 32)),
    'max': lambda a, b: max(s64(a), s64(b)), 'maxu': max,
    'min': lambda a, b: min(s64(a), s64(b)), 'minu': min,
    'bclr': lambda a, b: a & ~(1 << (b & 63)), 'bset': lambda a, b: a | 1 << (b & 63),
    'binv': lambda a, b: a ^ 1 << (b & 63), 'bext': lambda a, b: a >> (b & 63) & 1,
    'czero.eqz': lambda a, b: a if b else 0, 'czero.nez': lambda a, b: 0 if b else a,
}
BITMANIP_SHIFTS = {
    'rori': ('ror', 64), 'roriw': ('rorw', 32), 'bclri': ('bclr', 64), 'bseti': ('bset', 64),
    'binvi': ('binv', 64), 'bexti': ('bext', 64),
}
BITMANIP_UNARY = {
    'clz': lambda a: leading_zeros(bits(a, 64)), 'ctz': lambda a: leading_zeros(bits(a, 64)[::-1]),
    'cpop': lambda a: bits(a, 64).count('1'), 'clzw': lambda a: leading_zeros(bits(a, 32)),
    'ctzw': lambda a: leading_zeros(bits(a, 32)[::-1]), 'cpopw': lambda a: bits(a, 32).count('1'),
    'sext.b': lambda a: (a & 0xff) - 2 * (a & 0x80), 'sext.h': lambda a: (a & 0xffff) - 2 * (a & 0x8000),
    'zext.h': lambda a: a & 0xffff, 'orc.b': lambda a: each_byte(a, lambda byte: 0xff if byte else 0),
    'rev8': lambda a: int.from_bytes((a & MASK64).to_bytes(8, 'little'), 'big'),
}
# Zbc, Zbkb, Zbkc, Zbkx.
CRYPTO = {
    'clmul': carryless, 'clmulh': lambda a, b: carryless(a, b) >> 64,
    'clmulr': lambda a, b: carryless(a, b) >> 63,
    'pack': lambda a, b: u32(a) | u32(b) << 32, 'packh': lambda a, b: a & 0xff | (b & 0xff) << 8,
    'packw': lambda a, b: s32(a & 0xffff | (b & 0xffff) << 16),
    'xperm4': lambda a, b: permute(a, b, 4), 'xperm8': lambda a, b: permute(a, b, 8),
}
CRYPTO_UNARY = {
    'brev8': lambda a: each_byte(a, lambda byte: int(bits(byte, 8)[::-1], 2)),
}


def field_product(a, b, polynomial):
    """In GF(2^8)."""
    product = 0
    for place in range(8):
        if b >> place & 1:
            product ^= a << place
    for place in range(15, 7, -1):
        if product >> place & 1:
            product ^= polynomial << place - 8
    return product


AES_FIELD, SM4_FIELD = 0x11b, 0x1f5


def field_inverse(a, polynomial):
    return next((b for b in range(256) if field_product(a, b, polynomial) == 1), 0)


def affine(row, constant, x):
    """Rows of a circulant matrix over GF(2), and a constant."""
    turned = [(row << k | row >> 8 - k) & 0xff for k in range(8)]
    return sum((bin(turned[k] & x).count('1') & 1) << k for k in range(8)) ^ constant


AES_BOX = [affine(0xf1, 0x63, field_inverse(x, AES_FIELD)) for x in range(256)]
SM4_BOX = [affine(0xa7, 0xd3, field_inverse(affine(0xa7, 0xd3, x), SM4_FIELD)) for x in range(256)]


def aes_middle(low, high, box, turn):
    """ShiftRows (to the left by `turn` times the row) and SubBytes; the first two columns."""
    state = low.to_bytes(8, 'little') + high.to_bytes(8, 'little')
    return [[box[state[(column + turn * row) % 4 * 4 + row]] for row in range(4)] for column in range(2)]


def aes_mix(columns, factors):
    def mixed(column, row):
        total = 0
        for k in range(4):
            total ^= field_product(column[(row + k) % 4], factors[k], AES_FIELD)
        return total
    return [[mixed(column, row) for row in range(4)] for column in columns]


def packed(columns):
    return int.from_bytes(bytes(columns[0] + columns[1]), 'little')


def unpacked(value):
    state = value.to_bytes(8, 'little')
    return [list(state[:4]), list(state[4:])]


FORWARD, BACKWARD = (2, 3, 1, 1), (14, 11, 13, 9)
AES_UNBOX = [AES_BOX.index(x) for x in range(256)]


def key_schedule(value, number):
    word = (value >> 32).to_bytes(4, 'little')
    if number != 10:
        word = word[1:] + word[:1]
    result = int.from_bytes(bytes(AES_BOX[x] for x in word), 'little')
    constant = 1
    for _ in range(number):
        constant = field_product(constant, 2, AES_FIELD)
    result ^= constant if number != 10 else 0
    return result << 32 | result


def key_mix(a, b):
    low = a >> 32 ^ u32(b)
    return (low ^ b >> 32) << 32 | low


def sm4(a, b, select, turns):
    # SM4's words are big-endian, the registers little-endian.
    x = SM4_BOX[b >> 8 * select & 0xff] << 24
    word = 0
    for turn in turns:
        word ^= rotate(x, -turn, 32)
    word = int.from_bytes(word.to_bytes(4, 'big'), 'little')
    return s32(rotate(word, -8 * select, 32) ^ u32(a))


def hashed(width, turns, shift=None):
    def model(a):
        a &= (1 << width) - 1
        total = a >> shift if shift is not None else 0
        for turn in turns:
            total ^= rotate(a, turn, width)
        return s32(total) if width == 32 else total
    return model


# Zknd, Zkne, Zknh, Zksed, Zksh.
SUITES = {
    'aes64es': lambda a, b: packed(aes_middle(a, b, AES_BOX, 1)),
    'aes64esm': lambda a, b: packed(aes_mix(aes_middle(a, b, AES_BOX, 1), FORWARD)),
    'aes64ds': lambda a, b: packed(aes_middle(a, b, AES_UNBOX, -1)),
    'aes64dsm': lambda a, b: packed(aes_mix(aes_middle(a, b, AES_UNBOX, -1), BACKWARD)),
    'aes64ks2': key_mix,
}
SUITES_UNARY = {
    'aes64im': lambda a: packed(aes_mix(unpacked(a), BACKWARD)),
    'sha256sig0': hashed(32, (7, 18), 3), 'sha256sig1': hashed(32, (17, 19), 10),
    'sha256sum0': hashed(32, (2, 13, 22)), 'sha256sum1': hashed(32, (6, 11, 25)),
    'sha512sig0': hashed(64, (1, 8), 7), 'sha512sig1': hashed(64, (19, 61), 6),
    'sha512sum0': hashed(64, (28, 34, 39)), 'sha512sum1': hashed(64, (14, 18, 41)),
    'sm3p0': hashed(32, (0, -9, -17)), 'sm3p1': hashed(32, (0, -15, -23)),
}
# The linear transformations of SM4's rounds and of its key schedule.
SM4_TURNS = {'sm4ed': (0, 2, 10, 18, 24), 'sm4ks': (0, 13, 23)}
# The assembler need not know Zicond.
ZICOND = '''    .macro czero.eqz rd, rs1, rs2
    .insn r 0x33, 5, 0x07, \\rd, \\rs1, \\rs2
    .endm
    .macro czero.nez rd, rs1, rs2
    .insn r 0x33, 7, 0x07, \\rd, \\rs1, \\rs2
    .endm'''
BRANCHES = {
    'beq': lambda a, b: a == b, 'bne': lambda a, b: a != b,
    'blt': lambda a, b: s64(a) < s64(b), 'bge': lambda a, b: s64(a) >= s64(b),
    'bltu': lambda a, b: a < b, 'bgeu': lambda a, b: a >= b,
}


class Writer:
    """Collects text and tables, and numbers the cases."""

    def __init__(self):
        self.text, self.data, self.tables, self.number = [], [], 0, 0

    def line(self, text):
        self.text.append(text)

    def loop(self, name, rows, body):
        """Runs `body` for each row; the row's words are at 0(s2), 8(s2), ..."""
        self.number += 1000
        self.tables += 1
        label, width = f'table_{self.tables}', 8 * len(rows[0])
        self.data.append(f'    .balign 8\n{label}:')
        for row in rows:
            words = ', '.join(f'{word & MASK64:#x}' for word in row)
            self.data.append(f'    .dword {words}')
        self.line(f'    # {name}')
        self.line(f'    li gp, {self.number}\n    la s2, {label}\n    li s3, {len(rows)}')
        self.line(f'.Lloop_{label}:')
        self.line(body)
        self.line(f'    addi s2, s2, {width}\n    addi gp, gp, 1\n    addi s3, s3, -1')
        self.line(f'    beqz s3, 1f\n    j .Lloop_{label}\n1:')

    def print(self):
        print('// SPDX-License-Identifier: Apache-2.0')
        print('// Made by gen/int_cases.py.\n#include "test.h"\nTEST_MAIN')
        print('\n'.join(self.text))
        print('TEST_END\n    .section .rodata')
        print('\n'.join(self.data))


def check(register, expected='t6'):
    return f'    beq {register}, {expected}, 1f\n    j test_fail\n1:'


def two_operand(out, op, model, rest=''):
    """Destination apart from the sources, equal to each, equal sources, and x0."""
    body = '\n'.join([
        '    ld a0, 0(s2)\n    ld a1, 8(s2)\n    ld t6, 16(s2)\n    ld s8, 24(s2)',
        f'    {op} a2, a0, a1{rest}', check('a2'),
        '    mv s7, a0\n    mv t4, a1', f'    {op} s5, s7, t4{rest}', check('s5'),
        f'    {op} s4, a0, a0{rest}', check('s4', 's8'),
        f'    {op} zero, a0, a1{rest}', check('zero', 'x0'),
        f'    {op} a0, a0, a1{rest}', check('a0'),
        f'    {op} t4, s7, t4{rest}', check('t4'),
        f'    {op} s7, s7, s7{rest}', check('s7', 's8'),
    ])
    rows = [(a, b, model(a, b), model(a, a)) for a in VALUES for b in VALUES]
    out.loop(op + rest, rows, body)
    rows = [(a, model(a, 0), model(0, a)) for a in VALUES]
    body = '\n'.join([
        '    ld a0, 0(s2)\n    ld t6, 8(s2)', f'    {op} a1, a0, zero{rest}', check('a1'),
        '    ld t6, 16(s2)', f'    {op} a0, zero, a0{rest}', check('a0')])
    out.loop(op + rest + ' with x0', rows, body)


def immediate(out, op, model, values):
    for imm in values:
        body = '\n'.join([
            '    ld a0, 0(s2)\n    ld t6, 8(s2)\n    mv s6, a0',
            f'    {op} a2, a0, {imm}', check('a2'),
            f'    {op} zero, a0, {imm}', check('zero', 'x0'),
            f'    {op} a0, a0, {imm}', check('a0'),
            f'    {op} s6, s6, {imm}', check('s6')])
        out.loop(f'{op} {imm}', [(a, model(a, imm & MASK64)) for a in VALUES], body)


def one_operand(out, op, model, rest=''):
    body = '\n'.join([
        '    ld a0, 0(s2)\n    ld t6, 8(s2)\n    mv s6, a0',
        f'    {op} a2, a0{rest}', check('a2'), f'    {op} zero, a0{rest}', check('zero', 'x0'),
        f'    {op} s5, s6{rest}', check('s5'), f'    {op} a0, a0{rest}', check('a0'),
        f'    {op} s6, s6{rest}', check('s6')])
    values = VALUES + [0x0001008000ff7f00, 0x8040201008040201, 0xfedcba9876543210]
    out.loop(op + rest, [(a, model(a)) for a in values], body)


def branch(out, op, model):
    body = f'''    ld a0, 0(s2)
    ld a1, 8(s2)
    ld t6, 16(s2)
    li a2, 1
    {op} a0, a1, 2f
    li a2, 0
2:  beq a2, t6, 1f
    j test_fail
1:  mv s9, a0
    mv s10, a1
    li s5, 0
    j 4f
3:  li s5, 1
    j 5f
4:  {op} s9, s10, 3b
5:  beq s5, t6, 1f
    j test_fail
1:'''
    out.loop(op, [(a, b, int(model(a, b))) for a in VALUES for b in VALUES], body)


def upper(out):
    """lui and auipc: the value, and auipc's dependence on its own address."""
    for imm in (0, 1, 0x7ffff, 0x80000, 0xfffff, 0x12345):
        out.number += 1
        out.line(f'    CASE {out.number}\n    lui a0, {imm:#x}')
        out.line(f'    CHECK a0, {s64(s32(imm << 12)):#x}\n    lui s5, {imm:#x}')
        out.line(f'    CHECK s5, {s64(s32(imm << 12)):#x}')
        out.line(f'    la a1, 1f\n1:  auipc a0, {imm:#x}\n    sub a0, a0, a1')
        out.line(f'    CHECK a0, {s64(s32(imm << 12)):#x}')
        out.line(f'    auipc s5, {imm:#x}\n1:  la a1, 1b\n    sub s5, s5, a1\n    addi s5, s5, 4')
        out.line(f'    CHECK s5, {s64(s32(imm << 12)):#x}')


def atomic(out, op, model, order):
    signed = op not in ('amominu', 'amomaxu')
    out.line('    la s4, amo_cell')
    body = f'''    ld a0, 0(s2)
    ld a1, 8(s2)
    ld t5, 16(s2)
    sd a0, 0(s4)
    {op}.d{order} a2, a1, (s4)
{check('a2', 'a0')}
    ld a3, 0(s4)
{check('a3', 't5')}
    sd a0, 0(s4)
    mv s5, a1
    {op}.d{order} s5, s5, (s4)
{check('s5', 'a0')}
    ld a3, 0(s4)
{check('a3', 't5')}
    sd a0, 0(s4)
    {op}.d{order} zero, a1, (s4)
    ld a3, 0(s4)
{check('a3', 't5')}
    sd a0, 0(s4)
    mv s6, s4
    {op}.d{order} s6, a1, (s6)
{check('s6', 'a0')}
    ld a3, 0(s4)
{check('a3', 't5')}'''
    convert = s64 if signed else lambda value: value & MASK64
    rows = [(a, b, model(convert(a), convert(b))) for a in VALUES for b in VALUES]
    out.loop(f'{op}.d{order}', rows, body)
    convert = s32 if signed else u32
    # The word operation at both halves of a doubleword must leave the other half alone.
    for half in (0, 4):
        body = f'''    ld a0, 0(s2)
    ld a1, 8(s2)
    lwu t5, 16(s2)
    sext.w t6, a0
    li a4, 0x0123456789abcdef
    sd a4, 0(s4)
    addi s6, s4, {half}
    sw a0, 0(s6)
    {op}.w{order} a2, a1, (s6)
{check('a2')}
    lwu a3, 0(s6)
{check('a3', 't5')}
    lwu a3, {4 - half}(s4)
    lwu a5, amo_pattern + {4 - half}
{check('a3', 'a5')}
    sw a0, 0(s6)
    {op}.w{order} s6, a1, (s6)
{check('s6')}'''
        rows = [(a, b, u32(model(convert(a), convert(b)))) for a in VALUES for b in VALUES]
        out.loop(f'{op}.w{order} at {half}', rows, body)


def amo_macros():
    """Zabha as assemblers need not know it, with and without aq and rl."""
    codes = {'amoswap': 1, 'amoadd': 0, 'amoxor': 4, 'amoand': 12, 'amoor': 8, 'amomin': 16, 'amomax': 20,
             'amominu': 24, 'amomaxu': 28}
    for op, code in codes.items():
        for funct3, size in enumerate('bh'):
            for order, suffix in enumerate(('', '.rl', '.aq', '.aqrl')):
                yield f'''    .macro {op}.{size}{suffix} rd, rs2, rs1
    .insn r 0x2f, {funct3}, {code << 2 | order}, \\rd, \\rs1, \\rs2
    .endm'''


def small_atomic(out, op, model, order):
    """Bytes and halfwords at each of their places in a doubleword: what is around stays."""
    signed = op not in ('amominu', 'amomaxu')
    for size, width, extend in (('b', 8, s8), ('h', 16, s16)):
        mask = (1 << width) - 1
        convert = extend if signed else lambda value, mask=mask: value & mask
        rows = []
        for a in VALUES:
            for b in VALUES:
                at = len(rows) % (64 // width) * width
                after = a & ~(mask << at) | (model(convert(a >> at), convert(b)) & mask) << at
                rows.append((a, b, at // 8, extend(a >> at), after))
        body = f'''    ld a0, 0(s2)
    ld a1, 8(s2)
    ld s6, 16(s2)
    ld t6, 24(s2)
    ld t5, 32(s2)
    add s6, s4, s6
    sd a0, 0(s4)
    {op}.{size}{order} a2, a1, s6
{check('a2')}
    ld a3, 0(s4)
{check('a3', 't5')}
    sd a0, 0(s4)
    mv s5, a1
    {op}.{size}{order} s5, s5, s6
{check('s5')}
    ld a3, 0(s4)
{check('a3', 't5')}
    sd a0, 0(s4)
    {op}.{size}{order} zero, a1, s6
    ld a3, 0(s4)
{check('a3', 't5')}
    sd a0, 0(s4)
    {op}.{size}{order} s6, a1, s6
{check('s6')}'''
        out.loop(f'{op}.{size}{order}', rows, body)


def suites(out):
    out.line('    .option arch, +zkn\n    .option arch, +zks')
    for op, model in SUITES.items():
        two_operand(out, op, model)
    for op, model in SUITES_UNARY.items():
        one_operand(out, op, model)
    for number in range(11):
        one_operand(out, 'aes64ks1i', lambda a, n=number: key_schedule(a, n), f', {number}')
    for op, turns in SM4_TURNS.items():
        for select in range(4):
            two_operand(out, op, lambda a, b, k=select, t=turns: sm4(a, b, k, t), f', {select}')


def main():
    out = Writer()
    part = sys.argv[1]
    if part == 'i':
        for op, model in ALU.items():
            two_operand(out, op, model)
        for op, base in ALU_IMMEDIATE.items():
            immediate(out, op, ALU[base], IMMEDIATES)
        for op, (base, width) in SHIFT_IMMEDIATE.items():
            immediate(out, op, ALU[base], (0, 1, 7, 31) + ((32, 63) if width == 64 else ()))
        for op, model in BRANCHES.items():
            branch(out, op, model)
        upper(out)
    elif part == 'm':
        for op, model in MUL.items():
            two_operand(out, op, model)
    elif part == 'b':
        out.line(ZICOND)
        for op, model in BITMANIP.items():
            two_operand(out, op, model)
        for op, (base, width) in BITMANIP_SHIFTS.items():
            immediate(out, op, BITMANIP[base], (0, 1, 7, 31) + ((32, 63) if width == 64 else ()))
        immediate(out, 'slli.uw', lambda a, b: u32(a) << b, (0, 1, 31, 32, 63))
        for op, model in BITMANIP_UNARY.items():
            one_operand(out, op, model)
    elif part == 'k':
        for op, model in CRYPTO.items():
            two_operand(out, op, model)
        for op, model in CRYPTO_UNARY.items():
            one_operand(out, op, model)
    elif part == 'zk':
        suites(out)
    elif part == 'zabha':
        for macro in amo_macros():
            out.line(macro)
        out.line('    la s4, amo_cell')
        for op, model in AMO.items():
            for order in ('', '.aq', '.rl', '.aqrl'):
                small_atomic(out, op, model, order)
        out.data.append('    .data\n    .balign 8\namo_cell: .dword 0')
    else:
        for op, model in AMO.items():
            for order in ('', '.aq', '.rl', '.aqrl'):
                atomic(out, op, model, order)
        out.data.append('    .balign 8\namo_pattern: .dword 0x0123456789abcdef')
        out.data.append('    .data\n    .balign 8\namo_cell: .dword 0')
    out.print()


if __name__ == '__main__':
    main()
