#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of a section of the documentation and compares what they print.

usage: walkthrough.py GSTAGE FOLDER DOCUMENT SECTION

A command is a line "$ ..." at the begin of a block of code; the rest of the block is its output. gstage is GSTAGE, and
the programs are those in FOLDER. Numbers are compared by form (0x...), since compilers differ, and addr2line is given
the pc that the last report named; lines are compared in any order, since they come from two streams. With lines
"(gstage) ..." in the block the program does not end by itself: once it has printed what stands above the first of them,
Ctrl-a c leads to the monitor, which gets them. The machine runs on meanwhile, so what such a block says of a hart that
is awake now and then is asked for again until it is there.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

TIMEOUT_S = 120
PROMPT = '(gstage) '
PROGRAMS = 'build-release/tests/guests'


def section_of(text, title):
    start = re.search(rf'^## {re.escape(title)}$', text, re.MULTILINE).end()
    end = re.search(r'^## ', text[start:], re.MULTILINE)
    return text[start:start + end.start() if end else None]


def lines_of(text):
    return sorted(re.sub(r'0x[0-9a-f]+', '0x...', line).rstrip() for line in text.splitlines() if line.strip())


def run(words, expected, folder):
    """The exit code and what the command printed."""
    if PROMPT in expected:
        return talk(words, expected, folder)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
                          timeout=TIMEOUT_S)
    return done.returncode, done.stdout.decode(errors='replace')


def talk(words, expected, folder):
    before, *exchanges = expected.split(PROMPT)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          cwd=folder) as machine:
        limit = time.monotonic() + TIMEOUT_S

        def read_to(end):
            text = ''
            while not text.endswith(end) and time.monotonic() < limit:
                text += os.read(machine.stdout.fileno(), 1).decode(errors='replace')
            return text.replace('\r', '')

        def say(text):
            machine.stdin.write(text.encode())
            machine.stdin.flush()

        output = read_to(before.rstrip()[-20:]) + '\n'
        say('\x01c')
        read_to(PROMPT)
        for exchange in exchanges[:-1]:
            command, _, answer = exchange.partition('\n')
            while True:
                say(command + '\n')
                found = read_to(PROMPT).removesuffix(PROMPT).partition('\n')[2]
                if lines_of(found) == lines_of(answer) or time.monotonic() > limit:
                    break
                time.sleep(0.05)
            output += PROMPT + command + '\n' + found
        say(exchanges[-1])
        machine.stdout.read()
        return machine.wait(), output + PROMPT + exchanges[-1]


def main():
    gstage, folder, document, title = sys.argv[1:]
    with open(document, encoding='utf-8') as file:
        section = section_of(file.read(), title)
    steps = re.findall(r'^```\n\$ ([^\n]*)\n(.*?)^```$', section, re.MULTILINE | re.DOTALL)
    failures, pc = 0, None
    for command, expected in steps:
        words = shlex.split(command.replace(PROGRAMS, os.path.abspath(folder)))
        if words[0] == 'gstage':
            words[0] = os.path.abspath(gstage)
        elif pc:
            words[-1] = pc
        with tempfile.TemporaryDirectory() as scratch:
            code, output = run(words, expected, scratch)
        stored = re.search(r'stored by .* pc (0x[0-9a-f]+)', output)
        pc = stored[1] if stored else pc
        is_right = code == 0 and lines_of(output) == lines_of(expected)
        print(f'{"ok" if is_right else "FAIL"}: $ {command}' + ('' if is_right else f'\n{output}'))
        failures += not is_right
    if not steps:
        sys.exit(f'FAIL: no commands in "{title}"')
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
