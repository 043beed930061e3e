#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--expect, --fail-on, --timeout and --junit: exit codes, the line for the user, the report.

usage: expect.py [--gstage FILE] --programs DIR [WORD of the rows to try]
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

PASS = '-kernel exit-pass.elf '
FAIL = '-kernel exit-fail.elf '  # exit code 7
ENDLESS = '-kernel reset.elf '   # resets for ever, and says "MARK boot clean" each time
STDIO = '-serial stdio '

# (options, exit code, what stderr has; '': nothing).
ROWS = [
    # The codes
    (STDIO + ENDLESS + '--expect "boot clean"', 0, ''),
    (STDIO + ENDLESS + '--expect "boot clean" --expect "MARK boot"', 0, ''),
    (STDIO + ENDLESS + '--expect never --fail-on "boot c.ean"', 120,
     "--fail-on 'boot c.ean' was found: MARK boot clean"),
    (STDIO + PASS + '--expect "MARK exit"', 0, ''),
    (STDIO + PASS + '--expect never', 121, "ended with exit code 0: --expect 'never' was not found"),
    (STDIO + PASS + '--expect MARK --expect never', 121, "--expect 'never' was not found"),
    (STDIO + PASS + '--fail-on never', 0, ''),
    (STDIO + ENDLESS + '--timeout 1 --expect never', 124, "--timeout: 1 s are over: --expect 'never' was not found"),
    (STDIO + '-S --timeout 1', 124, '--timeout: 1 s are over'),
    # A guest that fails by itself says more
    (STDIO + FAIL + '--expect never', 7, 'ended with exit code 7'),
    (STDIO + FAIL + '--fail-on never', 7, 'ended with exit code 7'),
    # One after the other, in one line or several; the failure is looked for first
    (STDIO + PASS + '--expect MARK --expect exit', 0, ''),
    (STDIO + PASS + '--expect exit --expect MARK', 121, "--expect 'MARK' was not found"),
    (STDIO + PASS + '--expect MARK --fail-on MARK', 120, "--fail-on 'MARK' was found"),
    # Whole lines
    (STDIO + ENDLESS + '--expect "^MARK boot clean$"', 0, ''),
    (STDIO + PASS + '--expect "^MARK$"', 121, 'was not found'),
    # Any back end of the first port
    ('-serial null ' + PASS + '--expect "MARK exit"', 0, ''),
    ('-serial file:out ' + PASS + '--expect "MARK exit"', 0, ''),
    ('-serial mon:stdio ' + PASS + '--expect "MARK exit"', 0, ''),
    ('-chardev ringbuf,id=r -serial chardev:r ' + PASS + '--expect "MARK exit"', 0, ''),
    ('-chardev stdio,id=c,logfile=log -serial chardev:c ' + PASS + '--expect "MARK exit"', 0, ''),
    ('-serial null -accel interp ' + PASS + '--expect "MARK exit"', 0, ''),
    # What is wrong with the options
    (STDIO + PASS + '--expect "a(b"', 1, "--expect: "),
    (STDIO + PASS + '--fail-on ""', 1, '--fail-on: its argument is empty'),
    (STDIO + PASS + '--timeout 0', 1, '--timeout: '),
    (STDIO + PASS + '--timeout soon', 1, '--timeout: '),
    (STDIO + PASS + '--junit /nowhere/x', 1, "--junit: cannot write '/nowhere/x'"),
    ('-nodefaults ' + PASS + '--expect x', 1, 'the machine has no serial port: add -serial'),
    ('-serial null -daemonize ' + PASS + '--expect x', 1, 'nobody gets the exit code'),
]

# (options, {test case: failure or ''}, exit code)
REPORTS = [
    (STDIO + PASS + '--expect MARK --fail-on never', {'expect: MARK': '', 'fail-on: never': ''}, 0),
    (STDIO + PASS + '--expect MARK --expect "<never>"',
     {'expect: MARK': '', 'expect: <never>': "not found: the machine ended with exit code 0: "
      "--expect '<never>' was not found"}, 121),
    (STDIO + PASS + '--fail-on "MARK exit" --fail-on never',
     {'fail-on: MARK exit': 'found: MARK exit', 'fail-on: never': ''}, 120),
    (STDIO + FAIL, {'end': 'the machine ended with exit code 7'}, 7),
    (STDIO + PASS, {'end': ''}, 0),
]


class Failure(Exception):
    """A sentence that says what is wrong."""


def check(found, expected, what):
    if found != expected:
        raise Failure(f'{what}: {found!r} instead of {expected!r}')


def run(settings, options, folder):
    words = [os.path.join(settings.programs, word) if word.endswith('.elf') else word for word in shlex.split(options)]
    return subprocess.run([settings.gstage, '-M', 'virt', '-m', '64M', '-display', 'none', '-bios', 'none', *words],
                          cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=200, check=False)


def try_row(settings, row, folder):
    options, code, words = row
    done = run(settings, options, folder)
    check(done.returncode, code, 'exit code')
    lines = done.stderr.splitlines()
    check(len(lines), 1 if words else 0, f'lines on stderr {done.stderr!r}')
    if words and not (lines[0].startswith('gstage: ') and words in lines[0]):
        raise Failure(f'{lines[0]!r} has no {words!r}')


def try_report(settings, row, folder):
    options, cases, code = row
    check(run(settings, options + ' --junit report.xml -name "a <machine>"', folder).returncode, code, 'exit code')
    suites = xml.etree.ElementTree.parse(os.path.join(folder, 'report.xml')).getroot()
    check(suites.tag, 'testsuites', 'the root')
    suite = suites.find('testsuite')
    check(suite.get('name'), 'a <machine>', 'name')
    found = {case.get('name'): '' if case.find('failure') is None else case.find('failure').get('message')
             for case in suite.findall('testcase')}
    check(found, cases, 'test cases')
    check((suite.get('tests'), suite.get('failures')),
          (str(len(cases)), str(sum(1 for failure in cases.values() if failure))), 'counts')
    if '--expect' in options and 'MARK exit' not in suite.find('system-out').text:
        raise Failure('the console is not in the report')


def main(arguments):
    parser = argparse.ArgumentParser(description='Checks --expect and its like.')
    parser.add_argument('--gstage', default='build/gstage')
    parser.add_argument('--programs', required=True)
    parser.add_argument('words', nargs='*')
    settings = parser.parse_args(arguments)
    settings.gstage, settings.programs = os.path.abspath(settings.gstage), os.path.abspath(settings.programs)
    failures = 0
    for rows, attempt in ((ROWS, try_row), (REPORTS, try_report)):
        for row in rows:
            if settings.words and not any(word in row[0] for word in settings.words):
                continue
            with tempfile.TemporaryDirectory() as folder:
                try:
                    attempt(settings, row, folder)
                except Failure as failure:
                    failures += 1
                    print(f'FAILED: {row[0]}: {failure}')
    print(f'{len(ROWS) + len(REPORTS)} rows, {failures} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
