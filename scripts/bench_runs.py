# SPDX-License-Identifier: Apache-2.0
"""The runs of scripts/bench: each returns {(group, name): figure} of one emulator. A figure is nanoseconds an
iteration, but in the groups of resident memory it is MiB."""

import gzip
import os
import re
import shutil

from benchlib import ROOT, Failure, resident_mib, times_of, watch

LINUX_GROUPS = ['integer', 'float', 'memory', 'system']
USER_GROUPS = LINUX_GROUPS + ['smp', 'layout', 'sweep']
BARE = ['exits', 'worlds', 'interrupts']
SWEEP_BARE = ['vms', 'code']
PROGRAMS = ['bench-riscv64', 'bench-native'] + [f'bare-{name}.elf' for name in BARE + SWEEP_BARE]
SMP_HARTS = [1, 2, 4]
NS_PER_TICK = 100  # of the virt board's time base
BOOT_MARKS = ['MARK host up', 'MARK guest start', 'MARK userspace up', 'MARK guest end rc=0']
BOOT_RAM = '1G'
BOOT_RAM_KIB = 1 << 20
WALL, CPU = 0, 1   # columns of benchlib.watch's lines
LINE = re.compile(r'(START|BENCH|FAIL|MARK) (\S+)(?: (\d+) (\d+))?')


def cpio(files):
    """An archive as the kernel unpacks it (Documentation/driver-api/early-userspace/buffer-format): 'newc'."""
    out, entries = b'', [('bench', 0o40755, b'')] + [(name, 0o100755, data) for name, data in files]
    for number, (name, mode, data) in enumerate(entries + [('TRAILER!!!', 0, b'')], 1):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b'070701' + b''.join(b'%08x' % field for field in fields) + name.encode() + b'\0'
        for part in (head, data):
            out += part + bytes(-len(part) % 4)
    return out


def read(path):
    with open(path, 'rb') as stream:
        return stream.read()


def work_directory():
    """Where the images of the runs are put."""
    home = os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))
    cache = os.environ.get('GSTAGE_CACHE', os.path.join(home, 'gstage'))
    return os.environ.get('GSTAGE_BENCH_DIR', os.path.join(cache, 'bench'))


def make_initramfs(programs, guests, work):
    """The benchmarks go behind the initramfs of the KVM host, and are once more in there for its guest."""
    files = [('init', read(os.path.join(ROOT, 'tests', 'bench', 'user', 'init'))),
             ('bench/bench', read(os.path.join(programs, 'bench-riscv64')))]
    inner = gzip.compress(cpio(files), mtime=0)
    with open(os.path.join(work, 'bench.cpio.gz'), 'wb') as stream:
        stream.write(read(os.path.join(guests, 'host.cpio.gz')))
        stream.write(gzip.compress(cpio(files + [('bench/guest.cpio.gz', inner)]), mtime=0))


def make_images(programs, guests, work):
    """Puts all that the emulators read into one directory."""
    os.makedirs(work, exist_ok=True)
    make_initramfs(programs, guests, work)
    for name in BARE + SWEEP_BARE:
        shutil.copy(os.path.join(programs, f'bare-{name}.elf'), work)


def group_of_names():
    """Which group a benchmark of tests/bench/user is in: its row says so. Those of layout.c and sweep.c have
    their group's name in front of their own."""
    rows = {}
    for file in LINUX_GROUPS + ['smp']:
        text = read(os.path.join(ROOT, 'tests', 'bench', 'user', f'{file}.c')).decode()
        rows.update({name: group for group, name in re.findall(r'\{"(\w+)", "([\w-]+)"', text)})
    own = ('layout', 'sweep')
    return lambda name: next((group for group in own if name.startswith(group + '-')), None) or rows[name]


def collect(run, column, ns_per_unit, group_of):
    """{(group, name): ns an iteration} of the BENCH lines of a run."""
    out, started, inside = {}, {}, ''
    for line in run['lines']:
        match = LINE.match(line[2])
        if not match:
            continue
        word, name, iterations, took = match.groups()
        if word == 'FAIL':
            raise Failure(f'wrong result: {line[2]}')
        if word == 'MARK' and line[2].startswith('MARK guest start'):
            inside = 'kvm-'
        elif word == 'START':
            started[name] = line[CPU]
        elif word == 'BENCH' and iterations:
            ns = int(took) * ns_per_unit if column == WALL else (line[CPU] - started[name]) * 1e9
            out[(inside + group_of(name), name)] = ns / int(iterations)
    return out


def linux_options(settings, harts=1):
    return ['-M', 'virt', '-cpu', 'rv64', '-smp', str(harts), '-nographic', '-no-reboot',
            '-bios', f'{settings.guests}/fw_dynamic.bin', '-kernel', f'{settings.guests}/Image']


def linux_groups(settings):
    """The groups of programs that run on the host Linux, and in its KVM guest if there is to be one."""
    chosen = [group for group in LINUX_GROUPS if group in settings.groups]
    return chosen or (['integer'] if 'kvm' in settings.groups else [])


def run_programs(settings, path, groups, harts=1, nested=False):
    """Groups of tests/bench/user on a Linux of so many harts. Its memory is enough for the largest of the sweeps."""
    append = f'console=ttyS0 bms={settings.ms} bgroups={",".join(groups)}' + (' bnested=1' if nested else '')
    run = watch([path, *linux_options(settings, harts), '-m', '3G', '-initrd', f'{settings.work}/bench.cpio.gz',
                 '-append', append], settings.timeout)
    ends = ['MARK bench end'] + (['MARK guest start', 'MARK bench end', 'MARK guest end rc=0'] if nested else [])
    times_of(run, ends)
    return run


def run_linux(settings, path):
    run = run_programs(settings, path, linux_groups(settings), nested='kvm' in settings.groups)
    return collect(run, settings.column, 1, settings.group_of)


def smp_name(name, harts):
    return f'{name}, -smp {harts}'


def run_smp(settings, path):
    """By the wall clock alone: how many harts run at once is what is asked."""
    out = {}
    for harts in SMP_HARTS:
        run = run_programs(settings, path, ['smp'], harts)
        out.update({(group, smp_name(name, harts)): ns
                    for (group, name), ns in collect(run, WALL, 1, settings.group_of).items()})
    return out


def run_bare_program(settings, path, name, group):
    run = watch([path, '-M', 'virt', '-cpu', 'rv64', '-m', '128M', '-smp', '2' if name == 'interrupts' else '1',
                 '-nographic', '-bios', 'none', '-kernel', f'{settings.work}/bare-{name}.elf'], settings.timeout)
    times_of(run, ['BENCH done'])
    return run, collect(run, settings.column, NS_PER_TICK, lambda _: group)


def run_bare(settings, path):
    out = {}
    for name in BARE:
        run, figures = run_bare_program(settings, path, name, 'bare')
        out.update(figures)
        if name == BARE[0]:
            out[('start', 'exec to the first line of a bare-metal program')] = run['lines'][0][settings.column] * 1e9
    return out


def run_layout(settings, path):
    return collect(run_programs(settings, path, ['layout'], nested=True), settings.column, 1, settings.group_of)


def run_sweep(settings, path):
    out = collect(run_programs(settings, path, ['sweep']), settings.column, 1, settings.group_of)
    for name in SWEEP_BARE:
        out.update(run_bare_program(settings, path, name, 'sweep')[1])
    return out


def run_boot(settings, path):
    resident = {}

    def look(pid, text):
        for mark in (BOOT_MARKS[0], BOOT_MARKS[2]):
            if mark in text:
                resident[mark] = resident_mib(pid, BOOT_RAM_KIB)

    run = watch([path, *linux_options(settings), '-m', BOOT_RAM, '-initrd', f'{settings.guests}/host.cpio.gz',
                 '-append', 'console=ttyS0'], settings.timeout, look)
    at = times_of(run, BOOT_MARKS, settings.column)
    booted, nested = resident[BOOT_MARKS[0]], resident[BOOT_MARKS[2]]
    return {('power-on', 'power-on to userspace'): at[0] * 1e9,
            ('kvm-boot', 'KVM guest start to its userspace'): (at[2] - at[1]) * 1e9,
            ('kvm-boot', 'KVM guest start to its end'): (at[3] - at[1]) * 1e9,
            ('resident', 'beside guest RAM, host Linux up'): booted['beside'],
            ('resident-more', 'beside guest RAM, KVM guest up'): nested['beside'],
            ('resident-more', 'guest RAM, host Linux up'): booted['ram'],
            ('resident-more', 'guest RAM, KVM guest up'): nested['ram']}


def run_native(settings):
    """The same programs on this host, which take the clock themselves. CPU time knows nothing of child processes, so
    the system group is left out of it."""
    by_cpu = settings.column == CPU
    groups = linux_groups(settings) + [group for group in ('smp', 'layout', 'sweep') if group in settings.groups]
    groups = [group for group in groups if not (by_cpu and group == 'system')]
    if not groups:
        return {}
    run = watch([os.path.join(settings.programs, 'bench-native'), f'{"c" if by_cpu else ""}{settings.ms}', *groups],
                settings.timeout)
    out = {}
    for (group, name), ns in collect(run, WALL, 1, settings.group_of).items():
        if group == 'smp':
            out.update({(group, smp_name(name, harts)): ns for harts in SMP_HARTS})
        else:
            out.update({(group, name): ns, ('kvm-' + group, name): ns})
    return out


def run_all(settings, path):
    """One run of all groups that are asked for."""
    parts = [(bool(linux_groups(settings)), run_linux), ('smp' in settings.groups, run_smp),
             ('bare' in settings.groups, run_bare), ('boot' in settings.groups, run_boot),
             ('layout' in settings.groups, run_layout), ('sweep' in settings.groups, run_sweep)]
    out = {}
    for asked, part in parts:
        if asked:
            out.update(part(settings, path))
    return out
