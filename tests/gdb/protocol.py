#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debuggers that are not gdb: a second one, one that talks nonsense, one that goes away.

usage: protocol.py --gstage FILE --guest FILE
"""

import argparse
import contextlib
import os
import re
import socket
import stat
import sys

import run

LIMIT_S = 60


def packet(body):
    return f'${body}#{sum(body.encode()) & 0xff:02x}'.encode()


class Debugger:
    def __init__(self, path):
        self.end = socket.socket(socket.AF_UNIX)
        self.end.settimeout(LIMIT_S)
        self.end.connect(path)

    def ask(self, body):
        """The next packet that comes."""
        self.end.sendall(packet(body))
        text = b''
        while text.count(b'#') == 0 or len(text.partition(b'#')[2]) < 2:
            more = self.end.recv(4096)
            if not more:
                return text.decode()
            text += more
        with contextlib.suppress(BrokenPipeError):  # after the answer to vKill the machine ends
            self.end.sendall(b'+')
        body = text.partition(b'$')[2].partition(b'#')[0].decode()
        return re.sub(r'(.)\*(.)', lambda run_of: run_of[1] * (ord(run_of[2]) - 28), body)


def check(what, found, wanted):
    if found != wanted:
        raise AssertionError(f'{what}: {found!r}, not {wanted!r}')


def drive(path, machine):
    check('mode of the socket', stat.S_IMODE(os.stat(path).st_mode), 0o600)
    first = Debugger(path)
    check('stop', first.ask('?')[:3], 'T05')
    second = Debugger(path)
    check('second debugger', second.ask('qSupported'), 'E.another debugger is connected to this machine')
    check('end of the second', second.end.recv(1), b'')
    # Nonsense of all kinds leaves the first connection and the machine as they are.
    first.end.sendall(bytes(range(4, 256)) * 400 + b'$' + b'z' * 100000 + b'#00+-' + b'$m#' + b'$vCont;x#00')
    first.end.close()
    third = Debugger(path)
    check('stop after that', third.ask('?')[:1], 'T')
    check('bad packet', third.ask('vCont;x'), 'E16')
    check('registers', len(third.ask('p20')), 16)
    check('killed', third.ask('vKill;1'), 'OK')
    check('exit code', machine.wait(LIMIT_S), 0)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--guest', required=True)
    settings = parser.parse_args()
    with run.started(settings) as (path, machine):
        drive(path, machine)
    print('passed')
    return 0


if __name__ == '__main__':
    sys.exit(main())
