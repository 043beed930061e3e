#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scenarios of the system tests, one row each. Run by itself it lists them for meson: NAME TIMEOUT PARALLEL."""

import dataclasses
from typing import List, Optional


@dataclasses.dataclass
class Scenario:
    """A machine to start and what has to come of it.

    In options {guests} is the directory of the Linux guests, {programs} that of the bare-metal programs, {minivisor}
    the bare-metal hypervisor, {disk} a fresh disk and {wire} where a unix socket may be. A scenario that names {guests}
    is skipped where there are none.
    """
    name: str
    options: str
    expect: List[str]                # regular expressions, found in this order on the serial line
    timeout: int                     # seconds until it counts as a hang; generous, as machines differ
    exit_code: Optional[int] = 0     # None: killed (signal 9) after the last expectation
    append: str = ''                 # the kernel command line
    disk: str = ''                   # after the run the disk is 'written' or 'unchanged'
    refuse: str = ''                 # a regular expression that must not be found
    parallel: bool = True            # whether other tests may run beside it
    beside: str = ''                 # the options of a second machine, which runs as long as the first
    beside_append: str = ''          # and its kernel command line


BARE = '-M virt -m 256M -nographic -bios none '
LINUX = '-M virt -nographic -no-reboot -bios {guests}/fw_dynamic.bin -kernel {guests}/Image '
TINY = LINUX + '-m 512M -initrd {guests}/tiny.cpio.gz '
HOST = LINUX + '-m 1G -initrd {guests}/host.cpio.gz '
DISK = TINY + '-device virtio-blk-device,drive=d -drive if=none,id=d,format=raw,file={disk}'
NET = LINUX + '-m 512M -initrd {guests}/net.cpio.gz '
# See scripts/guests/nethost-init for Sscofpmf.
NETHOST = LINUX + '-m 1G -initrd {guests}/nethost.cpio.gz -cpu rv64,sscofpmf=on '
USER_MMIO = '-netdev user,id=n -device virtio-net-device,netdev=n '
USER_PCI = '-netdev user,id=n -device virtio-net-pci,netdev=n '
WIRE = '-netdev stream,id=n,addr.type=unix,addr.path={wire}'
WIRE_SERVER = WIRE + ',server=on -device virtio-net-device,netdev=n '
WIRE_CLIENT = WIRE + ',reconnect-ms=100 -device virtio-net-device,netdev=n,mac=52:54:00:12:34:57 '
PCI_DISK = DISK.replace('virtio-blk-device', 'virtio-blk-pci')
RESET = BARE + '-kernel {programs}/reset.elf '
TWICE_CLEAN = ['MARK boot clean', 'MARK boot clean']

IMSIC = '-M virt,aia=aplic-imsic,aia-guests={} '
IMSIC_ACLINT = '-M virt,aia=aplic-imsic,aia-guests=1,aclint=on '
ACLINT = '-M virt,aclint=on '
APLIC = '-M virt,aia=aplic '

USERSPACE = ['OpenSBI v', 'Linux version', 'MARK userspace up', 'MARK done']
NESTED = ['Linux version', 'MARK host up', r'kvm \[', 'MARK guest start', 'Linux version', 'MARK userspace up',
          'MARK done', 'MARK guest end rc=0', 'MARK host done']


PINGED = ['MARK network up 10.0.2.15 gateway 10.0.2.2', r'MARK ping 10 10\b', 'MARK done']


def kvm_aia(guest_files):
    return NESTED[:2] + [rf'AIA available with {guest_files} guest external interrupts'] + NESTED[3:]


def with_machine(machine, options):
    return options.replace('-M virt ', machine)


def harts(count):
    return USERSPACE[:-1] + [rf'harts {count}\b', USERSPACE[-1]]


SCENARIOS = [
    Scenario('minivisor-jit', BARE + '-kernel {minivisor}', ['MARK minivisor done'], 60),
    Scenario('minivisor-interp', BARE + '-accel interp -kernel {minivisor}', ['MARK minivisor done'], 120),

    Scenario('exit-pass', BARE + '-kernel {programs}/exit-pass.elf', ['MARK exit'], 60),
    Scenario('exit-fail', BARE + '-kernel {programs}/exit-fail.elf', ['MARK exit'], 60, exit_code=7),
    Scenario('reset-jit', RESET, TWICE_CLEAN, 60, exit_code=None, refuse='boot dirty'),
    Scenario('reset-interp', RESET + '-accel interp', TWICE_CLEAN, 60, exit_code=None, refuse='boot dirty'),
    Scenario('reset-smp2', RESET + '-smp 2', TWICE_CLEAN, 60, exit_code=None, refuse='boot dirty'),
    Scenario('no-reboot', RESET + '-no-reboot', TWICE_CLEAN[:1], 60, refuse='clean(.|\n)*clean'),

    Scenario('linux-jit-smp1', TINY, harts(1), 300),
    Scenario('linux-jit-smp2', TINY + '-smp 2', harts(2), 300, parallel=False),
    Scenario('linux-aclint-smp2', with_machine(ACLINT, TINY) + '-smp 2',
             ['aclint-mswi', 'aclint-mtimer'] + harts(2)[1:], 300, parallel=False),
    Scenario('linux-imsic-aclint-smp2', with_machine(IMSIC_ACLINT, TINY) + '-smp 2', harts(2), 300, parallel=False),
    Scenario('linux-interp', TINY + '-accel interp', harts(1), 900),
    Scenario('linux-reboot', TINY.replace('-no-reboot', ''), USERSPACE + USERSPACE, 600, exit_code=None,
             append='reboot=1'),
    Scenario('kvm-smp1-gsmp1', HOST, NESTED, 600),
    Scenario('kvm-rva23s64', HOST + '-cpu rva23s64', NESTED, 600),
    Scenario('kvm-smp2-gsmp2', HOST + '-smp 2', NESTED, 600, append='gsmp=2', parallel=False),

    Scenario('linux-max', TINY + '-cpu max', ['riscv-pmu-sbi: .* 31 hardware counters'] + USERSPACE[2:], 300),
    Scenario('kvm-max', HOST + '-cpu max', NESTED, 600),

    # AIA: what Linux's drivers say of it, then the KVM guest with in-kernel APLIC and IMSIC.
    Scenario('linux-aplic', with_machine(APLIC, TINY), ['riscv-aplic', 'MARK userspace up', 'MARK done'], 300),
    Scenario('linux-imsic-interp', with_machine(IMSIC.format(1), TINY) + '-accel interp',
             ['riscv-imsic', 'MARK userspace up', 'MARK done'], 900),
    Scenario('linux-imsic-smp2', with_machine(IMSIC.format(1), TINY) + '-smp 2', harts(2), 300, parallel=False),
    Scenario('kvm-imsic-smp1', with_machine(IMSIC.format(3), HOST), kvm_aia(3), 600, append='gaia=aplic-imsic',
             refuse='rcu.*stall'),
    Scenario('kvm-imsic-smp2', with_machine(IMSIC.format(3), HOST) + '-smp 2', kvm_aia(3), 600,
             append='gsmp=2 gaia=aplic-imsic', refuse='rcu.*stall', parallel=False),
    Scenario('kvm-imsic-no-files', with_machine(IMSIC.format(0), HOST), kvm_aia(0), 600, append='gaia=aplic-imsic',
             refuse='rcu.*stall'),

    # What the guest was told is flushed is in the file though the emulator dies the hardest way.
    Scenario('disk-kill', DISK, ['MARK disk flushed'], 300, exit_code=None, append='disk=write', disk='written'),
    Scenario('disk-read-back', DISK, ['MARK disk read back', 'MARK done'], 300, append='disk=fill', disk='written'),
    Scenario('disk-packed', DISK.replace('drive=d ', 'drive=d,packed=on,in_order=on '),
             ['MARK disk read back', 'MARK done'], 300, append='disk=fill', disk='written'),
    Scenario('disk-pci', PCI_DISK, ['MARK disk read back', 'MARK done'], 300, append='disk=fill', disk='written'),
    Scenario('disk-pci-packed-msix',
             with_machine(IMSIC.format(0), PCI_DISK.replace('drive=d ', 'drive=d,packed=on ')) + ' -smp 2',
             ['MARK disk read back', 'MARK done'], 300, append='disk=fill', disk='written'),
    Scenario('disk-snapshot', DISK + ',snapshot=on', ['MARK disk read back', 'MARK done'], 300, append='disk=fill',
             disk='unchanged'),
    Scenario('disk-readonly', DISK + ',readonly=on', ['ro=1', 'MARK disk refused', 'MARK done'], 300,
             append='disk=readonly', disk='unchanged'),

    # A network: an address by DHCP and pings, while the interrupt moves from hart to hart; what lspci makes of it;
    # a KVM guest on a bridge with the card of its host, which pings another machine.
    Scenario('net-mmio', NET + USER_MMIO, PINGED, 300, append='do=ping'),
    Scenario('net-mmio-imsic-smp2', with_machine(IMSIC.format(1), NET) + USER_MMIO + '-smp 2',
             PINGED[:2] + [r'MARK moved [1-9]', PINGED[2]], 300, append='do=ping move=1', parallel=False),
    Scenario('net-pci', NET + USER_PCI, PINGED, 300, append='do=ping'),
    Scenario('net-pci-imsic-smp2', with_machine(IMSIC.format(1), NET) + USER_PCI + '-smp 2',
             PINGED[:2] + [r'MARK moved [1-9]', PINGED[2]], 300, append='do=ping move=1', parallel=False),
    Scenario('net-lspci', with_machine(IMSIC.format(1), NET) + USER_PCI + '-device virtio-rng-pci',
             ['MARK lspci begin', r'00:00\.0 .*1b36:0008', r'00:01\.0 .*1af4:1041', r'MSI-X: Enable\+ Count=4 Masked-',
              'Kernel driver in use: virtio-pci', r'00:02\.0 .*1af4:1044', 'MARK lspci end'], 300,
             append='do=lspci', refuse=r'!!!|access denied|\berror\b|rev ff'),
    Scenario('net-kvm-wire', NETHOST + WIRE_CLIENT,
             ['MARK host up', 'MARK guest start', 'MARK answered', r'MARK ping 10 10\b', 'MARK guest end rc=0',
              'MARK host done'], 600,
             append='guest.do=wait,ping guest.net=10.9.0.2/24 guest.server=10.9.0.1', parallel=False,
             beside=NET + WIRE_SERVER, beside_append='net=10.9.0.1/24 do=idle seconds=10000'),
]


if __name__ == '__main__':
    for row in SCENARIOS:
        print(row.name, row.timeout, 'parallel' if row.parallel else 'alone')
