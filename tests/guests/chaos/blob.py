#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the random part of the guest chaos: code drawn from the decode tables, page tables, register values.

usage: blob.py SEED DRAWS FILE
"""

import os
import random
import re
import struct
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..'))
# As in chaos.S.
BASE = 0x81000000
POOL, POOL_VALUES = 0x1000, 512
TABLES, TABLE_PAGES = 0x100000, 16
CODE, CODE_BYTES = 0x200000, 256 << 10
DATA, DATA_BYTES = 0x300000, 256 << 10
BYTES = DATA + DATA_BYTES
DEVICES = [0x00101000, 0x02000000, 0x0C000000, 0x0D000000, 0x10000000, 0x10001000, 0x10008000, 0x10100000, 0x20000000,
           0x24000000, 0x28000000]
# Below machine mode, where alone the code runs.
CSRS = [*range(0x001, 0x004), *range(0x100, 0x107), *range(0x140, 0x160), 0x180, *range(0x200, 0x206),
        *range(0x240, 0x25D), 0x280, *range(0x600, 0x61C), *range(0x640, 0x64C), 0x680, *range(0xC00, 0xC20), 0xDA0,
        0xDB0, 0xE12, 0xEB0]


def patterns():
    """(match, mask, whether it is a CSR instruction) of each row of the decode table."""
    with open(os.path.join(ROOT, 'target', 'riscv', 'decode', 'insn32.inc'), encoding='utf-8') as table:
        rows = re.findall(r'^INSN\(\w+, "([01. ]+)", (\w+)', table.read(), re.MULTILINE)
    for bits, form in rows:
        bits = bits.replace(' ', '')
        yield int(bits.replace('.', '0'), 2), int(bits.replace('0', '1').replace('.', '0'), 2), form.startswith('Csr')


def random_code(draw, count):
    rows = list(patterns())
    code = bytearray()
    while len(code) < count:
        kind = draw.randrange(16)
        if kind < 4:
            code += struct.pack('<H', draw.getrandbits(16) & ~3 | draw.randrange(3))
            continue
        match, mask, is_csr = draw.choice(rows)
        raw = draw.getrandbits(32) & ~mask | match
        if is_csr:
            raw = raw & 0xFFFFF | draw.choice(CSRS) << 20
        if kind == 4:                # auipc: most registers hold no useful address for long
            raw = draw.randrange(256) - 64 << 12 & 0xFFFFF000 | draw.randrange(32) << 7 | 0x17
        code += struct.pack('<I', raw)
    return bytes(code[:count])


def entry(draw, frame, flags):
    if draw.randrange(32) == 0:
        flags ^= 1 << draw.randrange(10)
    return frame << 10 | flags | (draw.getrandbits(3) << 61 if draw.randrange(64) == 0 else 0)


def page_tables(draw):
    """Roots of which each entry leads to a middle level, those to leaves or large pages, those to pages."""
    first = BASE + TABLES >> 12
    leaf_flags = [0xCF, 0xDF, 0xDF, 0xDB, 0xD7, 0x5F, 0x1F, 0xC7]
    frames = [BASE + CODE >> 12] * 2 + [BASE + DATA >> 12]
    values = []
    for level in range(3):
        for _ in range(TABLE_PAGES * 512):
            if level == 0 or (level == 1 and draw.randrange(4)):
                values.append(entry(draw, first + (level + 1) * TABLE_PAGES + draw.randrange(TABLE_PAGES), 1))
            elif level == 1:
                values.append(entry(draw, BASE + CODE >> 12, draw.choice(leaf_flags)))
            elif draw.randrange(16) == 0:
                values.append(entry(draw, draw.choice(DEVICES) >> 12, draw.choice(leaf_flags)))
            else:
                values.append(entry(draw, draw.choice(frames) + draw.randrange(64), draw.choice(leaf_flags)))
    return struct.pack(f'<{len(values)}Q', *values)


def register(draw):
    return draw.choice([
        lambda: BASE + DATA + draw.randrange(DATA_BYTES) & ~7, lambda: BASE + DATA + draw.randrange(DATA_BYTES),
        lambda: BASE + CODE + draw.randrange(CODE_BYTES) & ~1, lambda: draw.choice(DEVICES) + draw.randrange(1024) * 4,
        lambda: draw.getrandbits(64), lambda: draw.randrange(64), lambda: 1 << draw.randrange(64),
        lambda: draw.getrandbits(39) & ~7])()


def make(seed, draws):
    draw = random.Random(seed)
    blob = bytearray(BYTES)
    struct.pack_into('<QQ', blob, 0, draw.getrandbits(63) | 1, draws)
    struct.pack_into(f'<{POOL_VALUES}Q', blob, POOL, *(register(draw) for _ in range(POOL_VALUES)))
    tables = page_tables(draw)
    blob[TABLES:TABLES + len(tables)] = tables
    blob[CODE:CODE + CODE_BYTES] = random_code(draw, CODE_BYTES)
    blob[DATA:] = draw.randbytes(DATA_BYTES)
    return bytes(blob)


def main(seed, draws, path):
    with open(path, 'wb') as out:
        out.write(make(int(seed), int(draws)))


if __name__ == '__main__':
    main(*sys.argv[1:])
