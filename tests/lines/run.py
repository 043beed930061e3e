#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Command lines of projects that use QEMU: each is accepted, or refused with what it misses.

usage: run.py --gstage FILE [--show] LINES...

LINES is a text file: paragraphs of fields, "NAME: VALUE", a value goes on in lines that begin with a blank. A paragraph
has a `line`, whose words are options; {files} in it are made by this program. `is: accepted` says that the machine is
built; `is: refused, TEXT` that TEXT stands in the message. Other fields (`from`, `note`) are for the reader. The
machine is built and its device tree written, nothing runs. --show prints what comes out in place of a verdict.
"""

import argparse
import os
import shlex
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'system'))
import bad_input  # noqa: E402

LIMIT_S = 60
MIB = 1 << 20


def qcow2(size):
    """An image without contents: header, table of reference counts, block of them and L1 table, a cluster each."""
    cluster = 1 << 16
    header = struct.pack('>4sIQIIQIIQQIIQ', b'QFI\xfb', 2, 0, 0, 16, size, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    counts = struct.pack('>4H', 1, 1, 1, 1)
    return b''.join(part.ljust(cluster, b'\0') for part in (header, struct.pack('>Q', 2 * cluster), counts, b''))


# What {NAME} becomes: a file of that content in the folder in which the machine is started.
FILES = {
    'elf': bad_input.elf(segments=((0x80200000, 8, 8),), entry=0x80200000),
    'elf0': bad_input.elf(),
    'firmware': b'\x6f\x00\x00\x00' * 16,
    'kernel': b'\x6f\x00\x00\x00' * 16,
    'blob': bytes(4096),
    'initrd': bytes(4096),
    'disk': bytes(MIB),
    'disk2': bytes(MIB),
    'qcow2': qcow2(MIB),
    'disk3': bytes(MIB),
    'flash0': bytes(32 * MIB),
    'flash1': bytes(32 * MIB),
}


def paragraphs(text):
    """The fields of each paragraph, as a dictionary."""
    for paragraph in text.split('\n\n'):
        fields, name = {}, None
        for row in paragraph.splitlines():
            if row.startswith('#') or not row.strip():
                continue
            if row[0] == ' ':
                fields[name] += ' ' + row.strip()
            else:
                name, value = row.split(':', 1)
                fields[name] = value.strip()
        if fields:
            yield fields


def start(gstage, line, folder):
    """The exit code and the message of the machine that is built from the line."""
    names = {name: name for name in FILES} | {'dir': '.'}
    command = [gstage] + [word.format(**names) for word in shlex.split(line)]
    # Where there is a board, it is built and described and the program ends.
    command += ['-machine', 'dumpdtb=dtb']
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=LIMIT_S, check=False, text=True)
    return done.returncode, done.stderr.strip()


def verdict(fields, code, message, has_tree):
    """What is wrong, or an empty text."""
    expected = fields['is']
    if expected == 'accepted':
        return '' if code == 0 and has_tree else f'it is refused: {message}'
    missing = expected.removeprefix('refused, ')
    if code != 1 or '\n' in message:
        return f'exit code {code}, "{message}", not one line that says "{missing}"'
    return '' if missing in message else f'the message does not say "{missing}": {message}'


def check(gstage, path, show):
    """The number of lines in the file and of those that are wrong."""
    count, wrong = 0, 0
    with open(path, encoding='utf-8') as stream:
        lines = list(paragraphs(stream.read()))
    for fields in (f for f in lines if 'line' in f):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in FILES.items():
                with open(os.path.join(folder, name), 'wb') as stream:
                    stream.write(content)
            code, message = start(gstage, fields['line'], folder)
            has_tree = os.path.exists(os.path.join(folder, 'dtb'))
        count += 1
        said = f'{code} {message}' if show else verdict(fields, code, message, has_tree)
        if said:
            print(f'{os.path.basename(path)}: {fields["line"]}\n    {said}')
            wrong += 1
    return count, wrong


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--show', action='store_true')
    parser.add_argument('files', nargs='+')
    settings = parser.parse_args()
    counts = [check(os.path.abspath(settings.gstage), path, settings.show) for path in settings.files]
    lines, wrong = (sum(column) for column in zip(*counts))
    print(f'{lines} command lines, {wrong} not as they should be')
    return 1 if wrong and not settings.show else 0


if __name__ == '__main__':
    sys.exit(main())
