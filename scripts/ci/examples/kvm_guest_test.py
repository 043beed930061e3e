#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An example: boots Linux with KVM and a guest in it, and asserts on both. Runs with unittest and with pytest.

$GSTAGE is the emulator, $GSTAGE_GUESTS the folder that scripts/make-guests prints.
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from gstage_ci import Machine  # noqa: E402  pylint: disable=wrong-import-position

GUESTS = os.environ.get('GSTAGE_GUESTS')


@unittest.skipUnless(GUESTS, 'GSTAGE_GUESTS says where the Linux guests are: scripts/make-guests makes them')
class KvmGuest(unittest.TestCase):
    """Linux as a KVM guest of Linux."""

    def test_the_guest_boots_and_ends(self):
        options = ['-M', 'virt', '-m', '1G', '-no-reboot', '-bios', f'{GUESTS}/fw_dynamic.bin', '-kernel',
                   f'{GUESTS}/Image', '-initrd', f'{GUESTS}/host.cpio.gz', '-append', 'console=ttyS0']
        with Machine(options, profile=True) as machine:
            machine.expect('MARK host up')
            machine.expect('MARK guest start')
            machine.expect('Linux version')
            machine.expect('MARK userspace up')
            machine.expect('MARK guest end rc=0')
            machine.wait(code=0)
            machine.refuse('Kernel panic')
            # KVM answers the guest's SBI calls and maps its memory page by page.
            self.assertGreater(machine.exit_count('SBI '), 10)
            self.assertGreater(machine.exit_count('guest-page fault'), 1000)


if __name__ == '__main__':
    unittest.main()
