#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/ci: the helper library with small programs, then its example with a KVM guest, if the guests are made.

usage: ci_helpers.py [--gstage FILE] --programs DIR
"""

import argparse
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
CI = os.path.join(ROOT, 'scripts', 'ci')
sys.path[:0] = [HERE, CI]
import gstage_ci  # noqa: E402
import run  # noqa: E402

BARE = ['-M', 'virt', '-m', '64M', '-bios', 'none']
SETTINGS = argparse.Namespace()


def machine(program, **named):
    return gstage_ci.Machine([*BARE, '-kernel', os.path.join(SETTINGS.programs, program)], **named)


class Helpers(unittest.TestCase):
    """The library."""

    def test_output_and_exit_code(self):
        with machine('exit-fail.elf') as one:
            self.assertEqual(one.expect('MARK (.*)')[1].strip(), 'exit')
            self.assertEqual(one.wait(code=7), 7)
            with self.assertRaises(gstage_ci.MachineFailure):
                one.refuse('MARK')
            with self.assertRaises(gstage_ci.MachineFailure):
                one.wait(code=0)

    def test_what_does_not_come_fails_with_the_console(self):
        with machine('exit-pass.elf') as one:
            with self.assertRaisesRegex(gstage_ci.MachineFailure, 'without "never"(.|\n)*MARK exit'):
                one.expect('never')

    def test_a_hang_fails(self):
        with machine('reset.elf', timeout=2) as one:
            with self.assertRaisesRegex(gstage_ci.MachineFailure, 'the time is over'):
                one.expect('never')

    def test_what_is_typed_arrives(self):
        options = ['-M', 'virt', '-m', '64M', '-kernel', os.path.join(SETTINGS.programs, 'htif-echo.elf')]
        with gstage_ci.Machine(options) as one:
            one.expect('call')
            one.send('x')
            one.expect('x')
            one.wait()

    def test_exits(self):
        with machine('vmexits.elf', profile=True) as one:
            one.wait()
            self.assertEqual(one.exit_count('guest-page fault'), 30)
            self.assertEqual(one.exit_count('guest-page fault', vmid=1), 0)
            self.assertEqual({row['vmid'] for row in one.exits()}, {5})

    def test_keywords(self):
        keywords = gstage_ci.gstage_ci()
        keywords.start_machine(*BARE, '-kernel', os.path.join(SETTINGS.programs, 'vmexits.elf'))
        try:
            keywords.machine_ends_with('0')
            keywords.exits_are_at_least('10', 'HSM')
            with self.assertRaises(AssertionError):
                keywords.exits_are_at_least('11', 'HSM')
        finally:
            keywords.stop_machine()


def main():
    parser = argparse.ArgumentParser(description='Checks scripts/ci.')
    parser.add_argument('--gstage', default='build/gstage')
    parser.add_argument('--programs', required=True)
    parser.parse_args(namespace=SETTINGS)
    os.environ['GSTAGE'] = os.path.abspath(SETTINGS.gstage)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Helpers)
    if not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful():
        return 1
    guests = run.guests_directory()
    if guests:
        os.environ['GSTAGE_GUESTS'] = guests
    return subprocess.run([sys.executable, '-B', os.path.join(CI, 'examples', 'kvm_guest_test.py'), '-v'],
                          check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
