# SPDX-License-Identifier: Apache-2.0
"""The runs of scripts/bench with a network: iperf3 both ways, requests and responses, and what an idle guest costs.

The emulator and the far end, iperf3 and rr, run in a network namespace of their own: the far end of a user network is
127.0.0.1 there, that of a tap the tap's own address. The guest is net.cpio.gz of scripts/make-guests, or the KVM guest
of nethost.cpio.gz, which is bridged to the tap."""

import gzip
import os
import re
import signal
import subprocess

from bench_runs import CPU, WALL, cpio, linux_options, read
from benchlib import Failure, last_lines, times_of, watch

PROGRAMS = ['rr-riscv64', 'rr-native']
GROUPS = ['network', 'network-kvm']
HOST, GUEST, BRIDGE = '10.9.0.1', '10.9.0.2', '10.9.0.3'
IDLE_SECONDS = 10
BACK_ENDS = {'user': 'user,id=n', 'tap': 'tap,id=n,ifname=tap0,script=no,downscript=no'}
# As each is used: messages of PCI functions go to an IMSIC where there is one.
MACHINES = {'virtio-net-device': 'virt', 'virtio-net-pci': 'virt,aia=aplic-imsic'}
# It ends, and the namespace with it, when its whole process group is killed; it does so when nobody is there any more.
FAR_END = f"""ip link set lo up
ip tuntap add dev tap0 mode tap
ip addr add {HOST}/24 dev tap0
ip link set tap0 up
iperf3 -s > /dev/null 2>&1 &
"$0" server > /dev/null 2>&1 &
echo ready
cat > /dev/null
kill -9 0
"""
RATE = re.compile(r'MARK iperf (up|down) (\d+(?:\.\d+)?)\b')
TRANSACTIONS = re.compile(r'BENCH (\w+-rr) (\d+) (\d+)')


class FarEnd:
    """iperf3 and rr in a network namespace: of this user if the kernel lets it, else it takes root."""

    def __init__(self, programs):
        kinds = (('-Urn', ['-U', '-n', '--preserve-credentials']), ('-n', ['-n']))
        works = [kind for kind in kinds if subprocess.run(['unshare', kind[0], 'true'], stderr=subprocess.DEVNULL,
                                                          check=False).returncode == 0]
        if not works:
            raise Failure('this kernel gives no network namespace to an ordinary user: run this as root')
        self.process = subprocess.Popen(
            ['unshare', works[0][0], 'sh', '-ec', FAR_END, os.path.join(programs, 'rr-native')],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.enter = ['nsenter', '-t', str(self.process.pid), *works[0][1]]

    def __enter__(self):
        if self.process.stdout.readline() != b'ready\n':
            raise Failure('the network namespace cannot be set up (its messages are above)')
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def make_images(programs, guests, work):
    """rr goes behind the initramfs of the guest, which is once more inside that of the KVM host."""
    rr = gzip.compress(cpio([('bench/rr', read(os.path.join(programs, 'rr-riscv64')))]), mtime=0)
    net = read(os.path.join(guests, 'net.cpio.gz')) + rr
    inside = gzip.compress(cpio([('guest/net.cpio.gz', net)]), 1, mtime=0)
    for name, content in (('net', net), ('nethost', read(os.path.join(guests, 'nethost.cpio.gz')) + inside)):
        with open(os.path.join(work, f'{name}.cpio.gz'), 'wb') as stream:
            stream.write(content)


def run_guest(settings, command):
    """A guest beside the far end, to its end."""
    with FarEnd(settings.programs) as far_end:
        run = watch([*far_end.enter, *command], settings.timeout)
    times_of(run, ['MARK network up', 'MARK done'])
    return run


def figures(run, settings, group, where):
    """{(group, name): figure} of a run: nanoseconds a megabit, or a transaction in the group of these. By CPU time it
    is all that the emulator took since the line before."""
    out, before = {}, 0
    for _, cpu, text in run['lines']:
        rate, transactions = RATE.match(text), TRANSACTIONS.match(text)
        took = (cpu - before) * 1e9
        if rate and float(rate[2]) > 0:
            ns = 1e9 if settings.column == WALL else took / settings.net_seconds
            out[(group, f'iperf3 {rate[1]}, {where}')] = ns / float(rate[2])
        elif transactions:
            ns = int(transactions[3]) if settings.column == WALL else took
            out[(f'{group}-rr', f'{transactions[1]}, {where}')] = ns / int(transactions[2])
        if rate or transactions or text.startswith('MARK answered'):
            before = cpu
    if len(out) != 4:
        raise Failure(f'{where}: {len(out)} figures instead of 4{last_lines(run["lines"])}')
    return out


def address(back_end, own):
    return 'net=dhcp server=10.0.2.2' if back_end == 'user' else f'net={own}/24 server={HOST}'


def run_network(settings, path):
    """Each transport with each back end. What idleness costs is seen where a guest has its clock and nothing else."""
    out = {}
    for back_end, options in BACK_ENDS.items():
        for card, machine in MACHINES.items():
            idle = (back_end, card) == ('user', 'virtio-net-device')
            work = ['wait', 'iperf', 'rr'] + ['idle'] * (IDLE_SECONDS // settings.net_seconds if idle else 0)
            append = f'console=ttyS0 do={",".join(work)} seconds={settings.net_seconds} {address(back_end, GUEST)}'
            command = [path, *linux_options(settings), '-m', '512M', '-initrd', f'{settings.work}/net.cpio.gz',
                       '-append', append, '-netdev', options, '-device', f'{card},netdev=n']
            command[2] = machine
            run = run_guest(settings, command)
            out.update(figures(run, settings, 'network', f'{back_end}, {card}'))
            if idle:
                marks = times_of(run, ['MARK idle begin', 'MARK idle end'] * work.count('idle'), CPU)
                out[('network-idle', 'CPU time, a second')] = (marks[-1] - marks[0]) * 1e9 / IDLE_SECONDS
    return out


def run_kvm(settings, path):
    """A KVM guest on a bridge with the host's card."""
    append = f'console=ttyS0 net={BRIDGE}/24 guest.do=wait,iperf,rr guest.seconds={settings.net_seconds} ' \
             f'guest.net={GUEST}/24 guest.server={HOST}'
    command = [path, *linux_options(settings), '-m', '1G', '-initrd', f'{settings.work}/nethost.cpio.gz',
               '-append', append, '-netdev', BACK_ENDS['tap'], '-device', 'virtio-net-device,netdev=n']
    command[command.index('-cpu') + 1] = 'rv64,sscofpmf=on'  # see scripts/guests/nethost-init
    return figures(run_guest(settings, command), settings, 'network-kvm', 'bridged to a tap')


def run_all(settings, path):
    out = run_network(settings, path) if 'network' in settings.groups else {}
    out.update(run_kvm(settings, path) if 'network-kvm' in settings.groups else {})
    return out
