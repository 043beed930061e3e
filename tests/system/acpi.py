#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux, started by EDK2 without a device tree, finds harts, interrupt controllers, PCI and the console by ACPI.

usage: acpi.py [--gstage FILE] [--guests DIR] [--firmware FILE] [TEST...]

The firmware is RISCV_VIRT_CODE.fd of the guests, or that of scripts/make-guests --disk. Where it, the guests or mtools
are missing the test is skipped (exit code 77).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
sys.path[:0] = [HERE, os.path.join(ROOT, 'scripts', 'ci')]
import gstage_ci  # noqa: E402
import run  # noqa: E402

SETTINGS = argparse.Namespace()
FLASH_BYTES = 32 << 20
DISK_BYTES = 64 << 20
# What the firmware's shell does by itself; the command line of Linux is what stands behind the program's name.
SCRIPT = '\\Image.efi initrd=\\initrd console=ttyS0 acpi=force net=none do=interrupts,lspci\r\n'
# What Linux says of tables and AML that it does not like.
COMPLAINTS = r'ACPI (BIOS )?(Error|Warning)|ACPI Exception|not reserved in ACPI|\bAE_[A-Z]+'


def disk_with_linux(path):
    """A FAT file system with kernel, initrd and the script."""
    with open(path, 'wb') as stream:
        stream.truncate(DISK_BYTES)
    subprocess.run(['mformat', '-i', path, '-F', '-T', str(DISK_BYTES // 512), '::'], check=True)
    for name, target in (('Image', 'Image.efi'), ('net.cpio.gz', 'initrd')):
        subprocess.run(['mcopy', '-i', path, os.path.join(SETTINGS.guests, name), f'::{target}'], check=True)
    subprocess.run(['mcopy', '-i', path, '-', '::startup.nsh'], input=SCRIPT.encode('ascii'), check=True)


class Acpi(unittest.TestCase):
    """One boot for each kind of interrupt controllers."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.disk = os.path.join(scratch.name, 'disk.img')
        self.variables = os.path.join(scratch.name, 'vars.fd')
        disk_with_linux(self.disk)
        with open(self.variables, 'wb') as stream:
            stream.write(b'\xff' * FLASH_BYTES)

    def boot(self, aia, controller):
        """The console's text."""
        machine = gstage_ci.Machine(
            ['-M', f'virt,acpi=on,aia={aia}', '-m', '512M', '-smp', '2', '-nic', 'none',
             '-bios', os.path.join(SETTINGS.guests, 'fw_dynamic.bin'),
             '-drive', f'if=pflash,unit=0,format=raw,readonly=on,file={SETTINGS.firmware}',
             '-drive', f'if=pflash,unit=1,format=raw,file={self.variables}',
             '-drive', f'if=none,id=d,format=raw,file={self.disk}', '-device', 'virtio-blk-pci,drive=d',
             '-device', 'virtio-rng-device'], emulator=SETTINGS.gstage, timeout=SETTINGS.timeout)
        self.addCleanup(machine.kill)
        machine.expect('any other key to continue')
        machine.send('\r')
        machine.expect(r'smp: Brought up 1 node, 2 CPUs')
        machine.expect(r'ACPI: Using RINTC for interrupt routing')
        machine.expect(controller)
        machine.expect(r'ACPI: PCI Root Bridge \[PCI0\] \(domain 0000 \[bus 00-ff\]\)')
        machine.expect(r'ECAM area \[mem 0x30000000-0x3fffffff\] reserved by PNP0C02')
        machine.expect(r'RSCV0003:00: ttyS0 at MMIO 0x10000000')
        machine.expect('MARK lspci end')
        machine.expect('MARK done')
        machine.wait()
        machine.refuse(COMPLAINTS)
        return machine.text

    def test_plic(self):
        text = self.boot('none', r'riscv-plic: IC00: mapped 95 interrupts')
        self.assertRegex(text, r'PLIC +10 .*ttyS0')
        self.assertRegex(text, r'PLIC +33 .*virtio')
        self.assertRegex(text, r'PLIC +8 .*virtio')

    def test_aplic(self):
        text = self.boot('aplic', r'riscv-aplic RSCV0002:00: 96 interrupts directly connected to 2 CPUs')
        self.assertRegex(text, r'APLIC-DIRECT +10 .*ttyS0')
        self.assertRegex(text, r'APLIC-DIRECT +33 .*virtio')

    def test_imsic(self):
        text = self.boot('aplic-imsic', r'riscv-aplic RSCV0002:00: 96 interrupts forwarded to MSI')
        self.assertRegex(text, r'APLIC-MSI\S* +10 .*ttyS0')
        self.assertRegex(text, r'PCI-MSIX-0000:00:01.0 .*virtio')


def find_firmware(guests):
    """The file, or an empty text."""
    own = os.path.join(guests, 'RISCV_VIRT_CODE.fd')
    if os.path.exists(own):
        return own
    made = subprocess.run([os.path.join(ROOT, 'scripts', 'make-guests'), '--disk', '--cached'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return os.path.join(made.stdout.strip(), 'flash-code.fd') if made.returncode == 0 else ''


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', default='build/gstage')
    parser.add_argument('--guests')
    parser.add_argument('--firmware')
    parser.add_argument('--timeout', type=int, default=300)
    parser.add_argument('tests', nargs='*')
    parser.parse_args(namespace=SETTINGS)
    SETTINGS.guests = SETTINGS.guests or run.guests_directory()
    SETTINGS.firmware = SETTINGS.firmware or (find_firmware(SETTINGS.guests) if SETTINGS.guests else '')
    if not SETTINGS.firmware or not shutil.which('mformat'):
        print('skipped, the Linux guests, EDK2 (scripts/make-guests --disk) or mtools are not there')
        return run.SKIPPED
    result = unittest.main(argv=[sys.argv[0], *SETTINGS.tests], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
