#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an assembly test of the floating-point instructions: fp_cases.py f|d|zfh|zfa > test.S

Results and flags come from softfp.py. Every operation runs in all five static rounding modes and
with the same modes taken from frm.
"""
import sys
import os

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import softfp  # noqa: E402
from softfp import DOUBLE, HALF, MODES, SINGLE  # noqa: E402
from int_cases import MASK64, VALUES, Writer, check, s16, s32, s64  # noqa: E402

BOX = 0xffffffff00000000
BOXES = {HALF: 0xffffffffffff0000, SINGLE: BOX, DOUBLE: 0}


def patterns(fmt):
    one = fmt.bias << fmt.fraction_bits
    ulp = 1
    smallest_normal = 1 << fmt.fraction_bits
    positive = [
        0, ulp, 3, smallest_normal - 1, smallest_normal, smallest_normal + 1,
        one, one + 1, one - 1, one + (1 << fmt.fraction_bits),            # 1, 1+ulp, 1-ulp/2, 2
        one | 1 << (fmt.fraction_bits - 1), one - (1 << fmt.fraction_bits),  # 1.5, 0.5
        one + (1 << fmt.fraction_bits) | fmt.quiet,                       # 3
        fmt.infinity - 1, fmt.infinity, fmt.nan,
    ]
    signaling = fmt.infinity | 1
    return positive + [p | fmt.sign_bit for p in positive] + [signaling, signaling | fmt.sign_bit]


def few(fmt):
    one = fmt.bias << fmt.fraction_bits
    return [0, fmt.sign_bit, 1, one, one | fmt.sign_bit, one + 1, (one + 1) | fmt.sign_bit,
            fmt.infinity, fmt.infinity | fmt.sign_bit, fmt.nan, fmt.infinity | 1,
            fmt.infinity - 1, 1 << fmt.fraction_bits]


class Fp:
    """The spelling of one format's instructions and the boxing of its patterns."""

    def __init__(self, out, fmt):
        self.out, self.fmt = out, fmt
        self.suffix = {HALF: 'h', SINGLE: 's', DOUBLE: 'd'}[fmt]

    def box(self, bits):
        return bits | BOXES[self.fmt]

    def row(self, operands, result, is_fp=True):
        value, flags = result
        return tuple(self.box(x) for x in operands) + (self.box(value) if is_fp else value, flags)

    def run(self, op, operands, rows, mode=None, integer_result=False):
        """Static mode first, then the same through frm, each with flags cleared before."""
        loads = ''.join(f'    fld fa{i}, {8 * i}(s2)\n' for i in range(operands))
        sources = ', '.join(f'fa{i}' for i in range(operands))
        end = f'    ld t6, {8 * operands}(s2)\n    ld t5, {8 * operands + 8}(s2)\n'
        target, fetch = ('s8', '') if integer_result else ('fs5', '    fmv.x.d s8, fs5\n')

        def once(suffix):
            return (f'    csrw fflags, zero\n    {op} {target}, {sources}{suffix}\n{fetch}'
                    + check('s8') + '\n    csrr s9, fflags\n' + check('s9', 't5') + '\n')
        body = loads + end
        if mode is None:
            body += once('')
        else:
            body += once(', ' + mode)
            body += f'    fsrmi {MODES[mode]}\n' + once(', dyn') + '    fsrmi 0\n'
        if not integer_result:  # destination equal to the first source
            suffix = ', ' + mode if mode else ''
            body += (f'    {op} fa0, {sources}{suffix}\n    fmv.x.d s8, fa0\n' + check('s8') + '\n')
        self.out.loop(f'{op} {mode or ""}', rows, body.rstrip('\n'))

    def arithmetic(self):
        fmt, values = self.fmt, patterns(self.fmt)
        pairs = [(a, b) for a in values for b in values]
        for name, model in (('fadd', softfp.add), ('fsub', softfp.sub), ('fmul', softfp.mul),
                            ('fdiv', softfp.div)):
            for mode, number in MODES.items():
                rows = [self.row((a, b), model(fmt, a, b, number)) for a, b in pairs]
                self.run(f'{name}.{self.suffix}', 2, rows, mode)
        for mode, number in MODES.items():
            rows = [self.row((a,), softfp.sqrt(fmt, a, number)) for a in values]
            self.run(f'fsqrt.{self.suffix}', 1, rows, mode)
        some = few(fmt)
        for name, product, addend in (('fmadd', False, False), ('fmsub', False, True),
                                      ('fnmsub', True, False), ('fnmadd', True, True)):
            for mode, number in MODES.items():
                rows = [self.row((a, b, c), softfp.fma(fmt, a, b, c, number, product, addend))
                        for a in some for b in some for c in some]
                self.run(f'{name}.{self.suffix}', 3, rows, mode)

    def plain(self):
        fmt, values, suffix = self.fmt, patterns(self.fmt), self.suffix
        pairs = [(a, b) for a in values for b in values]
        sign, rest = fmt.sign_bit, ~fmt.sign_bit
        for name, model in (('fsgnj', lambda a, b: a & rest | b & sign),
                            ('fsgnjn', lambda a, b: a & rest | (b & sign) ^ sign),
                            ('fsgnjx', lambda a, b: a ^ b & sign)):
            self.run(f'{name}.{suffix}', 2, [self.row((a, b), (model(a, b), 0)) for a, b in pairs])
        for name, largest in (('fmin', False), ('fmax', True)):
            rows = [self.row((a, b), softfp.min_max(fmt, a, b, largest)) for a, b in pairs]
            self.run(f'{name}.{suffix}', 2, rows)
        for name in ('feq', 'flt', 'fle'):
            rows = [self.row((a, b), softfp.compare(fmt, a, b, name), False) for a, b in pairs]
            self.run(f'{name}.{suffix}', 2, rows, integer_result=True)
        rows = [self.row((a,), (fmt.classify(a), 0), False) for a in values]
        self.run(f'fclass.{suffix}', 1, rows, integer_result=True)
        name, extend = {HALF: ('fmv.x.h', s16), SINGLE: ('fmv.x.w', s32), DOUBLE: ('fmv.x.d', s64)}[fmt]
        rows = [self.row((a,), (extend(a), 0), False) for a in values]
        self.run(name, 1, rows, integer_result=True)

    def conversions(self):
        fmt, suffix = self.fmt, self.suffix
        kinds = {'w': (32, True), 'wu': (32, False), 'l': (64, True), 'lu': (64, False)}
        limits = []
        for bits in (31, 32, 63, 64):
            for delta in (-1, 0, 1):
                for negative in (0, fmt.sign_bit):
                    pattern = softfp.encode(fmt, softfp.pow2(bits), softfp.RNE)[0] + delta
                    limits.append(pattern | negative)
        for text in (0.25, 0.5, 0.75, 1.5, 2.5, 2.75, 0.999, 2147483646.5, 4294967294.5):
            pattern = softfp.encode(fmt, softfp.Fraction(text), softfp.RNE)[0]
            limits += [pattern, pattern | fmt.sign_bit]
        for kind, (bits, signed) in kinds.items():
            for mode, number in MODES.items():
                rows = []
                for a in patterns(fmt) + limits:
                    value, flags = softfp.to_integer(fmt, a, number, bits, signed)
                    # 32-bit results are sign-extended, the unsigned ones too.
                    value = s32(value) if bits == 32 else value
                    rows.append(self.row((a,), (value, flags), False))
                self.run(f'fcvt.{kind}.{suffix}', 1, rows, mode, integer_result=True)
                self.from_integer(kind, bits, signed, mode, number)

    def from_integer(self, kind, bits, signed, mode, number):
        rows = []
        for a in VALUES + [0x1000001, 0x1000003, 0x20000000000001, 0x7fffffbfffffffff]:
            value = (s32(a) if signed else a & 0xffffffff) if bits == 32 else \
                (s64(a) if signed else a)
            result, flags = softfp.from_integer(self.fmt, value, number)
            rows.append((a, self.box(result), flags))
        name = f'fcvt.{self.suffix}.{kind}'
        exact = self.fmt is DOUBLE and bits == 32
        static, dynamic = ('', '') if exact else (f', {mode}', ', dyn')
        steps = []
        for suffix in (static, dynamic):
            steps += [f'    csrw fflags, zero\n    {name} fs5, a0{suffix}',
                      '    fmv.x.d s8, fs5', check('s8'), '    csrr s9, fflags',
                      check('s9', 't5'), f'    fsrmi {number}']
        body = '\n'.join(['    fsrmi 0\n    ld a0, 0(s2)\n    ld t6, 8(s2)\n    ld t5, 16(s2)']
                         + steps + ['    fsrmi 0'])
        self.out.loop(f'{name} {mode}', rows, body)


def between_formats(out):
    single, double = Fp(out, SINGLE), Fp(out, DOUBLE)
    ties = [0x3ff0000010000000, 0x3ff0000030000000, 0x3ff0000010000001, 0x380fffffffffffff,
            0x380ffffff0000000, 0x380fffffe0000000, 0x36a0000000000000, 0x3690000000000000,
            0x3690000000000001, 0x47efffffefffffff, 0x47effffff0000000, 0x47f0000000000000]
    ties += [t | 1 << 63 for t in ties]
    for mode, number in MODES.items():
        rows = [(a,) + single.row((), softfp.convert(DOUBLE, SINGLE, a, number))
                for a in patterns(DOUBLE) + ties]
        double.run('fcvt.s.d', 1, rows, mode)
    rows = [(single.box(a),) + double.row((), softfp.convert(SINGLE, DOUBLE, a, 0))
            for a in patterns(SINGLE)]
    double.run('fcvt.d.s', 1, rows)
    # A single that is not boxed is the canonical NaN (chapter D, NaN boxing of narrower values).
    unboxed = [0x3f800000, 0xfffffffe3f800000, 0x7fffffff3f800000, 0x3ff0000000000000]
    one, nan = SINGLE.bias << 23 | BOX, SINGLE.nan | BOX
    double.run('fadd.s', 2, [(a, one, nan, 0) for a in unboxed], 'rne')
    double.run('fmin.s', 2, [(a, one, one, 0) for a in unboxed])
    double.run('fsgnj.s', 2, [(a, one, nan, 0) for a in unboxed])
    double.run('fsgnjx.s', 2, [(one, a, one, 0) for a in unboxed])
    double.run('feq.s', 2, [(a, a, 0, 0) for a in unboxed], integer_result=True)
    double.run('fle.s', 2, [(a, one, 0, softfp.NV) for a in unboxed], integer_result=True)
    double.run('fclass.s', 1, [(a, 1 << 9, 0) for a in unboxed], integer_result=True)
    double.run('fcvt.w.s', 1, [(a, 0x7fffffff, softfp.NV) for a in unboxed], 'rtz', True)
    double.run('fcvt.d.s', 1, [(a, DOUBLE.nan, 0) for a in unboxed])
    double.run('fmv.x.w', 1, [(a, s32(a) & MASK64, 0) for a in unboxed], integer_result=True)


def halves(out):
    """What Zfh has besides the operations of every format: loads, stores, moves, conversions, boxes."""
    half, one, nan = Fp(out, HALF), HALF.bias << 10 | BOXES[HALF], HALF.nan | BOXES[HALF]
    for name, source, target in (('fcvt.s.h', HALF, SINGLE), ('fcvt.d.h', HALF, DOUBLE),
                                 ('fcvt.h.s', SINGLE, HALF), ('fcvt.h.d', DOUBLE, HALF)):
        ties = [softfp.encode(source, softfp.Fraction(t), 0)[0] for t in
                (65519, 65520, 65504, 1 + 2**-11, 1 + 3 * 2**-11, 2**-14 - 2**-25, 2**-24, 2**-25, 3 * 2**-26, 2**-40)]
        values = patterns(source) + (ties + [t | source.sign_bit for t in ties] if target is HALF else [])
        for mode, number in MODES.items():
            rows = [(Fp(out, source).box(a),) + Fp(out, target).row((), softfp.convert(source, target, a, number))
                    for a in values]
            # Assemblers take no mode for exact conversions.
            if target is HALF:
                half.run(name, 1, rows, mode)
        if target is not HALF:
            half.run(name, 1, rows)
    unboxed = [0x3c00, 0xffffffff00003c00, 0xfffffffffffe3c00, 0xffff7fffffff3c00, 0xffffffff3f803c00]
    half.run('fadd.h', 2, [(a, one, nan, 0) for a in unboxed], 'rne')
    half.run('fmin.h', 2, [(a, one, one, 0) for a in unboxed])
    half.run('fsgnj.h', 2, [(a, one, nan, 0) for a in unboxed])
    half.run('fsgnjx.h', 2, [(one, a, one, 0) for a in unboxed])
    half.run('feq.h', 2, [(a, a, 0, 0) for a in unboxed], integer_result=True)
    half.run('flt.h', 2, [(a, one, 0, softfp.NV) for a in unboxed], integer_result=True)
    half.run('fclass.h', 1, [(a, 1 << 9, 0) for a in unboxed], integer_result=True)
    half.run('fcvt.w.h', 1, [(a, 0x7fffffff, softfp.NV) for a in unboxed], 'rtz', True)
    half.run('fcvt.s.h', 1, [(a, SINGLE.nan | BOX, 0) for a in unboxed])
    half.run('fmv.x.h', 1, [(a, s16(a), 0) for a in unboxed], integer_result=True)
    # A boxed half is no single.
    half.run('fadd.s', 2, [(one, SINGLE.bias << 23 | BOX, SINGLE.nan | BOX, 0)], 'rne')
    out.line('    la s4, half_cell')
    body = ['    ld t6, 0(s2)\n    li t5, -1\n    sd t5, 0(s4)\n    fld fa0, 0(s2)\n    fsh fa0, 2(s4)',
            '    ld s8, 0(s4)\n    ld t6, 8(s2)', check('s8'),
            '    flh fs5, 2(s4)\n    fmv.x.d s8, fs5\n    ld t6, 16(s2)', check('s8'),
            '    ld a0, 0(s2)\n    fmv.h.x fa3, a0\n    fmv.x.d s8, fa3', check('s8')]
    out.loop('fsh flh fmv.h.x', [(a, ~(0xffff << 16) | (a & 0xffff) << 16, a & 0xffff | BOXES[HALF])
                                 for a in VALUES + unboxed + patterns(HALF)], '\n'.join(body))
    out.data.append('    .data\n    .balign 8\nhalf_cell: .dword 0')


# Assemblers of the day need not know Zfa: fields of each instruction, before the rounding mode or funct3.
ZFA = '''    .set rne, 0
    .set rtz, 1
    .set rdn, 2
    .set rup, 3
    .set rmm, 4
    .set dyn, 7
    .macro fcvtmod.w.d rd, rs1, rm
    .insn r 0x53, \\rm, 0x61, \\rd, \\rs1, f8
    .endm'''
FLI = [-1.0, None, 2.0**-16, 2.0**-15, 2.0**-8, 2.0**-7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625,
       0.75, 0.875, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 8.0, 16.0, 128.0, 256.0, 2.0**15, 2.0**16]


def zfa_macros(suffix):
    code = {'s': 0, 'd': 1, 'h': 2}[suffix]
    lines = []
    for name, funct3, funct7 in (('fminm', 2, 0x14), ('fmaxm', 3, 0x14), ('fleq', 4, 0x50), ('fltq', 5, 0x50)):
        lines.append(f'''    .macro {name}.{suffix} rd, rs1, rs2
    .insn r 0x53, {funct3}, {funct7 | code}, \\rd, \\rs1, \\rs2
    .endm''')
    for name, rs2 in (('fround', 4), ('froundnx', 5)):
        lines.append(f'''    .macro {name}.{suffix} rd, rs1, rm
    .insn r 0x53, \\rm, {0x20 | code}, \\rd, \\rs1, f{rs2}
    .endm''')
    return '\n'.join(lines)


def zfa(out, fmt):
    fp = Fp(out, fmt)
    out.line(zfa_macros(fp.suffix))
    values = patterns(fmt)
    pairs = [(a, b) for a in values for b in values]
    for name, largest in (('fminm', False), ('fmaxm', True)):
        fp.run(f'{name}.{fp.suffix}', 2,
               [fp.row((a, b), softfp.minimum_maximum(fmt, a, b, largest)) for a, b in pairs])
    for name in ('fleq', 'fltq'):
        fp.run(f'{name}.{fp.suffix}', 2,
               [fp.row((a, b), softfp.compare(fmt, a, b, name), False) for a, b in pairs], integer_result=True)
    for exponent in range(-3, fmt.fraction_bits + 3):
        for fraction in (0, 1, 1 << fmt.fraction_bits - 1, (1 << fmt.fraction_bits) - 1,
                         (1 << fmt.fraction_bits) // 3, (1 << fmt.fraction_bits) * 7 // 8):
            pattern = exponent + fmt.bias << fmt.fraction_bits | fraction
            values += [pattern, pattern | fmt.sign_bit] if pattern < fmt.infinity else []
    for name, raises in (('fround', False), ('froundnx', True)):
        for mode, number in MODES.items():
            rows = [fp.row((a,), softfp.round_integral(fmt, a, number, raises)) for a in values]
            fp.run(f'{name}.{fp.suffix}', 1, rows, mode)
    for index in range(32):
        out.number += 1
        value = {1: 1 << fmt.fraction_bits, 30: fmt.infinity, 31: fmt.nan}.get(index)
        if value is None:
            value = softfp.encode(fmt, softfp.Fraction(FLI[index]), 0)[0]
        code = {'s': 0, 'd': 1, 'h': 2}[fp.suffix]
        out.line(f'    CASE {out.number}\n    csrw fflags, zero')
        out.line(f'    .insn r 0x53, 0, {0x78 | code}, fs5, f{index}, f1\n    fmv.x.d s8, fs5')
        out.line(f'    CHECK s8, {s64(fp.box(value))}\n    csrr s9, fflags\n    CHECK s9, 0')


def modular(out):
    fmt = DOUBLE
    values = patterns(fmt) + [softfp.encode(fmt, softfp.pow2(bits) + delta, 0)[0] | sign
                              for bits in (31, 32, 33, 52, 53, 60, 64, 83, 84, 85, 127, 128, 200)
                              for delta in (-1, 0, 1, 0x123456) for sign in (0, fmt.sign_bit)]
    values += [softfp.encode(fmt, softfp.Fraction(text), 0)[0] | sign
               for text in (0.5, 1.5, 2147483647.5, 2147483648.5, 4294967296.5, 1234567890123.75)
               for sign in (0, fmt.sign_bit)]
    rows = [(a, s32(softfp.to_integer_modular(fmt, a)[0]), softfp.to_integer_modular(fmt, a)[1]) for a in values]
    body = ['    fld fa0, 0(s2)\n    ld t6, 8(s2)\n    ld t5, 16(s2)\n    csrw fflags, zero',
            '    fcvtmod.w.d s8, fa0, rtz', check('s8'), '    csrr s9, fflags', check('s9', 't5'),
            '    fcvtmod.w.d zero, fa0, rtz']
    out.loop('fcvtmod.w.d', rows, '\n'.join(body))


def main():
    out = Writer()
    part = sys.argv[1]
    if part in ('zfh', 'zfa'):
        out.line('    .option arch, +zfh')
    if part == 'zfa':
        out.line(ZFA)
        for fmt in (HALF, SINGLE, DOUBLE):
            zfa(out, fmt)
        modular(out)
        out.print()
        return
    fp = Fp(out, {'f': SINGLE, 'd': DOUBLE, 'zfh': HALF}[part])
    fp.plain()
    fp.conversions()
    fp.arithmetic()
    if fp.fmt is DOUBLE:
        between_formats(out)
    if fp.fmt is HALF:
        halves(out)
    out.print()


if __name__ == '__main__':
    main()
