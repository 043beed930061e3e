# SPDX-License-Identifier: Apache-2.0
"""Exact IEEE 754 arithmetic on bit patterns with RISC-V's conventions (chapters F and D).

Values are rationals, rounded once: slow, small, and nothing in common with hardware or with a
soft-float library. NaN results are canonical; flags are the fflags bits; tininess is detected
after rounding.
"""
from fractions import Fraction
from math import isqrt

NX, UF, OF, DZ, NV = 1, 2, 4, 8, 16
RNE, RTZ, RDN, RUP, RMM = range(5)
MODES = {'rne': RNE, 'rtz': RTZ, 'rdn': RDN, 'rup': RUP, 'rmm': RMM}


class Format:
    def __init__(self, exponent_bits, fraction_bits):
        self.fraction_bits = fraction_bits
        self.exponent_max = (1 << exponent_bits) - 1
        self.bias = (1 << (exponent_bits - 1)) - 1
        self.sign_bit = 1 << (exponent_bits + fraction_bits)
        self.infinity = self.exponent_max << fraction_bits
        self.quiet = 1 << (fraction_bits - 1)
        self.nan = self.infinity | self.quiet
        self.emin = 1 - self.bias

    def is_nan(self, bits):
        return (bits & ~self.sign_bit) > self.infinity

    def is_signaling(self, bits):
        return self.is_nan(bits) and not bits & self.quiet

    def is_infinite(self, bits):
        return (bits & ~self.sign_bit) == self.infinity

    def is_zero(self, bits):
        return (bits & ~self.sign_bit) == 0

    def sign(self, bits):
        return bool(bits & self.sign_bit)

    def value(self, bits):
        """The rational value of a finite pattern."""
        exponent = (bits & ~self.sign_bit) >> self.fraction_bits
        fraction = bits & ((1 << self.fraction_bits) - 1)
        if exponent:
            fraction |= 1 << self.fraction_bits
        else:
            exponent = 1
        result = Fraction(fraction) * pow2(exponent - self.bias - self.fraction_bits)
        return -result if self.sign(bits) else result

    def classify(self, bits):
        sign = self.sign(bits)
        if self.is_nan(bits):
            return 1 << (8 if self.is_signaling(bits) else 9)
        if self.is_infinite(bits):
            return 1 << (0 if sign else 7)
        if self.is_zero(bits):
            return 1 << (3 if sign else 4)
        if (bits & ~self.sign_bit) >> self.fraction_bits == 0:
            return 1 << (2 if sign else 5)
        return 1 << (1 if sign else 6)


HALF, SINGLE, DOUBLE = Format(5, 10), Format(8, 23), Format(11, 52)


def pow2(exponent):
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def round_integer(value, mode, negative):
    """Rounds a magnitude to an integer in the direction of `mode` for its sign."""
    whole = value.numerator // value.denominator
    rest = value - whole
    if rest == 0:
        return whole, False
    half = Fraction(1, 2)
    up = {RNE: rest > half or (rest == half and whole & 1), RTZ: False, RDN: negative,
          RUP: not negative, RMM: rest >= half}[mode]
    return whole + (1 if up else 0), True


def floor_log2(value):
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if pow2(guess) <= value else guess - 1


def encode(fmt, value, mode, negative_zero=False, sticky=False):
    """Rounds a rational to `fmt`. `sticky` adds an infinitesimal away from zero (for sqrt)."""
    if value == 0:
        return (fmt.sign_bit if negative_zero else 0), 0
    negative, magnitude = value < 0, abs(value)
    if sticky:
        magnitude += pow2(floor_log2(magnitude) - 4 * fmt.fraction_bits)
    exponent = floor_log2(magnitude)
    ulp = pow2(max(exponent, fmt.emin) - fmt.fraction_bits)
    units, inexact = round_integer(magnitude / ulp, mode, negative)
    flags = NX if inexact else 0
    if inexact and exponent < fmt.emin:
        # Tiny after rounding: with an unbounded exponent the result would still be below 2^emin.
        free_ulp = pow2(exponent - fmt.fraction_bits)
        free, _ = round_integer(magnitude / free_ulp, mode, negative)
        if free * free_ulp < pow2(fmt.emin):
            flags |= UF
    result = units * ulp
    sign = fmt.sign_bit if negative else 0
    if result >= pow2(fmt.bias + 1):
        to_infinity = mode in (RNE, RMM) or mode == (RDN if negative else RUP)
        return sign | (fmt.infinity if to_infinity else fmt.infinity - 1), OF | NX
    if result < pow2(fmt.emin):
        return sign | int(result / pow2(fmt.emin - fmt.fraction_bits)), flags
    exponent = floor_log2(result)
    fraction = int(result / pow2(exponent - fmt.fraction_bits)) - (1 << fmt.fraction_bits)
    return sign | (exponent + fmt.bias) << fmt.fraction_bits | fraction, flags


def invalid(fmt, *operands):
    return fmt.nan, NV if any(fmt.is_signaling(x) for x in operands) else 0


def exact_zero_sign(sign_a, sign_b, mode):
    return sign_a if sign_a == sign_b else mode == RDN


def add(fmt, a, b, mode):
    if fmt.is_nan(a) or fmt.is_nan(b):
        return invalid(fmt, a, b)
    if fmt.is_infinite(a) or fmt.is_infinite(b):
        if fmt.is_infinite(a) and fmt.is_infinite(b) and a != b:
            return fmt.nan, NV
        return (a if fmt.is_infinite(a) else b), 0
    total = fmt.value(a) + fmt.value(b)
    return encode(fmt, total, mode, exact_zero_sign(fmt.sign(a), fmt.sign(b), mode))


def sub(fmt, a, b, mode):
    return invalid(fmt, a, b) if fmt.is_nan(b) else add(fmt, a, b ^ fmt.sign_bit, mode)


def mul(fmt, a, b, mode):
    if fmt.is_nan(a) or fmt.is_nan(b):
        return invalid(fmt, a, b)
    sign = fmt.sign(a) != fmt.sign(b)
    if fmt.is_infinite(a) or fmt.is_infinite(b):
        if fmt.is_zero(a) or fmt.is_zero(b):
            return fmt.nan, NV
        return fmt.infinity | (fmt.sign_bit if sign else 0), 0
    return encode(fmt, fmt.value(a) * fmt.value(b), mode, sign)


def div(fmt, a, b, mode):
    if fmt.is_nan(a) or fmt.is_nan(b):
        return invalid(fmt, a, b)
    sign = fmt.sign_bit if fmt.sign(a) != fmt.sign(b) else 0
    if fmt.is_infinite(a):
        return (fmt.nan, NV) if fmt.is_infinite(b) else (sign | fmt.infinity, 0)
    if fmt.is_infinite(b):
        return sign, 0
    if fmt.is_zero(b):
        return (fmt.nan, NV) if fmt.is_zero(a) else (sign | fmt.infinity, DZ)
    return encode(fmt, fmt.value(a) / fmt.value(b), mode, bool(sign))


def sqrt(fmt, a, mode):
    if fmt.is_nan(a):
        return invalid(fmt, a)
    if fmt.is_zero(a):
        return a, 0
    if fmt.sign(a):
        return fmt.nan, NV
    if fmt.is_infinite(a):
        return a, 0
    scale = 2 * (fmt.fraction_bits + 8) + 2 * fmt.bias
    scaled = fmt.value(a) * pow2(2 * scale)
    root = isqrt(int(scaled))
    return encode(fmt, Fraction(root) / pow2(scale), mode, sticky=root * root != scaled)


def fma(fmt, a, b, c, mode, negate_product=False, negate_addend=False):
    # Infinity times zero is invalid even when the addend is a quiet NaN (chapter F, FMADD).
    product_invalid = ((fmt.is_infinite(a) and fmt.is_zero(b)) or
                       (fmt.is_zero(a) and fmt.is_infinite(b)))
    if fmt.is_nan(a) or fmt.is_nan(b) or fmt.is_nan(c) or product_invalid:
        result, flags = invalid(fmt, a, b, c)
        return result, flags | (NV if product_invalid else 0)
    if negate_addend:
        c ^= fmt.sign_bit
    sign = (fmt.sign(a) != fmt.sign(b)) != negate_product
    if fmt.is_infinite(a) or fmt.is_infinite(b):
        if fmt.is_infinite(c) and fmt.sign(c) != sign:
            return fmt.nan, NV
        return fmt.infinity | (fmt.sign_bit if sign else 0), 0
    if fmt.is_infinite(c):
        return c, 0
    product = fmt.value(a) * fmt.value(b)
    total = (-product if negate_product else product) + fmt.value(c)
    return encode(fmt, total, mode, exact_zero_sign(sign, fmt.sign(c), mode))


def min_max(fmt, a, b, largest):
    flags = NV if fmt.is_signaling(a) or fmt.is_signaling(b) else 0
    if fmt.is_nan(a) and fmt.is_nan(b):
        return fmt.nan, flags
    if fmt.is_nan(a) or fmt.is_nan(b):
        return (b if fmt.is_nan(a) else a), flags

    def key(bits):  # orders -0 below +0
        magnitude = bits & ~fmt.sign_bit
        return (-magnitude, 0) if fmt.sign(bits) else (magnitude, 1)
    pick = max if largest else min
    return pick(a, b, key=key), flags


def minimum_maximum(fmt, a, b, largest):
    """fminm and fmaxm (chapter Zfa): a NaN operand makes the result NaN."""
    value, flags = min_max(fmt, a, b, largest)
    return (fmt.nan if fmt.is_nan(a) or fmt.is_nan(b) else value), flags


def compare(fmt, a, b, op):
    if fmt.is_nan(a) or fmt.is_nan(b):
        quiet = op in ('feq', 'fltq', 'fleq') and not (fmt.is_signaling(a) or fmt.is_signaling(b))
        return 0, 0 if quiet else NV

    def number(bits):
        magnitude = bits & ~fmt.sign_bit
        return -magnitude if fmt.sign(bits) else magnitude
    x, y = number(a), number(b)
    return int({'feq': x == y, 'flt': x < y, 'fle': x <= y, 'fltq': x < y, 'fleq': x <= y}[op]), 0


def to_integer(fmt, a, mode, bits, signed):
    low = -(1 << (bits - 1)) if signed else 0
    high = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    if fmt.is_nan(a):
        return high, NV
    if fmt.is_infinite(a):
        return (low if fmt.sign(a) else high), NV
    value = fmt.value(a)
    magnitude, inexact = round_integer(abs(value), mode, value < 0)
    result = -magnitude if value < 0 else magnitude
    if result < low or result > high:
        return (low if value < 0 else high), NV
    return result, NX if inexact else 0


def to_integer_modular(fmt, a):
    """fcvtmod.w.d (chapter Zfa): modulo 2^32, with the flags of fcvt.w.d towards zero."""
    flags = to_integer(fmt, a, RTZ, 32, True)[1]
    if fmt.is_nan(a) or fmt.is_infinite(a):
        return 0, flags
    value = fmt.value(a)
    whole = abs(value).numerator // abs(value).denominator
    return (-whole if value < 0 else whole) & 0xffffffff, flags


def round_integral(fmt, a, mode, raises_inexact):
    """fround and froundnx (chapter Zfa)."""
    if fmt.is_nan(a):
        return invalid(fmt, a)
    if fmt.is_infinite(a) or fmt.is_zero(a):
        return a, 0
    value = fmt.value(a)
    magnitude, inexact = round_integer(abs(value), mode, value < 0)
    result, _ = encode(fmt, Fraction(-magnitude if value < 0 else magnitude), mode, fmt.sign(a))
    return result, NX if inexact and raises_inexact else 0


def from_integer(fmt, value, mode):
    return encode(fmt, Fraction(value), mode)


def convert(source, target, a, mode):
    if source.is_nan(a):
        return target.nan, NV if source.is_signaling(a) else 0
    sign = target.sign_bit if source.sign(a) else 0
    if source.is_infinite(a):
        return sign | target.infinity, 0
    return encode(target, source.value(a), mode, bool(sign))
