# SPDX-License-Identifier: Apache-2.0
"""The steps of scripts/soak with a network: a guest of four harts answers a flood of pings, iperf3 both ways and copies
by ssh at once, while its interrupts move from hart to hart. Nothing may be lost and nothing may hang."""

import hashlib
import os
import re
import shlex
import subprocess
import tempfile

import bench_network

GUEST = bench_network.GUEST
# The far end has to stay behind the guest: a flood that waits for answers, and no more copies than one at a time.
COPY_BYTES = 8 << 20
SSH = ['ssh', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o',
       'LogLevel=ERROR', '-o', 'ConnectTimeout=60']
CARDS = {'virtio-net-pci': 'virt,aia=aplic-imsic', 'virtio-net-device': 'virt'}
BOOT_SECONDS = 300


class Lost(Exception):
    """What was lost or hangs, in one sentence."""


def output_of(command, seconds, given=None):
    try:
        done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                              check=False)
    except subprocess.TimeoutExpired:
        raise Lost(f'it hangs: {shlex.join(command)}') from None
    text = done.stdout.decode(errors='replace')
    if done.returncode != 0:
        raise Lost(f'exit code {done.returncode} of {shlex.join(command)}: {text[-300:]}')
    return text


def check_flood(text):
    sent, received = map(int, re.search(r'(\d+) packets transmitted, (\d+) received', text).groups())
    if sent != received:
        raise Lost(f'{sent - received} of {sent} pings are lost')
    return sent


def copy_once(login):
    """There and back; the hash is taken in the guest and here."""
    content = os.urandom(COPY_BYTES)
    text = output_of([*login, 'cat > /tmp/copy; sha256sum /tmp/copy'], 300, content)
    if hashlib.sha256(content).hexdigest() not in text:
        raise Lost('the guest got another file than was sent by ssh')
    back = subprocess.run([*login, 'cat /tmp/copy'], stdout=subprocess.PIPE, timeout=300, check=False).stdout
    if back != content:
        raise Lost('another file came back by ssh than was sent')


def exercise(enter, login, seconds):
    """All at once for so many seconds. Returns what was done."""
    # -f sends the next when the answer is there or after 10 ms; what is late at the end is waited for.
    flood = subprocess.Popen([*enter, 'ping', '-q', '-f', '-w', str(seconds + 20), '-c', str(100 * seconds), GUEST],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    rates, copies = [], 0
    try:
        while flood.poll() is None:
            for way in ([], ['-R']):
                iperf = subprocess.Popen([*enter, 'iperf3', '-c', GUEST, '-t', '5', '-f', 'm', *way],
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                copy_once(login)
                copies += 1
                try:
                    text = iperf.communicate(timeout=300)[0].decode()
                except subprocess.TimeoutExpired:
                    iperf.kill()
                    raise Lost('iperf3 hangs') from None
                found = re.findall(r'(\d+) Mbits/sec +receiver', text)
                if not found or int(found[-1]) == 0:
                    raise Lost(f'iperf3 gets nothing through: {text[-300:]}')
                rates.append(int(found[-1]))
        pings = check_flood(flood.communicate(timeout=60)[0].decode())
    finally:
        flood.kill()
    return f'{pings} pings, {copies} copies, iperf3 {min(rates)} to {max(rates)} Mbit/s'


class Machine:
    """The guest in the far end's network namespace, serving."""

    def __init__(self, command, log):
        self.log = log
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def console(self):
        with open(self.log.name, errors='replace', encoding='utf-8') as stream:
            return stream.read()

    def wait_for(self, mark):
        for _ in range(BOOT_SECONDS * 5):
            if mark in self.console():
                return
            try:
                self.process.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                pass
        if mark not in self.console():
            raise Lost(f'no "{mark}" on the console')

    def end(self):
        self.process.kill()
        self.process.wait()


def run(gstage, guests, programs, logs, card, seconds):
    """One machine. Returns (its command, what was done); raises Lost with the command as its second argument."""
    with tempfile.TemporaryDirectory() as folder, bench_network.FarEnd(programs) as far_end, \
            open(os.path.join(logs, 'soak-network.log'), 'wb') as log:
        key = os.path.join(folder, 'key')
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key], check=True)
        with open(key + '.pub', encoding='ascii') as stream:
            public = stream.read().split()[1]
        command = [gstage, '-M', CARDS[card], '-smp', '4', '-m', '512M', '-nographic', '-no-reboot', '-bios',
                   f'{guests}/fw_dynamic.bin', '-kernel', f'{guests}/Image', '-initrd', f'{guests}/net.cpio.gz',
                   '-append', f'console=ttyS0 net={GUEST}/24 do=serve move=1 key={public}', '-netdev',
                   bench_network.BACK_ENDS['tap'], '-device', f'{card},netdev=n']
        machine = Machine([*far_end.enter, *command], log)
        login = [*far_end.enter, *SSH, '-i', key, f'root@{GUEST}']
        try:
            machine.wait_for('MARK serving')
            done = exercise(far_end.enter, login, seconds)
            output_of([*login, 'touch /tmp/stop'], 120)
            machine.wait_for('MARK done')
            moves = re.search(r'MARK moved (\d+) times', machine.console())
            if not moves or int(moves[1]) == 0:
                raise Lost('no interrupt has moved')
            return f'{card}: {done}, {moves[1]} moves of an interrupt'
        except Lost as lost:
            raise Lost(f'network, {card}: {lost} (its console: {log.name})', command) from None
        finally:
            machine.end()
