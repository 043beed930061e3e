#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks into a guest that waits for an interrupt in vain (insight.S): the monitor's commands about worlds, page tables
and interrupts, and logs with filters, as docs/debugging.md and docs/logs.md tell of them.

usage: insight.py --gstage FILE --programs DIR
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

LIMIT_S = 100
PROMPT = '(gstage) '

# A command and what its answer has.
ANSWERS = [
    ('why-irq', r'hart 0, in VS-mode at 0x[0-9a-f]+.*\n'
                r'  mip.VSSIP \(hvip\): BLOCKED: vsie.SSIE \(hie.VSSIE\) is 0\n'),
    ('why-irq 5', r'there is no hart 5: harts are 0 to 0'),
    ('walk 0x80000000 x', r'vsatp Sv39, root 0x[0-9a-f]+: fetch of 0x80000000\n'
                          r'    hgatp Sv39x4(.*\n)+result: physical 0x80000000\n'),
    ('walk 0x40000000 w', r'-> fault: V is 0\nresult: store/AMO page fault: V is 0\n'),
    ('walk 0x40000000 w gpa', r'result: store/AMO guest-page fault at guest physical 0x40000000: V is 0\n'),
    ('walk 0x80000000 host', r'load of 8 bytes at 0x80000000 as S\nphysical 0x80000000: PMP entry 0: rwx\n'),
    ('walk 0x80000000 r 4', r'hart 0 remembers no guest of VMID 4'),
    ('walk 0x80000000 q current', r"'q' is no access: use r, w or x"),
    ('info mem', r'as VS, vmid 3, asid 7\nvsatp: Sv39\n.*\n0x0000000080000000 0x40000000 +0x0000000080000000 rwx--ad\n'
                 r'hgatp: Sv39x4\n.*\n0x0000000080000000 0x40000000 +0x0000000080000000 rwxu-ad\n'),
    ('info gstage 3', r'hgatp: Sv39x4\n.*\n0x0000000080000000 0x40000000'),
    ('gva2gpa 0x80001234', r'0x80001234 -> 0x80001234\n'),
    ('gpa2hpa 0x40000000', r'0x40000000 leads nowhere'),
    ('info tlb', r'VS, vmid 3, asid 7: Sv39 over Sv39x4, pages: \d+, in use for data and fetches\n'),
    ('info tlb -a', r'VS, vmid 3, asid 7: Sv39 over Sv39x4, pages: [1-9]\d*, in use for data and fetches\n'
                    r'    0x0000000080000000-0x0000000080000fff gpa 0x80000000 at 0x80000000 [r-][w-]x, '
                    r'leaf of 1G over one of 1G\n'),
    ('info irq', r'hip +0x0000000000000004  VSSIP\n'),
    ('info jit', r'blocks translated since the last flush: \d+\nregions: \d+\n'
                 r'code: \d+ KiB of \d+ KiB; out of line: '),
    ('info csrs', r'hgatp +0x80003000[0-9a-f]{8}  PPN=0x[0-9a-f]+ VMID=3 MODE=Sv39x4\n'),
    ('x/2i 0x80000000', r'0x0000000080000000:  f14022f3 csrrs     t0,mhartid,zero\n'),
    ('xp/2xw 0x80000000', r'0000000080000000: 0xf14022f3 0x[0-9a-f]{8}\n'),
    ('x/i $pc', r'wfi|jal'),
    ('x/i $x0', r'cannot access memory at 0x0\n'),
    ('x/i $none', r"address: there is no register 'none'"),
    ('info registers vs', r'hart 0:\n(.*\n)*  vsatp +0x80007000[0-9a-f]{8}  PPN=0x[0-9a-f]+ ASID=7 MODE=Sv39\n'),
    ('info registers none', r"there is no group 'none' of registers: there are general, float, "),
    ('x 0x40000000', r'cannot access memory at 0x40000000\n'),
]

EXEC = re.compile(r'exec [0-9a-f]{16} paddr [0-9a-f]+ flags [0-9a-f]+ '
                  r'\[(M|HS|U|VS|VU), hart \d+(, vmid \d+)?(, \S+)?\]')
REGISTERS = re.compile(r'  ([a-z0-9]+ +[0-9a-f]{16} ?)+')


class Monitor:
    """A machine whose monitor is at the other end of a pipe."""

    def __init__(self, gstage, program, *options):
        self.process = subprocess.Popen(
            [gstage, '-M', 'virt', '-m', '64M', '-display', 'none', '-bios', 'none', '-kernel', program,
             '-serial', 'null', '-monitor', 'stdio', *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.read()

    def read(self):
        text = ''
        while not text.endswith(PROMPT):
            char = self.process.stdout.read(1)
            if not char:
                raise EOFError(text)
            text += char
        return text[:-len(PROMPT)]

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.read().replace('\r', '')

    def end(self):
        self.process.stdin.write('quit\n')
        self.process.stdin.flush()
        self.process.stdout.read()
        return self.process.wait(LIMIT_S)


def stop_in_guest(monitor):
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        monitor.ask('stop')
        if 'mode VS' in monitor.ask('info registers'):
            return True
        monitor.ask('cont')
        time.sleep(0.1)
    return False


def check_monitor(gstage, program):
    monitor = Monitor(gstage, program)
    if not stop_in_guest(monitor):
        return ['the guest does not run']
    failures = []
    for line, wanted in ANSWERS:
        answer = monitor.ask(line)
        if not re.search(wanted, answer):
            failures.append(f'{line}: no {wanted!r} in\n{answer}')
    return failures + ([] if monitor.end() == 0 else ['it does not end in an orderly way'])


def trace(gstage, program, items, filters):
    """The lines of a log of the machine up to where the guest waits."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'log')
        monitor = Monitor(gstage, program, '-d', items, *(['-dfilter', filters] if filters else []), '-D', path)
        is_there = stop_in_guest(monitor)
        monitor.end()
        with open(path, encoding='utf-8') as stream:
            return stream.read().splitlines() if is_there else []


def check_logs(gstage, program):
    failures = []

    def check(name, is_right):
        if not is_right:
            failures.append(f'logs: {name}')

    lines = trace(gstage, program, 'exec,nochain,cpu', None)
    check('there are lines', lines)
    check('each line has its format', all(EXEC.fullmatch(line) or REGISTERS.fullmatch(line) for line in lines))
    check('the guest and the machine are there', any('[VS, hart 0, vmid 3' in line for line in lines) and
          any('[M, hart 0' in line for line in lines))
    check('registers follow', any('a0   0000000000001234' in line for line in lines))
    heads = [line for line in trace(gstage, program, 'exec,nochain', 'v=1,hart=0')]
    check('v=1', heads and all('[VS, hart 0, vmid 3' in line for line in heads))
    check('v=0', all('[M, ' in line for line in trace(gstage, program, 'exec,nochain', 'v=0')))
    check('hart=1', not trace(gstage, program, 'exec,nochain', 'hart=1'))
    heads = trace(gstage, program, 'exec,nochain', '0x80000000+4')
    check('range', heads and all(line.startswith('exec 0000000080000000 ') for line in heads))
    lines = trace(gstage, program, 'in_asm', '0x80000000+4')
    check('in_asm', sum(line.startswith('in: ') for line in lines) == 1)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--gstage', required=True)
    parser.add_argument('--programs', required=True)
    settings = parser.parse_args()
    program = os.path.join(settings.programs, 'insight.elf')
    failures = check_monitor(settings.gstage, program) + check_logs(settings.gstage, program)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
