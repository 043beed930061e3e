#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each benchmark of tests/bench/user once or twice on a Linux in gstage, as scripts/bench does: it has to finish
with the right result. Nothing is said about time.

usage: linux_test.py GSTAGE PROGRAMS host|guest
  host    all of them on the host Linux, on four harts, so that none is left out
  guest   those that run there in its KVM guest

Exit code: 0 passed, 1 failed, 77 skipped because the Linux guests are not made (scripts/make-guests makes them).
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))
import bench_runs  # noqa: E402
from benchlib import Failure  # noqa: E402

SKIPPED = 77
SWEEPS = 12
LAYOUTS = 24


def guests_directory():
    return os.environ.get('GSTAGE_GUESTS') or subprocess.run(
        [os.path.join(ROOT, 'scripts', 'make-guests'), '--cached'], stdout=subprocess.PIPE, text=True,
        check=False).stdout.strip()


def expected(groups):
    """The names in the tables of the sources."""
    names = set()
    for group in groups:
        text = bench_runs.read(os.path.join(ROOT, 'tests', 'bench', 'user', f'{group}.c')).decode()
        names.update(re.findall(r'\{"' + group + r'", "([\w-]+)", ', text))
    return names


def on_host(settings, gstage):
    run = bench_runs.run_programs(settings, gstage, bench_runs.USER_GROUPS, harts=4)
    done = bench_runs.collect(run, bench_runs.WALL, 1, settings.group_of)
    sweeps = [name for group, name in done if group == 'sweep']
    if len(sweeps) != SWEEPS:
        raise Failure(f'{len(sweeps)} sweeps of {SWEEPS} have finished')
    layouts = [name for group, name in done if group == 'layout']
    if len(layouts) != LAYOUTS:
        raise Failure(f'{len(layouts)} layouts of {LAYOUTS} have finished')
    return expected(bench_runs.LINUX_GROUPS + ['smp']) - {name for _, name in done}


def in_guest(settings, gstage):
    run = bench_runs.run_programs(settings, gstage, bench_runs.LINUX_GROUPS, nested=True)
    done = bench_runs.collect(run, bench_runs.WALL, 1, settings.group_of)
    return expected(bench_runs.LINUX_GROUPS) - {name for group, name in done if group.startswith('kvm-')}


def main():
    gstage, programs, what = sys.argv[1:]
    settings = argparse.Namespace(guests=guests_directory(), ms=1, timeout=600, group_of=bench_runs.group_of_names())
    if not settings.guests:
        print('skipped, the Linux guests are not made (scripts/make-guests)')
        return SKIPPED
    with tempfile.TemporaryDirectory() as settings.work:
        bench_runs.make_initramfs(programs, settings.guests, settings.work)
        missing = {'host': on_host, 'guest': in_guest}[what](settings, gstage)
    if missing:
        raise Failure(f'not finished: {", ".join(sorted(missing))}')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Failure as failure:
        print(failure)
        sys.exit(1)
