# SPDX-License-Identifier: Apache-2.0
"""Machines of gstage in tests: start one, wait for what it prints, type, see how it ended and why its guests left.

With unittest or by itself use Machine; with pytest put `pytest_plugins = ['gstage_ci']` into conftest.py and take the
fixture `gstage_machine`; for Robot Framework say `Library  gstage_ci`. The standard library is enough; pytest and
Robot Framework are used where they are. docs/ci.md has examples.
"""

import json
import os
import re
import select
import subprocess
import tempfile
import time

EXIT_FAIL_ON = 120   # --fail-on was found
EXIT_MISSING = 121   # the machine ended before all of --expect was found
EXIT_TIMEOUT = 124   # --timeout is over

TAIL = 2000


class MachineFailure(AssertionError):
    """What was expected did not come; the message has the end of the console's text."""


def find_emulator():
    """$GSTAGE, or that of this checkout, or that of the path."""
    built = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'gstage')
    return os.environ.get('GSTAGE') or (built if os.access(built, os.X_OK) else 'gstage')


class Machine:
    """A machine that runs, with its first serial port on our pipes. As a context manager it ends with the block.

    `options` are the command line, `timeout` the seconds after which anything counts as a hang; `profile` asks for the
    exits of its guests, which `exits` has after the end.
    """

    ROBOT_LIBRARY_SCOPE = 'TEST'

    def __init__(self, options=(), timeout=600, profile=False, emulator=None):
        self.deadline = time.monotonic() + timeout
        self.text = ''
        self.place = 0
        self._scratch = tempfile.TemporaryDirectory(prefix='gstage-ci-')
        self._profile = os.path.join(self._scratch.name, 'exits.json') if profile else None
        self.command = [emulator or find_emulator(), *options, '-nographic', '-monitor', 'none', '-serial', 'stdio']
        if self._profile:
            self.command += ['-trace', f'exits,format=json,file={self._profile}']
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def expect(self, expression):
        """Waits until the console prints it, behind what was expected before; returns the match."""
        pattern = re.compile(expression)
        while True:
            match = pattern.search(self.text, self.place)
            if match:
                self.place = match.end()
                return match
            if not self._read():
                raise self._failure(f'it ended with code {self.process.wait()} without "{expression}"')

    def refuse(self, expression):
        """Nothing that was printed so far matches."""
        match = re.search(expression, self.text)
        if match:
            raise self._failure(f'there is "{match[0]}" on the console')

    def send(self, text):
        """Types."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait(self, code=0):
        """Waits until it ends by itself, with this exit code (None: any); returns the code."""
        while self._read():
            pass
        found = self.process.wait()
        if code is not None and found != code:
            raise self._failure(f'exit code {found} instead of {code}')
        return found

    def kill(self):
        """Ends it, if it runs, and removes its files."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self._scratch.cleanup()

    def exits(self, by=None, vmid=None):
        """The rows of the exit profile (docs/exits.md) whose cause matches the expression `by`. Before `kill`."""
        if not self._profile:
            raise ValueError('start the machine with profile=True')
        with open(self._profile, encoding='utf-8') as stream:
            rows = json.load(stream)['exits']
        return [row for row in rows if (by is None or re.search(by, row['by'])) and vmid in (None, row['vmid'])]

    def exit_count(self, by=None, vmid=None):
        """How many exits those are."""
        return sum(row['count'] for row in self.exits(by, vmid))

    def _read(self):
        """Some more text; False at its end."""
        stream = self.process.stdout
        if not select.select([stream], [], [], max(0, self.deadline - time.monotonic()))[0]:
            raise self._failure('it hangs: the time is over')
        data = os.read(stream.fileno(), 1 << 16)
        self.text += data.decode(errors='replace')
        return bool(data)

    def _failure(self, what):
        return MachineFailure(f'{what}\ncommand: {" ".join(self.command)}\nthe console\'s end:\n{self.text[-TAIL:]}')


class gstage_ci:  # pylint: disable=invalid-name
    """The same as keywords of Robot Framework: its name is that of the file."""

    ROBOT_LIBRARY_SCOPE = 'TEST'

    def __init__(self):
        self.machine = None

    def start_machine(self, *options, timeout=600, profile=True):
        """Start Machine    -M    virt    -kernel    ..."""
        self.machine = Machine(options, float(timeout), profile)

    def expect_output(self, expression):
        """Waits until the console prints it; returns the text that matched."""
        return self.machine.expect(expression)[0]

    def refuse_output(self, expression):
        """Fails if the console has printed it."""
        self.machine.refuse(expression)

    def type_text(self, text):
        """Types it and the end of a line."""
        self.machine.send(text + '\n')

    def machine_ends_with(self, code=0):
        """Waits until the machine ends by itself."""
        self.machine.wait(int(code))

    def exits_are_at_least(self, count, by=None):
        """Fails if guests left less often for causes that match."""
        found = self.machine.exit_count(by)
        if found < int(count):
            raise AssertionError(f'{found} exits by "{by}", less than {count}')

    def stop_machine(self):
        """Ends it, if there is one: for the teardown."""
        if self.machine:
            self.machine.kill()
            self.machine = None


try:
    import pytest
except ImportError:
    pass
else:
    @pytest.fixture
    def gstage_machine():
        """Makes machines as Machine does, and ends them after the test."""
        machines = []

        def make(*arguments, **named):
            machines.append(Machine(*arguments, **named))
            return machines[-1]

        yield make
        for machine in machines:
            machine.kill()
