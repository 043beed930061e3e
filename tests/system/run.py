#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots scenarios and watches their serial line.

usage: run.py [--gstage FILE] [--programs DIR] [--minivisor FILE] [--guests DIR] [--logs DIR] NAME...

Exit code: 0 passed, 1 failed, 77 skipped because the Linux guests are not made (scripts/make-guests makes them).
$GSTAGE takes the place of --gstage, so that another emulator with the same command line can be tried.
"""

import argparse
import contextlib
import os
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scenarios import SCENARIOS  # noqa: E402

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
# A guest kernel that says one of these is lost; waiting for the timeout would tell nothing more.
FATAL = re.compile(rb'Kernel panic|rcu: INFO|BUG:|Oops')
SKIPPED = 77
TAIL_LINES = 40
DISK_BYTES = 1 << 20
PATTERN_AT = 4 * 4096
PATTERN = (b'gstage disk pattern\n' * 4096)[:65536]


class Failure(Exception):
    """What went wrong, in one sentence."""


class Console:
    """The serial line of a running emulator."""

    def __init__(self, command, timeout, log):
        self.deadline = time.monotonic() + timeout
        self.timeout = timeout
        self.text = b''
        self.ended = False
        self.log = log
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def read_more(self):
        """Waits for more text; false at the end of it."""
        left = self.deadline - time.monotonic()
        if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
            raise Failure(f'it hangs: nothing decisive for {self.timeout} s')
        chunk = os.read(self.process.stdout.fileno(), 65536)
        self.text += chunk
        self.log.write(chunk)
        fatal = FATAL.search(self.text, max(0, len(self.text) - len(chunk) - 32))
        if fatal:
            raise Failure(f'the guest says "{fatal[0].decode()}"')
        self.ended = not chunk
        return bool(chunk)

    def wait_for(self, expression, start):
        """The place behind the first match from start on."""
        pattern = re.compile(expression.encode())
        while True:
            match = pattern.search(self.text, start)
            if match:
                return match.end()
            if not self.read_more():
                raise Failure(f'it ended with code {self.process.wait()} without "{expression}"')

    def exit_code(self):
        while not self.ended and self.read_more():
            pass
        try:
            return self.process.wait(max(1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failure('it closed its output but does not end') from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tail(self):
        return b'\n'.join(self.text.splitlines()[-TAIL_LINES:]).decode(errors='replace')


def watch(scenario, console):
    """Raises a Failure unless all happens as the scenario says."""
    place = 0
    for expression in scenario.expect:
        place = console.wait_for(expression, place)
    if scenario.exit_code is None:
        console.kill()
    else:
        code = console.exit_code()
        if code != scenario.exit_code:
            raise Failure(f'exit code {code} instead of {scenario.exit_code}')
    if scenario.refuse and re.search(scenario.refuse.encode(), console.text):
        raise Failure(f'there is "{scenario.refuse}" on the serial line')


def check_disk(scenario, path):
    with open(path, 'rb') as disk:
        content = disk.read()
    expected = bytearray(DISK_BYTES)
    if scenario.disk == 'written':
        expected[PATTERN_AT:PATTERN_AT + len(PATTERN)] = PATTERN
    if content != expected:
        raise Failure(f'the disk is not as it should be: {scenario.disk}')


def guests_directory():
    """Where the Linux guests are; None if they are not made."""
    if os.environ.get('GSTAGE_GUESTS'):
        return os.environ['GSTAGE_GUESTS']
    run = subprocess.run([os.path.join(ROOT, 'scripts', 'make-guests'), '--cached'], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, check=False)
    return run.stdout.strip() or None


def run(scenario, settings):
    """Runs one scenario; returns the exit code of the test."""
    if '{guests}' in scenario.options and not settings.guests:
        print(f'{scenario.name}: skipped, the Linux guests are not made (scripts/make-guests)')
        return SKIPPED
    with tempfile.TemporaryDirectory(dir=settings.logs) as scratch:
        disk = os.path.join(scratch, 'disk.img')
        with open(disk, 'wb') as stream:
            stream.truncate(DISK_BYTES)
        places = {'guests': settings.guests, 'programs': settings.programs, 'minivisor': settings.minivisor,
                  'disk': disk, 'wire': os.path.join(scratch, 'wire')}
        log_path = os.path.join(settings.logs, f'{scenario.name}.log')
        with open(log_path, 'wb') as log, second_machine(scenario, settings, places):
            return attempt(scenario, command_of(settings, scenario.options, scenario.append, places), log, disk)


def command_of(settings, options, append, places):
    command = [settings.gstage] + [word.format(**places) for word in options.split()]
    return command + (['-append', f'console=ttyS0 {append}'.strip()] if '{guests}' in options else [])


@contextlib.contextmanager
def second_machine(scenario, settings, places):
    """The machine beside the one that is watched, if there is one; its console goes to a log of its own."""
    if not scenario.beside:
        yield
        return
    with open(os.path.join(settings.logs, f'{scenario.name}-beside.log'), 'wb') as log:
        with subprocess.Popen(command_of(settings, scenario.beside, scenario.beside_append, places),
                              stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT) as machine:
            try:
                yield
            finally:
                machine.kill()


def attempt(scenario, command, log, disk):
    begin = time.monotonic()
    console = Console(command, scenario.timeout, log)
    try:
        watch(scenario, console)
        if scenario.disk:
            check_disk(scenario, disk)
        print(f'{scenario.name}: passed in {time.monotonic() - begin:.1f} s')
        return 0
    except Failure as failure:
        print(f'{scenario.name}: FAILED: {failure}\n  command: {shlex.join(command)}\n  log: {log.name}; its end:')
        print(console.tail())
        return 1
    finally:
        console.kill()


def parse(arguments):
    build = os.path.join(ROOT, 'build')
    parser = argparse.ArgumentParser(description='Boots scenarios and watches their serial line.')
    parser.add_argument('--gstage', default=os.path.join(build, 'gstage'))
    parser.add_argument('--programs', default=os.path.join(build, 'tests', 'system'))
    parser.add_argument('--minivisor', default=os.path.join(build, 'tests', 'guests', 'minivisor.elf'))
    parser.add_argument('--guests')
    parser.add_argument('--logs', default=tempfile.gettempdir())
    parser.add_argument('names', nargs='+', metavar='NAME', help=', '.join(row.name for row in SCENARIOS))
    settings = parser.parse_args(arguments)
    unknown = set(settings.names) - {row.name for row in SCENARIOS}
    if unknown:
        parser.error(f'no scenario {", ".join(sorted(unknown))}')
    settings.gstage = os.environ.get('GSTAGE', settings.gstage)
    if not os.access(settings.gstage, os.X_OK):
        parser.error(f'no emulator {settings.gstage}: build it first (scripts/build) or name one with --gstage')
    settings.guests = settings.guests or guests_directory()
    return settings


def main(arguments):
    settings = parse(arguments)
    rows = {row.name: row for row in SCENARIOS}
    codes = [run(rows[name], settings) for name in settings.names]
    return 1 if 1 in codes else max(codes)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
