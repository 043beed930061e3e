#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the table of mutations fits the code: each old text is found exactly once. usage: check.py ROOT"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'scripts'))
import mutations  # noqa: E402  (found through the line above)

LEAST_ROWS = 60
LAYERS = ('softmmu/', 'tcg/ir/', 'tcg/opt/', 'tcg/region/', 'tcg/runtime/', 'tcg/x86_64/', 'tcg/interp/',
          'target/riscv/decode/', 'target/riscv/trans/', 'target/riscv/csr/', 'target/riscv/mmu/', 'target/riscv/aia/',
          'target/riscv/trap/', 'target/riscv/pmu/', 'target/riscv/debug/', 'hw/')


def main():
    rows, errors = mutations.read_table(sys.argv[1])
    if len(rows) < LEAST_ROWS:
        errors.append(f'{len(rows)} rows, at least {LEAST_ROWS} are wanted')
    for layer in LAYERS:
        if not any(row.path.startswith(layer) for row in rows):
            errors.append(f'no mutation of {layer}')
    for error in errors:
        print(error)
    print(f'{len(rows)} mutations, {len(errors)} errors')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
