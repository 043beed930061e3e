#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux enumerates PCI, in each mode of the interrupt controllers: it finds every function where it was put, gives each
window and bar a place, and binds its drivers, without a complaint.

usage: pci.py --gstage FILE [--guests DIR]
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

import run

LIMIT_S = 300
MACHINES = ('virt', 'virt,aia=aplic', 'virt,aia=aplic-imsic')
DEVICES = ('pcie-root-port,id=port,addr=2,port=7', 'pcie-pci-bridge,id=below,bus=port',
           'pci-bridge,id=last,bus=below,addr=5', 'pcie-root-port,id=other,addr=3.0,multifunction=on',
           'pcie-root-port,id=third,addr=3.1')
# Name, ids, class; with the kernel's driver.
WANTED = {
    '0000:00:00.0': '1b36:0008 060000 none',
    '0000:00:02.0': '1b36:000c 060400 pcieport',
    '0000:00:03.0': '1b36:000c 060400 pcieport',
    '0000:00:03.1': '1b36:000c 060400 pcieport',
    '0000:01:00.0': '1b36:000e 060400 none',
    '0000:02:05.0': '1b36:0001 060400 none',
}
COMPLAINTS = re.compile(r"pci.*(fail|no space|can't|cannot|error|invalid BAR|unable)", re.IGNORECASE)
INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
for device in /sys/bus/pci/devices/*; do
  driver=none
  [ ! -e $device/driver ] || driver=$(basename $(readlink $device/driver))
  echo "PCI $(basename $device) $(cat $device/vendor):$(cat $device/device) $(cat $device/class) $driver"
done
grep -c MSI /proc/interrupts
poweroff -f
'''


def newc(name, mode, content):
    """One file of an archive as the kernel unpacks it."""
    fields = [1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
    head = b'070701' + b''.join(b'%08x' % field for field in fields) + name.encode() + b'\0'
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


def initrd_with(path, *files):
    """That of a guest, and behind it the files, made by newc: archives may follow each other."""
    with open(path, 'rb') as stream:
        base = stream.read()
    return base + bytes(-len(base) % 4) + b''.join(files) + newc('TRAILER!!!', 0, b'')


def initrd(guests):
    """The small guest's, with an init of our own."""
    return initrd_with(os.path.join(guests, 'tiny.cpio.gz'), newc('pci-init', 0o100755, INIT.encode()))


def boot(gstage, guests, machine, path):
    command = [gstage, '-M', machine, '-m', '512M', '-nographic', '-no-reboot', '-bios', f'{guests}/fw_dynamic.bin',
               '-kernel', f'{guests}/Image', '-initrd', path, '-append', 'console=ttyS0 rdinit=/pci-init']
    for device in DEVICES:
        command += ['-device', device]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=LIMIT_S, check=False)
    return done.stdout.decode(errors='replace')


def offences(text):
    found = {}
    for name, ids, driver in re.findall(r'^PCI (\S+) (.*) (\S+)\r?$', text, re.MULTILINE):
        found[name] = f'{ids.replace("0x", "")} {driver}'
    wrong = [f'{name} is "{found.get(name)}", not "{value}"' for name, value in WANTED.items()
             if found.get(name) != value]
    wrong += [f'{name} was not put there' for name in found.keys() - WANTED.keys()]
    return wrong + [line.strip() for line in text.splitlines() if COMPLAINTS.search(line)]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--guests')
    settings = parser.parse_args()
    guests = settings.guests or run.guests_directory()
    if not guests:
        print('skipped, the Linux guests are not made (scripts/make-guests)')
        return run.SKIPPED
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'initrd')
        with open(path, 'wb') as stream:
            stream.write(initrd(guests))
        for machine in MACHINES:
            text = boot(settings.gstage, guests, machine, path)
            wrong = offences(text)
            failed = failed or bool(wrong)
            print('\n  '.join([f'{machine}: {len(wrong)} offences'] + wrong))
            if wrong:
                print('its end:', *text.splitlines()[-20:], sep='\n')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
