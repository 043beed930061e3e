#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian 13 boots from the disk of scripts/make-guests --disk, by -kernel and by EDK2 and GRUB; it honours a seed of
cloud-init, ssh leads into it, and a KVM guest in it has a network of its own. Nothing is written to the disk.

usage: disk.py --gstage FILE [--disk DIR]
Exit code: 0 passed, 1 failed, 77 skipped because the disk or a program is not there.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
LIMIT_S = 300
SKIPPED = 77
PROGRAMS = ('ssh', 'mkfs.vfat', 'mcopy')
USER_DATA = '''#cloud-config
hostname: seeded
write_files:
  - path: /etc/seeded
    content: by cloud-init
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Machine:
    """Debian, started; its console goes to a file."""

    def __init__(self, gstage, disk, folder, options):
        self.disk, self.port = disk, free_port()
        self.log = os.path.join(folder, 'console')
        command = [gstage, '-M', 'virt', '-cpu', 'max', '-m', '2G', '-smp', '2', '-nographic', '-no-reboot',
                   '-bios', f'{disk}/fw_dynamic.bin',
                   '-drive', f'file={disk}/debian.img,format=raw,snapshot=on',
                   '-nic', f'user,hostfwd=tcp:127.0.0.1:{self.port}-:22', *options]
        with open(self.log, 'wb') as console:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)

    def ssh(self, *words, limit=LIMIT_S):
        """What the command prints; None if nobody answers, or it fails."""
        done = subprocess.run(['ssh', '-F', f'{self.disk}/ssh', '-p', str(self.port), '-o', 'BatchMode=yes',
                               '-o', 'ConnectTimeout=20', '-o', 'ConnectionAttempts=1', 'debian', *words],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False, timeout=limit)
        return done.stdout if done.returncode == 0 else None

    def wait(self):
        """Until somebody may log in."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end and self.process.poll() is None:
            said = self.ssh('echo', 'in')
            if said == 'in\n':
                return
            time.sleep(0.5)
        raise AssertionError('nobody answers by ssh')

    def power_off(self):
        self.ssh('systemctl', 'poweroff')
        code = self.process.wait(timeout=LIMIT_S)
        assert code == 0, f'it ended with code {code}'


def by_kernel(disk, folder):
    """The kernel from the host, a seed as a second disk."""
    seed = os.path.join(folder, 'seed.img')
    for name, text in (('user-data', USER_DATA), ('meta-data', 'instance-id: test\n')):
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as stream:
            stream.write(text)
    subprocess.run(['mkfs.vfat', '-n', 'CIDATA', '-C', seed, '1024'], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['mcopy', '-i', seed, f'{folder}/user-data', f'{folder}/meta-data', '::'], check=True)
    return ['-kernel', f'{disk}/Image', '-initrd', f'{disk}/initrd.img', '-append', 'root=LABEL=debian console=ttyS0',
            '-drive', f'file={seed},format=raw']


def by_firmware(disk, folder):
    """EDK2 finds GRUB on the disk; its variables are the test's own."""
    variables = os.path.join(folder, 'vars.fd')
    shutil.copy(f'{disk}/flash-vars.fd', variables)
    return ['-drive', f'if=pflash,unit=0,format=raw,readonly=on,file={disk}/flash-code.fd',
            '-drive', f'if=pflash,unit=1,format=raw,file={variables}']


def check_kernel(machine):
    machine.wait()
    assert machine.ssh('cloud-init', 'status', '--wait') is not None, 'cloud-init has failed'
    assert machine.ssh('cat', '/etc/seeded') == 'by cloud-init', 'the seed was not honoured'
    assert machine.ssh('hostname') == 'seeded\n', 'the seed gave no name'
    said = machine.ssh('kvm-guest', 'do=ping')
    assert said is not None, 'the KVM guest has failed'
    assert 'network up 192.168.77.' in said, f'the KVM guest has no network: {said[-2000:]}'
    assert 'MARK ping 10 10' in said, f'the network of the KVM guest leads nowhere: {said[-2000:]}'


def check_firmware(machine):
    machine.wait()
    assert machine.ssh('test', '-d', '/sys/firmware/efi') is not None, 'there was no EFI'
    assert machine.ssh('ls', '/boot/efi/EFI/BOOT') is not None, 'there is no EFI partition'


SCENARIOS = {'kernel': (by_kernel, check_kernel), 'firmware': (by_firmware, check_firmware)}


def run(name, gstage, disk):
    """What is wrong, or an empty text."""
    options, check = SCENARIOS[name]
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(gstage, disk, folder, options(disk, folder))
        try:
            check(machine)
            machine.power_off()
            return ''
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            with open(machine.log, encoding='utf-8', errors='replace') as stream:
                return f'{failure}; the console ends with:\n{stream.read()[-3000:]}'
        finally:
            machine.process.kill()
            machine.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--disk')
    arguments = parser.parse_args()
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        print(f'skipped, there is no {missing[0]} (scripts/install-deps disk)')
        return SKIPPED
    disk = arguments.disk or subprocess.run(
        [os.path.join(ROOT, 'scripts', 'make-guests'), '--disk', '--cached'], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    if not disk:
        print('skipped, the disk is not made (scripts/make-guests --disk)')
        return SKIPPED
    failed = 0
    for name in SCENARIOS:
        begin = time.monotonic()
        wrong = run(name, arguments.gstage, disk)
        print(f'{name}: {wrong or "passed"} ({time.monotonic() - begin:.1f} s)', flush=True)
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
