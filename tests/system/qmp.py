#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of QMP drive a machine over sockets: the protocol, several at once, events, and functions of PCI that Linux
finds in a slot, uses and lets go; a disk for which the host has no room.

usage: qmp.py --gstage FILE [--guests DIR]
"""

import argparse
import hashlib
import json
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

import bad_input
import pci
import run

LIMIT_S = 300
# Debian's kernel for this architecture has no driver for slots: this init does by hand what that would do. The slot's
# registers are in the PCI Express capability of the port 00:01.0 (offset 0x40: control is at 0x58).
INIT = r'''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
insmod /modules/failover.ko
insmod /modules/net_failover.ko
insmod /modules/virtio_net.ko
insmod /modules/virtio-rng.ko
port=/sys/bus/pci/devices/0000:00:01.0
card=/sys/bus/pci/devices/0000:01:00.0
byte() { dd if=$port/config bs=1 skip=$1 count=1 2>/dev/null | hexdump -e '1/1 "%d"'; }
for round in 1 2; do
  echo "SLOT is empty"
  while [ $(($(byte 90) & 64)) = 0 ]; do sleep 1; done
  echo 1 >/sys/bus/pci/rescan
  echo "CARD $(cat $card/device) $(basename $(readlink $card/driver))"
  printf '\300\001' | dd of=$port/config bs=1 seek=88 conv=notrunc 2>/dev/null
  printf '\377' | dd of=$port/config bs=1 seek=90 conv=notrunc 2>/dev/null
  echo "SLOT is on"
  while [ $(($(byte 90) & 1)) = 0 ]; do sleep 1; done
  echo 1 >$card/remove
  printf '\377' | dd of=$port/config bs=1 seek=90 conv=notrunc 2>/dev/null
  printf '\300\007' | dd of=$port/config bs=1 seek=88 conv=notrunc 2>/dev/null
done
echo "SLOT is done"
poweroff -f
'''


class Client:
    """One session. Events that come meanwhile are kept."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(LIMIT_S)
        end = time.monotonic() + LIMIT_S
        while self.socket.connect_ex(address) != 0:
            assert time.monotonic() < end, f'nobody listens at {address}'
            time.sleep(0.05)
        self.stream = self.socket.makefile('rb')
        self.events = []
        self.greeting = self.receive()

    def receive(self):
        line = self.stream.readline()
        assert line, 'the session ended'
        return json.loads(line)

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def answer(self):
        while True:
            message = self.receive()
            if 'event' not in message:
                return message
            self.events.append(message)

    def execute(self, command, **arguments):
        """The result; or the error's class."""
        self.send(json.dumps({'execute': command, 'arguments': arguments, 'id': command}))
        message = self.answer()
        assert message['id'] == command, message
        return message['error']['class'] if 'error' in message else message['return']

    def event(self, name):
        """The data of the next event of that name; those before it are forgotten."""
        while True:
            message = self.events.pop(0) if self.events else self.receive()
            if message.get('event') == name:
                return message.get('data')

    def negotiate(self):
        assert self.execute('qmp_capabilities') == {}
        return self


def start(gstage, options):
    return subprocess.Popen([gstage, '-display', 'none', *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def finish(process, code=0):
    output = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == code, f'exit code {process.returncode}: {output}'


def ask_no_machine(gstage, folder):
    """What tools do that ask what the program can do."""
    path, pid_file = f'{folder}/probe', f'{folder}/pid'
    subprocess.run([gstage, '-S', '-no-user-config', '-nodefaults', '-nographic', '-machine', 'none,accel=kvm:tcg',
                    '-qmp', f'unix:{path},server=on,wait=off', '-pidfile', pid_file, '-daemonize'],
                   check=True, timeout=LIMIT_S)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, oct(os.stat(path).st_mode)
    client = Client(path)
    assert client.greeting['QMP']['version']['package'].startswith('gstage'), client.greeting
    assert client.execute('query-version') == 'CommandNotFound'
    client.negotiate()
    assert client.execute('query-kvm') == {'enabled': False, 'present': False}
    assert client.execute('query-target') == {'arch': 'riscv64'}
    assert {'virt', 'spike', 'none'} == {machine['name'] for machine in client.execute('query-machines')}
    assert 'rv64' in {model['name'] for model in client.execute('query-cpu-definitions')}
    commands = {command['name'] for command in client.execute('query-commands')}
    schema = {entry['name'] for entry in client.execute('query-qmp-schema') if entry['meta-type'] == 'command'}
    assert commands - schema == {'qmp_capabilities'}, commands ^ schema
    assert client.execute('query-cpus-fast') == []
    assert client.execute('device_add', driver='virtio-net-pci') == 'GenericError'
    assert client.execute('quit') == {}
    assert client.event('SHUTDOWN') == {'guest': False, 'reason': 'host-qmp-quit'}


def send_nonsense(client):
    """Each piece is told, and the session goes on."""
    for text in (b'nonsense\n', b'{"execute": }', b'}\n', b'[' * 100000 + b']' * 100000, b'"no end\n', b'{"\xff": 1}'):
        client.send(text)
        assert client.answer()['error']['class'] == 'GenericError', text
        assert client.execute('query-name') == {'name': 'test'}


def run_and_stop(gstage, folder):
    """A unix socket, a TCP one on the loopback address, and two sessions that hear the same."""
    kernel = f'{folder}/kernel'
    with open(kernel, 'wb') as stream:
        stream.write(bad_input.elf())
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = start(gstage, ['-M', 'virt', '-smp', '2', '-name', 'test', '-bios', 'none', '-kernel', kernel, '-S',
                             '-qmp', f'unix:{folder}/first,server=on,wait=off', '-chardev',
                             f'socket,id=c,port={port},server=on,wait=off', '-mon', 'chardev=c,mode=control'])
    first, second = Client(f'{folder}/first').negotiate(), Client(('127.0.0.1', port)).negotiate()
    chardevs = {row['label']: row['filename'] for row in first.execute('query-chardev')}
    assert '127.0.0.1' in chardevs['c'], chardevs
    send_nonsense(first)
    assert first.execute('query-status') == {'running': False, 'status': 'prelaunch'}
    assert first.execute('cont') == {}
    assert second.event('RESUME') is None and first.event('RESUME') is None
    assert len(first.execute('query-cpus-fast')) == 2
    assert second.execute('system_reset') == {}
    assert first.event('RESET') == {'guest': False, 'reason': 'host-qmp-system-reset'}
    assert first.execute('stop') == {}
    assert second.event('STOP') is None
    assert second.execute('query-status') == {'running': False, 'status': 'paused'}
    assert 'hart 1' in first.execute('human-monitor-command', **{'command-line': 'info cpus'})
    assert first.execute('inject-nmi') == 'GenericError'
    assert first.execute('balloon', value=1 << 26) == 'DeviceNotActive'
    first.stream.close()
    first.socket.close()
    again = Client(f'{folder}/first')
    assert again.execute('query-status') == 'CommandNotFound', 'a new client begins anew'
    second.execute('quit')
    finish(process)


def wait_for(stream, words):
    text = b''
    for line in stream:
        text += line
        if re.search(words.encode(), line):
            return
    raise AssertionError(f'"{words}" does not come: {text[-4000:].decode(errors="replace")}')


def plug(gstage, guests, folder):
    """Twice another card comes into the slot of a running Linux, and goes."""
    with open(f'{folder}/initrd', 'wb') as stream:
        stream.write(pci.initrd_with(f'{guests}/net.cpio.gz', pci.newc('plug-init', 0o100755, INIT.encode())))
    process = start(gstage, ['-M', 'virt', '-m', '512M', '-no-reboot', '-bios', f'{guests}/fw_dynamic.bin', '-kernel',
                             f'{guests}/Image', '-initrd', f'{folder}/initrd', '-append',
                             'console=ttyS0 rdinit=/plug-init', '-serial', 'stdio',
                             '-qmp', f'unix:{folder}/plug,server=on,wait=off',
                             '-device', 'pcie-root-port,id=rp,addr=1,slot=5'])
    client = Client(f'{folder}/plug').negotiate()
    wait_for(process.stdout, 'SLOT is empty')
    for driver, words in (('virtio-net-pci', 'CARD 0x1041 virtio-pci'), ('virtio-rng-pci', 'CARD 0x1044 virtio-pci')):
        more = {}
        if driver == 'virtio-net-pci':
            assert client.execute('netdev_add', type='hubport', id='n', hubid=0) == {}
            assert client.execute('netdev_add', type='hubport', id='n', hubid=0) == 'GenericError'
            more['netdev'] = 'n'
        assert client.execute('device_add', driver=driver, id='card', bus='pcie.0', **more) == 'GenericError'
        assert client.execute('device_add', driver=driver, id='card', bus='rp', **more) == {}
        assert client.execute('device_add', driver=driver, id='more', bus='rp') == 'GenericError'
        wait_for(process.stdout, words)
        wait_for(process.stdout, 'SLOT is on')
        if more:
            assert client.execute('netdev_del', id='n') == 'GenericError', 'it is in use'
        assert client.execute('device_del', id='no') == 'DeviceNotFound'
        assert client.execute('device_del', id='rp') == 'GenericError'
        assert client.execute('device_del', id='card') == {}
        assert client.event('DEVICE_DELETED')['device'] == 'card'
        if more:
            assert client.execute('netdev_del', id='n') == {}
            assert client.execute('netdev_del', id='n') == 'DeviceNotFound'
    wait_for(process.stdout, 'SLOT is done')
    assert client.event('SHUTDOWN') == {'guest': True, 'reason': 'guest-shutdown'}
    finish(process)


# Writes a MiB and a half to a disk, has it on the host, and reads it back past its own cache.
FILL = r'''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
insmod /modules/virtio_blk.ko
yes gstage | dd of=/dev/vda bs=64k count=24 iflag=fullblock conv=fsync && echo "WRITTEN"
echo 3 >/proc/sys/vm/drop_caches
echo "SUM $(dd if=/dev/vda bs=64k count=24 2>/dev/null | md5sum)"
poweroff -f
'''


def fill_disk(gstage, guests, folder):
    """The host takes no more than a MiB of a disk: the machine stands, and goes on once there is room. Nothing is lost,
    and the guest sees no error."""
    with open(f'{folder}/initrd', 'wb') as stream:
        stream.write(pci.initrd_with(f'{guests}/net.cpio.gz', pci.newc('fill-init', 0o100755, FILL.encode())))
    with open(f'{folder}/disk', 'wb') as stream:
        stream.truncate(2 << 20)

    def ignore_limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    process = subprocess.Popen(
        [gstage, '-S', '-display', 'none', '-M', 'virt', '-m', '512M', '-no-reboot',
         '-bios', f'{guests}/fw_dynamic.bin', '-kernel', f'{guests}/Image', '-initrd', f'{folder}/initrd',
         '-append', 'console=ttyS0 rdinit=/fill-init', '-serial', 'stdio',
         '-qmp', f'unix:{folder}/fill,server=on,wait=off',
         '-drive', f'file={folder}/disk,format=raw,werror=stop,if=none,id=hd', '-device', 'virtio-blk-pci,drive=hd'],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=ignore_limit)
    client = Client(f'{folder}/fill').negotiate()
    # What the emulator has files in memory for it has by now.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    assert client.execute('cont') == {}
    failure = client.event('BLOCK_IO_ERROR')
    assert (failure['device'], failure['operation'], failure['action']) == ('hd', 'write', 'stop'), failure
    assert client.event('STOP') is None
    assert client.execute('query-status') == {'running': False, 'status': 'io-error'}
    assert client.execute('cont') == {}
    assert client.event('STOP') is None, 'it fails again'
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert client.execute('cont') == {}
    written = (b'gstage\n' * (24 << 16))[:24 << 16]
    wait_for(process.stdout, 'WRITTEN')
    wait_for(process.stdout, f'SUM {hashlib.md5(written).hexdigest()}')
    finish(process)
    with open(f'{folder}/disk', 'rb') as stream:
        assert stream.read(len(written)) == written, 'the image is not what was written'


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--guests')
    settings = parser.parse_args()
    gstage = os.path.abspath(settings.gstage)
    guests = settings.guests or run.guests_directory()
    with tempfile.TemporaryDirectory() as folder:
        ask_no_machine(gstage, folder)
        run_and_stop(gstage, folder)
        print('the protocol is as it should be')
        if not guests:
            print('skipped, the Linux guests are not made (scripts/make-guests)')
            return run.SKIPPED
        plug(gstage, guests, folder)
        print('cards come and go')
        fill_disk(gstage, guests, folder)
        print('a full disk stops the machine, and nothing is lost')
    return 0


if __name__ == '__main__':
    sys.exit(main())
