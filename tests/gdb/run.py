#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets Debian's gdb-multiarch find its way through worlds.S (checks.py), attached at the start or to harts that run.

usage: run.py --gstage FILE --guest FILE [--harts N] [--attach start|running] [--accel NAME]

Exit code: 0 passed, 1 failed, 77 skipped because there is no gdb-multiarch.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
LIMIT_S = 300


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--guest', required=True)
    parser.add_argument('--harts', type=int, default=1)
    parser.add_argument('--attach', choices=('start', 'running'), default='start')
    parser.add_argument('--accel', default='tcg')
    settings = parser.parse_args()
    if shutil.which('gdb-multiarch') is None:
        print('skipped: there is no gdb-multiarch (scripts/install-deps installs it)')
        return SKIPPED
    options = ['-smp', str(settings.harts), '-accel', settings.accel]
    options += ['-S'] if settings.attach == 'start' else []
    with started(settings, *options) as (socket, _):
        return debug(settings, socket)


@contextlib.contextmanager
def started(settings, *options):
    """A machine with the guest, and the socket at which it waits for a debugger; it is killed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, 'gdb')
        command = [settings.gstage, '-M', 'virt', '-bios', 'none', '-kernel', settings.guest, '-display', 'none',
                   *options, '-gdb', f'unix:{socket}']
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as machine:
            try:
                wait_for(socket, machine)
                yield socket, machine
            finally:
                machine.kill()


def listens(socket):
    """Whether somebody listens there; to try it would be to attach."""
    accepts = '00010000'
    with open('/proc/net/unix', encoding='ascii', errors='replace') as table:
        return any(line.rstrip().endswith(' ' + socket) and line.split()[3] == accepts for line in table)


def wait_for(socket, machine):
    while not listens(socket):
        if machine.poll() is not None:
            sys.exit(f'the machine ended with code {machine.returncode}')
        time.sleep(0.02)


def debug(settings, socket):
    checks = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'checks.py')
    script = os.path.normpath(os.path.join(checks, '../../../scripts/gdb/gstage-gdb.py'))
    environment = dict(os.environ, WORLDS_SCRIPT=script, WORLDS_HARTS=str(settings.harts), WORLDS_SOCKET=socket,
                       WORLDS_ATTACH=settings.attach)
    run = subprocess.run(['gdb-multiarch', '-nx', '-batch', '-x', checks, settings.guest], env=environment,
                         stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False)
    return 0 if run.returncode == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
