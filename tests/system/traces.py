#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a machine's traces say: the exit profile in all its formats, maps of generated code. The programs do what they
do so often, so that each number is known.

usage: traces.py [--gstage FILE] --programs DIR --minivisor FILE [WORD of the tests]
"""

import argparse
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

# vmexits.S goes round ten times.
ROUNDS = 10
EXITS = {'SBI TIME.set_timer': ROUNDS, 'SBI HSM.hart_stop': ROUNDS, 'load guest-page fault': 2 * ROUNDS,
         'store/AMO guest-page fault': ROUNDS, 'virtual instruction': ROUNDS, 'SBI SRST.system_reset': 1}
BARE = ['-M', 'virt', '-m', '64M', '-display', 'none', '-bios', 'none']


class Failure(Exception):
    """A sentence that says what is wrong."""


def check(found, expected, what):
    if found != expected:
        raise Failure(f'{what}: {found!r} instead of {expected!r}')


class Place:
    """The programs, and a folder for files."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.folder = folder

    def program(self, name):
        return os.path.join(self.settings.programs, name)

    def run(self, *options, code=0, serial='null'):
        """Runs a machine to its end; what it printed."""
        run = subprocess.run([self.settings.gstage, *BARE, '-serial', serial, *options], cwd=self.folder,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=300, check=False)
        check(run.returncode, code, f'exit code (it printed {run.stdout[-500:]!r})')
        return run.stdout

    def start(self, *options):
        """Starts a machine that does not end."""
        return subprocess.Popen([self.settings.gstage, *BARE, '-serial', 'null', *options], cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def read(self, name, mode='r'):
        with open(os.path.join(self.folder, name), mode) as stream:
            return stream.read()


def wait_until(condition, what):
    limit = time.monotonic() + 120
    while not condition():
        if time.monotonic() > limit:
            raise Failure(f'it never came to this: {what}')
        time.sleep(0.02)


def check_event(event):
    """One event of the trace-event format's JSON: "X" has a begin and a duration in microseconds, "M" a name's args."""
    for key, kind in (('ph', str), ('name', str), ('pid', int), ('tid', int)):
        if not isinstance(event.get(key), kind):
            raise Failure(f'an event without {key}: {event}')
    if event['ph'] == 'X':
        if not all(isinstance(event.get(key), (int, float)) and event[key] >= 0 for key in ('ts', 'dur')):
            raise Failure(f'a slice without its times: {event}')
    elif event['ph'] != 'M' or 'args' not in event:
        raise Failure(f'an event of another kind: {event}')


def check_nesting(events):
    """Slices of one track lie within each other or apart. Times have three digits behind the point."""
    tracks = {}
    for event in events:
        if event['ph'] == 'X':
            begin = round(event['ts'] * 1000)
            tracks.setdefault((event['pid'], event['tid']), []).append((begin, begin + round(event['dur'] * 1000)))
    for track in tracks.values():
        open_ends = []
        for begin, end in sorted(track, key=lambda slice: (slice[0], -slice[1])):
            while open_ends and open_ends[-1] <= begin:
                open_ends.pop()
            # Each time is rounded down for itself.
            if open_ends and end > open_ends[-1] + 1:
                raise Failure(f'slices that overlap: {begin}–{end} and the end of another at {open_ends[-1]}')
            open_ends.append(end)


def counts(names):
    found = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def each_exit_is_counted(place, *options):
    place.run('-kernel', place.program('vmexits.elf'), *options, '-trace', 'exits,file=t.json',
              '-trace', 'exits,file=t.perfetto.json', '-trace', 'exits,file=t.folded', '-trace', 'exits,file=t.txt')
    totals = json.loads(place.read('t.json'))
    check({row['by']: row['count'] for row in totals['exits']}, EXITS, 'totals')
    check({row['vmid'] for row in totals['exits']}, {5}, 'VMIDs')
    check(totals['lost_events'], 0, 'lost events')
    rows = {row['by']: row for row in totals['exits']}
    for row in rows.values():
        check(sum(row['histogram']), row['count'], f'histogram of {row["by"]}')
    # Where the time was spent: the hypervisor calls M-mode, and user space; M-mode alone skips an instruction.
    for by, spent in (('SBI TIME.set_timer', {'hypervisor_ns', 'firmware_ns'}),
                      ('SBI HSM.hart_stop', {'hypervisor_ns', 'user_ns'}), ('virtual instruction', {'firmware_ns'}),
                      ('load guest-page fault', {'hypervisor_ns'})):
        parts = {key for key in ('hypervisor_ns', 'firmware_ns', 'user_ns', 'idle_ns') if rows[by][key] > 0}
        check(parts, spent, f'what {by} was spent on')
    check(sum(site['count'] for site in totals['sites']), sum(EXITS.values()), 'exits by place')

    timeline = json.loads(place.read('t.perfetto.json'))
    for event in timeline:
        check_event(event)
    check_nesting(timeline)
    exits = [event for event in timeline if event.get('cat') == 'exit']
    check(counts(event['name'] for event in exits), EXITS, 'exits in the timeline')
    faults = [event['args']['address'] for event in exits if 'guest-page' in event['name']]
    check(counts(faults), {'0x10001008': ROUNDS, '0x1000100c': ROUNDS, '0x10001010': ROUNDS}, 'addresses')
    check(counts(event['cat'] for event in timeline if event['ph'] == 'X' and event['cat'] in ('firmware', 'user')),
          {'firmware': ROUNDS, 'user': ROUNDS}, 'stays')
    check({event['args']['name'] for event in timeline if event['name'] == 'process_name'}, {'harts', 'VM 5'}, 'tracks')
    check([event['args']['to'] for event in exits if event['name'] == 'virtual instruction'], ['M'] * ROUNDS, 'targets')

    for line in place.read('t.folded').splitlines():
        if not re.fullmatch(r'VM 5;0x[0-9a-f]+;[^;]+ \d+', line):
            raise Failure(f'no folded stack: {line!r}')
    text = place.read('t.txt')
    check(re.findall(r'^VM (\d+): (\d+) exits', text, re.M), [('5', str(sum(EXITS.values())))], 'the text')


def interp_counts_the_same(place):
    each_exit_is_counted(place, '-accel', 'interp')


def guests_have_symbols(place):
    kernel = place.program('vmexits.elf')
    place.run('-kernel', kernel, '-symbols', f'{kernel},vmid=5', '-trace', 'exits,file=s.folded')
    stacks = [line.rsplit(' ', 1)[0] for line in place.read('s.folded').splitlines()]
    check(sorted(stack for stack in stacks if 'load' in stack), ['VM 5;guest_device;load guest-page fault'], 'stacks')


def a_hypervisor_agrees(place):
    """minivisor counts the exits of its guests itself."""
    text = place.run('-m', '256M', '-kernel', place.settings.minivisor, '-trace', 'exits,file=h.json', serial='stdio')
    expected = {int(guest) + 1: int(count) for guest, count in re.findall(r'guest (\d): exits (\d+)', text)}
    found = {}
    for row in json.loads(place.read('h.json'))['exits']:
        found[row['vmid']] = found.get(row['vmid'], 0) + row['count']
    check(found, expected, 'exits by VMID')


def the_monitor_shows_them(place):
    with subprocess.Popen([place.settings.gstage, *BARE, '-serial', 'null', '-monitor', 'stdio', '-no-shutdown',
                           '-kernel', place.program('vmexits.elf'), '-trace', 'exits,file=m.json'], cwd=place.folder,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as machine:
        os.set_blocking(machine.stdout.fileno(), False)
        text = b''

        def is_shown():
            nonlocal text
            machine.stdin.write(b'info exits\n')
            machine.stdin.flush()
            time.sleep(0.1)
            text += machine.stdout.read() or b''
            # The last exit is under way.
            return b'VM 5: 60 exits' in text and b'SBI HSM.hart_stop' in text

        try:
            wait_until(is_shown, 'info exits')
        finally:
            machine.kill()
    text = subprocess.run([place.settings.gstage, *BARE, '-S', '-serial', 'null', '-monitor', 'stdio'],
                          input='vmexits\nquit\n', stdout=subprocess.PIPE, text=True, timeout=100, check=False).stdout
    if 'start with -trace exits' not in text:
        raise Failure(f'no word of -trace exits: {text!r}')


def a_killed_emulator_leaves_files(place):
    files = [os.path.join(place.folder, name) for name in ('k.perfetto.json', 'k.json')]
    machine = place.start('-kernel', place.program('vmexits-endless.elf'), '-trace', f'exits,file={files[0]}',
                          '-trace', f'exits,file={files[1]}')
    try:
        wait_until(lambda: all(os.path.exists(file) and os.path.getsize(file) > 2000 for file in files), 'files')
    finally:
        machine.send_signal(signal.SIGKILL)
        machine.wait()
    text = place.read('k.perfetto.json')
    # The format allows the end to be missing; the last line may be cut.
    events = json.loads(text[:text.rindex('\n')].rstrip().rstrip(',') + ']')
    for event in events:
        check_event(event)
    totals = json.loads(place.read('k.json'))
    if not all(row['count'] > 0 for row in totals['exits']):
        raise Failure('totals without exits')


def a_perf_map_names_guest_code(place):
    kernel = place.program('vmexits.elf')
    machine = place.start('-kernel', place.program('vmexits-endless.elf'), '-perfmap', '-jitdump', '-symbols',
                          f'{kernel},vmid=5')
    files = [f'/tmp/perf-{machine.pid}.map', os.path.join(place.folder, f'jit-{machine.pid}.dump')]
    try:
        wait_until(lambda: os.path.exists(files[0]) and 'VS vmid' in place.read(files[0]), 'code of the guest')
    finally:
        machine.kill()
        machine.wait()
    lines = place.read(files[0]).splitlines()
    code = {}
    for line in lines:
        match = re.fullmatch(r'([0-9a-f]+) ([0-9a-f]+) (\S.*)', line)
        if not match:
            raise Failure(f'no line of a perf map: {line!r}')
        code[match[3]] = (int(match[1], 16), int(match[2], 16))
    for name in ('guest [VS vmid 5]', '0x80000000 [M]'):
        if name not in code:
            raise Failure(f'{name} is not in the map: {sorted(code)}')
    check_jitdump(place.read(files[1], 'rb'), machine.pid, code)
    os.unlink(files[0])


def check_jitdump(dump, pid, code):
    """tools/perf/Documentation/jitdump-specification.txt"""
    header = struct.unpack_from('<IIIIIIQQ', dump)
    check(header[:4], (0x4a695444, 1, 40, 62), 'the header')
    check(header[5], pid, 'the process')
    at, names = header[2], set()
    while at + 56 <= len(dump):
        kind, size, _, owner, _, address, _, length, _ = struct.unpack_from('<IIQIIQQQQ', dump, at)
        if at + size > len(dump):
            break
        check((kind, owner), (0, pid), 'a record')
        end = dump.index(b'\0', at + 56)
        check(end + 1 + length, at + size, 'the size of a record')
        name = dump[at + 56:end].decode()
        names.add(name)
        if name in code and 'slow' not in name and 'loop' not in name:
            check(code[name], (address, length), f'where {name} is')
        at += size
    if 'guest [VS vmid 5]' not in names:
        raise Failure(f'the guest is not in the dump: {sorted(names)}')


def events_are_shown(place):
    """minivisor starts its second hart by a software interrupt and prints by the UART."""
    place.run('-smp', '2', '-kernel', place.settings.minivisor, '-trace', 'aclint_*,file=e.log', '-trace', 'hart_line',
              '-m', '256M')
    found = {}
    for line in place.read('e.log').splitlines():
        match = re.fullmatch(r'\d+\.\d{9} (\w+)((?: \w+=(?:0x)?[0-9a-f]+)+)', line)
        if not match:
            raise Failure(f'no event: {line!r}')
        found.setdefault(match[1], []).append(match[2])
    if not set(found) <= {'aclint_msip', 'aclint_timer', 'hart_line'} or ' hart=1 level=1' not in found['aclint_msip']:
        raise Failure(f'events: { {name: lines[:3] for name, lines in found.items()} }')


def event_patterns_come_from_a_file(place):
    with open(os.path.join(place.folder, 'patterns'), 'w', encoding='ascii') as stream:
        stream.write('# all of the wires\n*_line\n-hart_line\n')
    place.run('-kernel', place.program('vmexits.elf'), '-trace', 'events=patterns,file=f.log')
    names = {line.split()[1] for line in place.read('f.log').splitlines()}
    check(names - {'plic_line', 'aplic_line'}, set(), 'events')


def bad_options_are_refused(place):
    for options, words in ((['exits,format=xml'], 'use text, json, folded or perfetto'),
                           (['exits,file=/nowhere/x'], 'cannot write'), (['exits,colour=red'], 'colour'),
                           (['nothing_like_it'], "no event matches 'nothing_like_it'"),
                           (['events=/nowhere'], 'cannot read'), (['hart_line,file=/nowhere/x'], 'cannot write'),
                           (['exits,file=a', '-trace', 'exits,file=a'], 'already')):
        text = place.run('-trace', *options, code=1)
        if words not in text or text.count('\n') != 1:
            raise Failure(f'-trace {options}: {text!r} instead of one line with "{words}"')


TESTS = [each_exit_is_counted, interp_counts_the_same, guests_have_symbols, a_hypervisor_agrees, the_monitor_shows_them,
         a_killed_emulator_leaves_files, a_perf_map_names_guest_code, events_are_shown,
         event_patterns_come_from_a_file, bad_options_are_refused]


def main(arguments):
    parser = argparse.ArgumentParser(description='Checks what traces say.')
    parser.add_argument('--gstage', default='build/gstage')
    parser.add_argument('--programs', required=True)
    parser.add_argument('--minivisor', required=True)
    parser.add_argument('words', nargs='*')
    settings = parser.parse_args(arguments)
    for name in ('gstage', 'programs', 'minivisor'):
        setattr(settings, name, os.path.abspath(getattr(settings, name)))
    failures = 0
    for test in TESTS:
        if settings.words and not any(word in test.__name__ for word in settings.words):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(Place(settings, folder))
                print(f'passed: {test.__name__}')
            except Failure as failure:
                failures += 1
                print(f'FAILED: {test.__name__}: {failure}')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
