#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that were built for simulators: HTIF, semihosting, signatures, by their exit codes and what they print.

usage: suites.py [--gstage FILE] --programs DIR [WORD of the rows to try]
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile

VIRT = '-M virt -display none '
SPIKE = '-M spike -display none '
HTIF_TEXT = 'MARK characters\ncall\n'
CALL = '-semihosting-config enable=on,'
CONSOLE = 'MARK out\nMARK err\nMARK console\n'
STDIO = '-serial null -chardev stdio,id=c '

# (options, what is typed, exit code, what is printed; +FILE=TEXT: what is in the file; *TEXT: it is within).
ROWS = [
    # kvm-unit-tests take an emulator for one that knows their options if its help has this word.
    ('--help', '', 0, '*QEMU'),
    # The host-target interface, by every way of storing
    (VIRT + '-serial stdio -kernel htif.elf', '', 7, HTIF_TEXT),
    (VIRT + '-serial stdio -kernel htif.elf -accel interp', '', 7, HTIF_TEXT),
    (VIRT + '-serial stdio -bios htif.elf', '', 7, HTIF_TEXT),
    (SPIKE + '-serial stdio -kernel htif.elf', '', 7, HTIF_TEXT),
    (VIRT + '-serial stdio -kernel htif-amo.elf', '', 8, HTIF_TEXT),
    (VIRT + '-serial stdio -kernel htif-amo.elf -accel interp', '', 8, HTIF_TEXT),
    (VIRT + '-serial stdio -smp 2 -kernel htif-amo.elf', '', 8, HTIF_TEXT),
    (VIRT + '-serial stdio -kernel htif-lrsc.elf', '', 9, HTIF_TEXT),
    (VIRT + '-serial stdio -smp 2 -kernel htif-lrsc.elf', '', 9, HTIF_TEXT),
    (SPIKE + '-serial stdio -kernel htif-echo.elf', 'x', 0, HTIF_TEXT + 'x'),
    # Exit codes: the host keeps 8 bits, and what is not 0 does not become 0
    (VIRT + '-serial null -kernel htif-256.elf', '', 255, ''),
    (VIRT + f'{CALL}arg=code,arg=42 -serial null -kernel semihosting.elf', '', 42, ''),
    (VIRT + f'{CALL}arg=code,arg=512 -serial null -kernel semihosting.elf', '', 255, ''),
    (VIRT + f'{CALL}arg=code,arg=0 -serial null -kernel semihosting.elf', '', 1, ''),
    # Semihosting
    (VIRT + STDIO + CALL + 'chardev=c,arg=nofiles -kernel semihosting.elf', '', 0, CONSOLE),
    (VIRT + STDIO + CALL + 'chardev=c,arg=nofiles -kernel semihosting.elf -accel interp', '', 0, CONSOLE),
    (SPIKE + STDIO + CALL + 'chardev=c,arg=nofiles -kernel semihosting.elf', '', 0, CONSOLE),
    (VIRT + STDIO + CALL + 'chardev=c,arg=files,root=inside -kernel semihosting.elf', '', 0, CONSOLE),
    (VIRT + STDIO + CALL + 'chardev=c,arg=echo -kernel semihosting.elf', 'typed.', 0, 'typed'),
    (VIRT + '-serial null -semihosting -append x -kernel semihosting.elf', '', 0, 'MARK out\n'),
    # The signature of an architecture test
    (VIRT + '-serial null -signature out -kernel signature.elf', '', 0, '+out=11223344\n55667788\n99aabbcc\n'),
    (SPIKE + '-serial null --signature out,granularity=8 -kernel signature.elf', '', 0,
     '+out=5566778811223344\n0000000099aabbcc\n'),
]


def make_folder(directory):
    """What the rows may use, and must not."""
    inside = os.path.join(directory, 'inside')
    os.mkdir(inside)
    for name in ('secret', 'inside/doomed'):
        with open(os.path.join(directory, name), 'w', encoding='ascii') as stream:
            stream.write(name)
    os.symlink('../secret', os.path.join(inside, 'link'))


def wrong_files(directory):
    """What is wrong with the folder after a row that uses it."""
    with open(os.path.join(directory, 'secret'), encoding='ascii') as stream:
        if stream.read() != 'secret':
            return 'a file outside the folder has changed'
    if 'stolen' in os.listdir(directory):
        return 'a file has come out of the folder'
    kept = os.path.join(directory, 'inside', 'kept')
    if os.path.exists(kept) and open(kept, encoding='ascii').read() != 'hello you':
        return 'the file that the program wrote has other bytes'
    return None


def problem(gstage, programs, row, directory):
    """Runs a row; None or what is wrong."""
    options, typed, code, printed = row
    words = [os.path.join(programs, word) if word.endswith('.elf') else word for word in shlex.split(options)]
    try:
        done = subprocess.run([gstage] + words, input=typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=20, cwd=directory, text=True, check=False)
    except subprocess.TimeoutExpired:
        return 'it hangs'
    text = done.stdout
    if printed.startswith('+'):
        name, printed = printed[1:].split('=', 1)
        with open(os.path.join(directory, name), encoding='ascii') as stream:
            text = stream.read()
    if done.returncode != code:
        return f'exit code {done.returncode}, not {code}; it says {done.stdout!r} {done.stderr!r}'
    if printed.startswith('*'):
        return None if printed[1:] in text else f'no {printed[1:]!r} in {text!r}'
    if text != printed:
        return f'{text!r} in place of {printed!r}'
    return wrong_files(directory)


def main(arguments):
    parser = argparse.ArgumentParser(description='Runs programs that were built for simulators.')
    parser.add_argument('--gstage', default='build/gstage')
    parser.add_argument('--programs', required=True)
    parser.add_argument('word', nargs='?', default='')
    settings = parser.parse_args(arguments)
    gstage = os.path.abspath(os.environ.get('GSTAGE', settings.gstage))
    programs = os.path.abspath(settings.programs)
    rows = [row for row in ROWS if settings.word in row[0]]
    failed = 0
    for row in rows:
        with tempfile.TemporaryDirectory() as directory:
            make_folder(directory)
            wrong = problem(gstage, programs, row, directory)
        if wrong:
            failed += 1
            print(f'gstage {row[0]}\n  {wrong}')
    print(f'{len(rows) - failed} of {len(rows)} programs end as they should')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
