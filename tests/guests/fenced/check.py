#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the hypervisor with all its fences, and with each one left out, under -sanitize fences,icache.

usage: check.py GSTAGE MODE FENCES.H FOLDER [EMULATOR-ARGS...]

FOLDER has fenced-NAME.elf for each row of FENCES.H, and fenced-nothing.elf. The complete program must be clean; each
other must have a finding that names the missing fence on the right hart, and where harts go on with what they held
(MODE adversarial) the program must see what was there before.
"""
import re
import subprocess
import sys

TIMEOUT_S = 120
# sinval.vma is told by the name of the fence that it stands for.
STANDS_FOR = {'sinval.vma': 'sfence.vma', 'hinval.vvma': 'hfence.vvma', 'hinval.gvma': 'hfence.gvma'}


def run(gstage, mode, elf, args):
    command = [gstage, '-M', 'virt', '-cpu', 'max', '-smp', '2', '-nographic', '-bios', 'none', '-kernel', elf,
               '-sanitize', f'fences={mode},grace=0,icache'] + args
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=TIMEOUT_S)
    text = done.stdout.decode(errors='replace')
    if done.returncode != 0 or 'MARK fenced done' not in text:
        return text, f'it did not end well (exit code {done.returncode})'
    return text, None


def judge(name, fence, mode, text):
    """What is wrong with the output, or nothing."""
    findings = sum(int(count) for count in re.findall(r'(\d+) findings', text))
    if name == 'nothing':
        return 'findings without a defect' if findings or ' sees ' in text else None
    if findings == 0:
        return 'the missing fence was not found'
    mnemonic = fence.split()[0]
    hart = 1 if 'other hart' in fence else 0
    missing = rf'missing on hart {hart}: .*{re.escape(STANDS_FOR.get(mnemonic, mnemonic))}'
    if not re.search(missing, text):
        return f'no finding names {mnemonic} on hart {hart}'
    if mode == 'adversarial' and mnemonic != 'fence.i' and ' sees ' not in text:
        return 'the program did not see what was there before'
    return None


def main():
    gstage, mode, rows, folder, args = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]
    with open(rows, encoding='utf-8') as file:
        fences = re.findall(r'^FENCE_ROW\((\w+), "(.*)"\)$', file.read(), re.MULTILINE)
    failures = 0
    for name, fence in [('nothing', '')] + fences:
        text, wrong = run(gstage, mode, f'{folder}/fenced-{name}.elf', args)
        wrong = wrong or judge(name, fence, mode, text)
        print(f'{"FAIL" if wrong else "ok"}: {name}' + (f': {wrong}\n{text}' if wrong else ''))
        failures += wrong is not None
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
