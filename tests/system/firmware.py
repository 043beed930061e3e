#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Firmware of Debian's packages starts Linux and keeps what it is told: EDK2 from flash, U-Boot from memory.

usage: firmware.py [--gstage FILE] [--guests DIR]
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', '..', 'scripts', 'ci')]
import gstage_ci  # noqa: E402
import run  # noqa: E402

SETTINGS = argparse.Namespace()
MIB = 1 << 20
DISK_BYTES = 96 * MIB
APPEND = 'console=ttyS0'
BOOTED = ('Linux version', 'MARK userspace up', 'MARK done')
EXTLINUX = f'default linux\nlabel linux\n  kernel /Image\n  initrd /initrd\n  append {APPEND}\n'
SHELL_PROMPT = r'Shell> '
UBOOT_PROMPT = r'=> '
GUID = '01234567-89ab-cdef-0123-456789abcdef'
TRANSPORTS = ('virtio-blk-device', 'virtio-blk-pci')


def guest_file(name):
    return os.path.join(SETTINGS.guests, name)


def fat_disk(path, files):
    """A disk with one FAT partition; `files` are names in it and what they hold: bytes, or a file of the guests."""
    first = MIB // 512
    with open(path, 'wb') as stream:
        stream.truncate(DISK_BYTES)
        stream.seek(446)
        stream.write(bytes([0x80, 0, 0, 0, 0x0c, 0, 0, 0]) + struct.pack('<II', first, DISK_BYTES // 512 - first))
        stream.seek(510)
        stream.write(b'\x55\xaa')
    place = ['-i', f'{path}@@{MIB}']
    call = {'check': True, 'env': {**os.environ, 'MTOOLS_SKIP_CHECK': '1'}}
    subprocess.run(['mformat', *place, '-F', '-T', str(DISK_BYTES // 512 - first), '::'], **call)
    made = set()
    for name, content in files.items():
        parts = name.split('/')[:-1]
        for count in range(1, len(parts) + 1):
            folder = '/'.join(parts[:count])
            if folder not in made:
                subprocess.run(['mmd', *place, f'::{folder}'], **call)
                made.add(folder)
        if isinstance(content, bytes):
            subprocess.run(['mcopy', *place, '-', f'::{name}'], input=content, **call)
        else:
            subprocess.run(['mcopy', *place, guest_file(content), f'::{name}'], **call)


class FirmwareTest(unittest.TestCase):
    """A folder for the test's files."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def path(self, name):
        return os.path.join(self.scratch, name)

    def machine(self, *options):
        machine = gstage_ci.Machine(['-M', 'virt,acpi=off', '-m', '512M', *options], emulator=SETTINGS.gstage,
                                    timeout=SETTINGS.timeout)
        self.addCleanup(machine.kill)
        return machine

    def boots(self, machine):
        for expression in BOOTED:
            machine.expect(expression)
        machine.wait()

    def disk(self, transport, files):
        fat_disk(self.path('disk.img'), files)
        return ('-drive', f'if=none,id=d,format=raw,file={self.path("disk.img")}', '-device', f'{transport},drive=d')


class Edk2(FirmwareTest):
    """EDK2 in flash, as libvirt writes it."""

    def setUp(self):
        super().setUp()
        shutil.copy(guest_file('RISCV_VIRT_VARS.fd'), self.path('vars.fd'))

    def machine(self, *options):
        code = f'driver=file,node-name=code,read-only=on,filename={guest_file("RISCV_VIRT_CODE.fd")}'
        variables = f'driver=file,node-name=vars,filename={self.path("vars.fd")}'
        return super().machine('-machine', 'pflash0=code,pflash1=vars', '-blockdev', code, '-blockdev', variables,
                               *options)

    def shell(self, machine):
        """Waits for the shell, which nothing else that could be booted keeps away."""
        machine.expect(r'Press ESC in \d seconds|any other key to continue')
        machine.send('\x1b')
        machine.expect(SHELL_PROMPT)

    def command(self, machine, text):
        machine.send(text + '\r')
        machine.expect(SHELL_PROMPT)

    def test_linux_by_fw_cfg(self):
        self.boots(self.machine('-kernel', guest_file('Image'), '-initrd', guest_file('tiny.cpio.gz'),
                                '-append', APPEND))

    def test_linux_by_disk_and_what_the_shell_was_told_lasts(self):
        script = f'\\Image initrd=\\initrd {APPEND}\r\n'.encode('ascii')
        for transport in TRANSPORTS:
            with self.subTest(transport):
                disk = self.disk(transport, {'Image': 'Image', 'initrd': 'tiny.cpio.gz', 'startup.nsh': script})
                self.boots(self.machine(*disk))

    def test_variables_outlive_the_process(self):
        with self.machine() as machine:
            self.shell(machine)
            self.command(machine, f'setvar Kept -guid {GUID} -nv -bs =0x1122334455')
        with self.machine() as machine:
            self.shell(machine)
            machine.send(f'setvar Kept -guid {GUID}\r')
            machine.expect('55 44 33 22 11 00')
            machine.expect(SHELL_PROMPT)
            machine.send('reset\r')
            self.shell(machine)
            machine.send('reset -s\r')
            machine.wait()


class UBoot(FirmwareTest):
    """U-Boot, in S-mode behind OpenSBI and in M-mode."""

    def smode(self, *options):
        return self.machine('-bios', guest_file('fw_dynamic.bin'), '-kernel', guest_file('u-boot-smode.bin'), *options)

    def test_linux_by_disk(self):
        for transport in TRANSPORTS:
            with self.subTest(transport):
                disk = self.disk(transport, {'Image': 'Image', 'initrd': 'tiny.cpio.gz',
                                             'extlinux/extlinux.conf': EXTLINUX.encode('ascii')})
                self.boots(self.smode(*disk))

    def test_machine_mode(self):
        machine = self.machine('-bios', guest_file('u-boot-mmode.bin'))
        machine.expect('Hit any key')
        machine.send('\n')
        machine.expect(UBOOT_PROMPT)
        machine.send('poweroff\n')
        machine.wait()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', default='build/gstage')
    parser.add_argument('--guests')
    parser.add_argument('--timeout', type=int, default=300)
    parser.parse_known_args(namespace=SETTINGS)
    SETTINGS.guests = SETTINGS.guests or run.guests_directory()
    if not SETTINGS.guests:
        print('skipped, the Linux guests are not made (scripts/make-guests)')
        return run.SKIPPED
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
