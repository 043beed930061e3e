# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench and scripts/compare-peer share: running an emulator while watching clock, CPU time and memory."""

import os
import re
import select
import subprocess
import time

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
SAMPLE_S = 0.05
NO_PEER = """PEER is not set: it names the QEMU to compare with. The newest packaged one, without touching this system:
  debootstrap --variant=minbase --include=qemu-system-riscv,opensbi sid DIR http://deb.debian.org/debian
  and a script that runs: exec chroot DIR /usr/bin/qemu-system-riscv64 "$@"  (bind the guests' directory into DIR).
Debian's own (apt-get install qemu-system-misc) will do for a first look."""


class Failure(Exception):
    """Why there is nothing to measure, in one sentence."""


def peak_kib(pid):
    """The peak resident set so far; 0 once the process is gone."""
    try:
        with open(f'/proc/{pid}/status', encoding='ascii') as status:
            found = re.search(r'VmHWM:\s+(\d+)', status.read())
            return int(found[1]) if found else 0
    except OSError:
        return 0


def cpu_s(pid):
    """The CPU time of the whole process so far, in seconds: the kernel's clock of a process (CPUCLOCK_SCHED)."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def mappings(pid):
    """The mappings of a process as (first line, {field: KiB}) (proc_pid_smaps(5))."""
    with open(f'/proc/{pid}/smaps', encoding='utf-8', errors='replace') as smaps:
        found = []
        for line in smaps:
            field = re.match(r'(\w+): +(\d+) kB', line)
            if field:
                found[-1][1][field[1]] = int(field[2])
            elif re.match(r'[0-9a-f]+-[0-9a-f]+ ', line):
                found.append((line, {}))
        return found


def resident_mib(pid, ram_kib):
    """Resident memory now, in MiB: {ram: of the mapping that is the guest's memory, beside: all other}. The guest's is
    the private one of its size, so that all that it has touched is left out, and huge pages make no difference. A page
    that is mapped twice, as code may be to be written and to be run, is one page: of shared mappings the share counts
    (Pss), of others all that is there (Rss), whoever else on the host has the same file mapped."""
    all_of_them = mappings(pid)
    ram = [sizes for line, sizes in all_of_them if sizes['Size'] == ram_kib and line.split()[1].startswith('rw-p')]
    if len(ram) != 1:
        raise Failure(f'{len(ram)} mappings of {pid} are as large as guest memory: it cannot be told which it is')
    resident = sum(sizes['Pss' if line.split()[1].endswith('s') else 'Rss'] for line, sizes in all_of_them)
    return {'ram': ram[0]['Rss'] / 1024, 'beside': (resident - ram[0]['Rss']) / 1024}


def watch(command, timeout, look=None):
    """Runs a command to its end and returns {lines: [[seconds since exec, CPU seconds, text]], end, peak_kib}.
    look(pid, text) is called for each line while the command runs on."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines, rest, peak = [], b'', 0
    try:
        while True:
            if time.monotonic() - begin > timeout:
                raise Failure(f'it hangs: no end after {timeout} s{last_lines(lines)}')
            ready = select.select([process.stdout], [], [], SAMPLE_S)[0]
            peak = max(peak, peak_kib(process.pid))
            if not ready:
                continue
            now, cpu = time.monotonic() - begin, cpu_s(process.pid)
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            *whole, rest = (rest + chunk).split(b'\n')
            lines += [[now, cpu, line.decode(errors='replace').strip()] for line in whole]
            for line in lines[len(lines) - len(whole):] if look else []:
                look(process.pid, line[2])
        code = process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
    if code:
        raise Failure(f'{command[0]}: exit code {code}{last_lines(lines)}')
    return {'lines': lines, 'end': time.monotonic() - begin, 'peak_kib': peak}


def last_lines(lines):
    return '; the end of its output:\n' + '\n'.join(line[2] for line in lines[-10:])


def times_of(run, marks, column=0):
    """When each mark, a text in a line, was read (column 0) or the CPU time then (1); the marks come in this order."""
    at, place = [], 0
    for mark in marks:
        while place < len(run['lines']) and mark not in run['lines'][place][2]:
            place += 1
        if place == len(run['lines']):
            raise Failure(f'there is no "{mark}" on the serial line{last_lines(run["lines"])}')
        at.append(run['lines'][place][column])
        place += 1
    return at


def first_line(command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.partition('\n')[0]


def guests_directory():
    found = os.environ.get('GSTAGE_GUESTS') or subprocess.run(
        [os.path.join(ROOT, 'scripts', 'make-guests')], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    if not found:
        raise Failure('there are no Linux guests to boot')
    return found


def emulators():
    """The programs of both sides, in the order of the runs: $GSTAGE (or the release build) and $PEER."""
    sides = {'gstage': os.environ.get('GSTAGE', os.path.join(ROOT, 'build', 'gstage')),
             'peer': os.environ.get('PEER', '')}
    if not sides['peer']:
        raise Failure(NO_PEER)
    for name, path in sides.items():
        if not os.access(path, os.X_OK):
            raise Failure(f'{name.upper()}={path} is not a program: set {name.upper()} to an emulator')
    return sides
