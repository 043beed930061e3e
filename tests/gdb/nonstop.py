#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's gdb-multiarch in non-stop mode: one hart of two is looked at, stepped, let go and stopped while the other
one stands or runs.

usage: nonstop.py --gstage FILE --guest FILE

Exit code: 0 passed, 1 failed, 77 skipped because there is no gdb-multiarch.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time

import run

LIMIT_S = 100
PROMPT = b'(gdb) '
STOPPED = r'\((M|HS|U|VS|VU) V=[01].* pc 0x[0-9a-f]+'


class Gdb:
    """gdb at the other end of a pipe: commands, and what they print."""

    def __init__(self, guest):
        self.process = subprocess.Popen(['gdb-multiarch', '-nx', '-q', guest], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.read()

    def read(self):
        text = b''
        while not text.endswith(PROMPT):
            more = os.read(self.process.stdout.fileno(), 1)
            if not more:
                raise AssertionError(f'gdb ended: {text.decode(errors="replace")[-2000:]}')
            text += more
        return text.removesuffix(PROMPT).decode(errors='replace')

    def ask(self, command):
        self.process.stdin.write(command.encode() + b'\n')
        self.process.stdin.flush()
        return self.read()

    def threads_become(self, first, second):
        """Asks for the threads until each is as it should be; a stop is told some time after it was asked for."""
        wanted = re.compile(rf'Thread 1 "hart0" {first}.*\n.*Thread 2 "hart1" {second}')
        limit = time.monotonic() + LIMIT_S
        while True:
            text = self.ask('info threads')
            if wanted.search(text):
                return text
            if time.monotonic() > limit:
                raise AssertionError(f'no {wanted.pattern!r} in {text}')
            time.sleep(0.05)


def check(gdb, socket):
    for command in ('set pagination off', 'set confirm off', 'set non-stop on', f'target remote {socket}'):
        gdb.ask(command)
    gdb.threads_become(STOPPED, STOPPED)
    gdb.ask('thread 1')
    before = gdb.ask('print $pc')
    gdb.ask('stepi')
    if gdb.ask('print $pc').partition('=')[2] == before.partition('=')[2]:
        raise AssertionError(f'the step led nowhere: {before}')
    gdb.ask('continue&')
    other = gdb.threads_become(r'\(running\)', STOPPED)
    place = re.search(r'Thread 2 .* pc (0x[0-9a-f]+)', other)[1]
    if place not in gdb.threads_become(r'\(running\)', STOPPED):
        raise AssertionError('a hart that was stopped has moved')
    gdb.ask('interrupt')
    gdb.threads_become(STOPPED, STOPPED)
    gdb.ask('thread 2')
    gdb.ask('continue&')
    gdb.threads_become(STOPPED, r'\(running\)')
    gdb.ask('interrupt -a')
    gdb.threads_become(STOPPED, STOPPED)
    gdb.ask('detach')


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--guest', required=True)
    settings = parser.parse_args()
    if shutil.which('gdb-multiarch') is None:
        print('skipped: there is no gdb-multiarch (scripts/install-deps installs it)')
        return run.SKIPPED
    with run.started(settings, '-smp', '2') as (socket, _):
        gdb = Gdb(settings.guest)
        try:
            check(gdb, socket)
        finally:
            gdb.process.kill()
    print('passed')
    return 0


if __name__ == '__main__':
    sys.exit(main())
