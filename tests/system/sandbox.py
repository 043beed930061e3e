#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine that runs is enclosed: each of its threads has a filter of system calls and no capability.

usage: sandbox.py --gstage FILE
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import bad_input

WANTED = {'CapPrm': '0000000000000000', 'CapEff': '0000000000000000', 'NoNewPrivs': '1', 'Seccomp': '2'}
LIMIT_S = 60


def threads(pid):
    """By thread: its name and the fields of its status."""
    found = {}
    for tid in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{tid}/status', encoding='ascii') as stream:
            found[tid] = dict(line.rstrip('\n').split(':\t', 1) for line in stream if ':\t' in line)
    return found


def wait_for_harts(process, harts):
    """The threads once all harts run; the machine is built by then."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        found = threads(process.pid)
        if sum(fields['Name'].startswith('hart') for fields in found.values()) == harts:
            return found
        time.sleep(0.01)
    raise SystemExit(f'the harts do not start: {process.communicate()[1]}')


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    gstage = os.path.abspath(parser.parse_args().gstage)
    with tempfile.TemporaryDirectory() as folder:
        kernel, disk = os.path.join(folder, 'kernel'), os.path.join(folder, 'disk')
        for path, content in ((kernel, bad_input.elf()), (disk, bytes(bad_input.MIB))):
            with open(path, 'wb') as stream:
                stream.write(content)
        command = [gstage, '-M', 'virt', '-smp', '2', '-nographic', '-bios', 'none', '-kernel', kernel,
                   '-sandbox', 'on',
                   '-drive', f'file={disk},format=raw,if=none,id=d', '-device', 'virtio-blk-device,drive=d']
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            found = wait_for_harts(process, 2)
            process.terminate()
            process.communicate(timeout=LIMIT_S)
    wrong = [f'{fields["Name"]}: {name} is {fields.get(name)}, not {value}'
             for fields in found.values() for name, value in WANTED.items() if fields.get(name) != value]
    print('\n'.join(wrong) or f'{len(found)} threads are enclosed')
    return 1 if wrong or len(found) < 3 else 0


if __name__ == '__main__':
    sys.exit(main())
