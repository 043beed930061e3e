#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an assembly test of the floating-point instructions: fp_cases.py f|d > test.S

Results and flags come from softfp.py. Every operation runs in all five static rounding modes and
with the same modes taken from frm.
"""
import sys
import os

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import softfp  # noqa: E402
from softfp import DOUBLE, MODES, SINGLE  # noqa: E402
from int_cases import MASK64, VALUES, Writer, check, s32, s64  # noqa: E402

BOX = 0xffffffff00000000


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
        self.suffix = 's' if fmt is SINGLE else 'd'

    def box(self, bits):
        return bits | BOX if self.fmt is SINGLE else bits

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
        extend = s32 if fmt is SINGLE else s64
        rows = [self.row((a,), (extend(a), 0), False) for a in values]
        self.run('fmv.x.w' if fmt is SINGLE else 'fmv.x.d', 1, rows, integer_result=True)

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


def main():
    out = Writer()
    fp = Fp(out, SINGLE if sys.argv[1] == 'f' else DOUBLE)
    fp.plain()
    fp.conversions()
    fp.arithmetic()
    if fp.fmt is DOUBLE:
        between_formats(out)
    out.print()


if __name__ == '__main__':
    main()
