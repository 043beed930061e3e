#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one bare-metal test program and turns what it says into a test result.

usage: run_guest.py [--timeout S] [--exit-code N] [--machine-args "..."] EMULATOR ELF [EMULATOR-ARGS...]

The program ends the machine through sifive_test: exit code 0 is a pass, any other code is the
number of the failing case (which the program also prints). The timeout guards against a hang;
it says nothing about speed.
"""
import argparse
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--timeout', type=float, default=120)
    parser.add_argument('--smp', default='1')
    parser.add_argument('--memory', default='128M')
    parser.add_argument('--expect', action='append', default=[],
                        help='a text that the console must show')
    parser.add_argument('--exit-code', type=int, default=0, help='the one that is right')
    parser.add_argument('emulator')
    parser.add_argument('elf')
    parser.add_argument('args', nargs=argparse.REMAINDER)
    opts = parser.parse_args()
    command = [opts.emulator, '-M', 'virt', '-m', opts.memory, '-smp', opts.smp, '-nographic',
               '-bios', 'none', '-kernel', opts.elf] + opts.args
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=opts.timeout)
    except subprocess.TimeoutExpired as late:
        sys.stdout.write((late.stdout or b'').decode(errors='replace'))
        sys.exit(f'FAIL: no end after {opts.timeout:g} s: {" ".join(command)}')
    text = done.stdout.decode(errors='replace')
    sys.stdout.write(text)
    if done.returncode != opts.exit_code:
        sys.exit(f'FAIL: exit code {done.returncode} of {" ".join(command)}')
    for expected in opts.expect:
        if expected not in text:
            sys.exit(f'FAIL: the console does not show "{expected}"')


if __name__ == '__main__':
    main()
