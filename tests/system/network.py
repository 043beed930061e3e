#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux uses its network card: by a user network it gets an address by DHCP and a file by TFTP, and a port of the host
leads to it; two machines on one wire ping each other and copy a file.

usage: network.py --gstage FILE [--guests DIR]
"""

import argparse
import glob
import hashlib
import lzma
import os
import socket
import subprocess
import sys
import tempfile
import time

import pci
import run

LIMIT_S = 300
MODULES = ('virtio_mmio', 'failover', 'net_failover', 'virtio_net')
INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in virtio_mmio failover net_failover virtio_net; do insmod /net/$module.ko; done
for word in $(cat /proc/cmdline); do
  case $word in as=*) as=${word#as=} ;; own=*) own=${word#own=} ;; peer=*) peer=${word#peer=} ;; esac
done
ifconfig lo 127.0.0.1 up
ifconfig eth0 $own up
file=/file
user() {
  udhcpc -q -n -i eth0 -s /net/dhcp && tftp -g -r served -l $file 10.0.2.2 && echo "NET tftp $(md5sum < $file)"
  echo NET listening
  nc -l -p 7 -e cat
}
left() {
  nc -l -p 7777 > $file
  echo "NET got $(md5sum < $file)"
}
right() {
  dd if=/dev/urandom of=$file bs=64k count=64 2>/dev/null
  echo "NET sent $(md5sum < $file)"
  tries=0
  until nc $peer 7777 < $file || [ $tries -ge 100 ]; do tries=$((tries + 1)); sleep 0.2; done
}
if [ -n "$peer" ]; then
  tries=0
  until ping -c 3 -W 1 $peer > /log && grep -q ' 0% packet loss' /log || [ $tries -ge 60 ]; do
    tries=$((tries + 1))
  done
  grep 'packet loss' /log
fi
$as
echo NET done
poweroff -f
'''
DHCP = '''#!/bin/sh
[ "$1" = bound ] || exit 0
echo "NET address $ip router $router dns $dns name $hostname"
ifconfig $interface $ip netmask $subnet
route add default gw $router
'''


def modules(guests):
    """The kernel's modules of the package that the guests were made of, by name; None where it is gone."""
    packages = glob.glob(os.path.join(os.path.dirname(guests), 'apt-*', 'archives', 'linux-image-[0-9]*_riscv64.deb'))
    if not packages:
        return None
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        unpacked = subprocess.run(['dpkg-deb', '-x', packages[0], folder], check=False)
        if unpacked.returncode != 0:
            return None
        for name in MODULES:
            paths = glob.glob(os.path.join(folder, 'usr/lib/modules/*/kernel/**', name + '.ko.xz'), recursive=True)
            with lzma.open(paths[0]) as stream:
                found[name] = stream.read()
    return found


def initrd(guests, kernel_modules):
    files = [pci.newc('net-init', 0o100755, INIT.encode()), pci.newc('net', 0o40755, b''),
             pci.newc('net/dhcp', 0o100755, DHCP.encode())]
    files += [pci.newc(f'net/{name}.ko', 0o100644, content) for name, content in kernel_modules.items()]
    return pci.initrd_with(os.path.join(guests, 'tiny.cpio.gz'), *files)


class Bench:
    """What all runs share."""

    def __init__(self, gstage, guests, folder):
        self.folder = folder
        self.command = [gstage, '-M', 'virt', '-m', '256M', '-nographic', '-no-reboot', '-bios',
                        f'{guests}/fw_dynamic.bin', '-kernel', f'{guests}/Image', '-initrd', f'{folder}/initrd']

    def start(self, name, words, options):
        log = open(os.path.join(self.folder, name + '.log'), 'wb')  # closed with the console
        command = self.command + ['-append', f'console=ttyS0 quiet rdinit=/net-init {words}'] + options
        return run.Console(command, LIMIT_S, log)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def echo(port, text):
    """What the guest's echo service answers."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(('127.0.0.1', port), timeout=10) as connection:
                connection.sendall(text)
                answer = connection.recv(len(text))
                if answer:
                    return answer
        except OSError:
            pass
        time.sleep(0.2)
    return b''


def user_network(bench):
    tftp = os.path.join(bench.folder, 'tftp')
    os.mkdir(tftp)
    content = os.urandom(100_000)
    with open(os.path.join(tftp, 'served'), 'wb') as stream:
        stream.write(content)
    port = free_port()
    console = bench.start('user', 'as=user own=', [
        '-netdev', f'user,id=n,net=10.0.2.0/24,tftp={tftp},hostname=emulated,hostfwd=tcp::{port}-:7',
        '-device', 'virtio-net-device,netdev=n'])
    try:
        place = console.wait_for('NET address 10.0.2.15 router 10.0.2.2 dns 10.0.2.3 name emulated', 0)
        place = console.wait_for(f'NET tftp {hashlib.md5(content).hexdigest()}', place)
        place = console.wait_for('NET listening', place)
        if echo(port, b'through the wall') != b'through the wall':
            raise run.Failure('the forwarded port does not lead to the guest')
        console.wait_for('NET done', place)
        code = console.exit_code()
        if code != 0:
            raise run.Failure(f'exit code {code}')
    finally:
        console.kill()


def two_machines(bench):
    path = os.path.join(bench.folder, 'wire')
    wire = f'stream,id=n,addr.type=unix,addr.path={path}'
    dump = os.path.join(bench.folder, 'wire.pcap')
    left = bench.start('left', 'as=left own=10.9.0.1 peer=10.9.0.2', [
        '-netdev', wire + ',server=on', '-device', 'virtio-net-device,netdev=n'])
    right = bench.start('right', 'as=right own=10.9.0.2 peer=10.9.0.1', [
        '-netdev', wire + ',reconnect-ms=200', '-device', 'virtio-net-device,netdev=n,mac=52:54:00:00:00:02',
        '-object', f'filter-dump,id=d,netdev=n,file={dump}'])
    try:
        for console in (left, right):
            console.wait_for(' 0% packet loss', 0)
        place = right.wait_for('NET sent ', 0)
        right.wait_for('NET done', place)
        left.wait_for('NET got ' + right.text[place:place + 32].decode(), 0)
        left.wait_for('NET done', 0)
    finally:
        left.kill()
        right.kill()
    with open(dump, 'rb') as stream:
        if stream.read(4) != bytes.fromhex('d4c3b2a1') or os.path.getsize(dump) < 1000:
            raise run.Failure('the record of the wire is no pcap file')


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--guests')
    settings = parser.parse_args()
    guests = settings.guests or run.guests_directory()
    kernel_modules = modules(guests) if guests else None
    if not kernel_modules:
        print('skipped, the Linux guests or their packages are not there (scripts/make-guests)')
        return run.SKIPPED
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'initrd'), 'wb') as stream:
            stream.write(initrd(guests, kernel_modules))
        for scenario in (user_network, two_machines):
            try:
                scenario(Bench(settings.gstage, guests, folder))
                print(f'{scenario.__name__}: passed')
            except run.Failure as failure:
                failed = True
                print(f'{scenario.__name__}: {failure}')
                for name in ('user', 'left', 'right'):
                    path = os.path.join(folder, name + '.log')
                    if os.path.exists(path):
                        with open(path, errors='replace') as stream:
                            print(f'the end of {name}:', *stream.read().splitlines()[-15:], sep='\n')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
