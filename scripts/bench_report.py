# SPDX-License-Identifier: Apache-2.0
"""From runs to tables and a picture. A figure is the cost of one iteration in nanoseconds, or MiB of memory, for a
side and a run."""

import math
import re
import statistics

# Geometric means over a group's ratios peer ÷ gstage, as decided for the project: (group, what it is, goal, least).
# What has no goal of its own is there to be seen.
GOALS = [
    ('integer', 'integer, single hart', 4, 2),
    ('float', 'floating point', 6, 3),
    ('memory', 'memory and TLB', 2.5, 1.5),
    ('system', 'system (syscall, pipe, fork, fault)', 5, 2.5),
    ('kvm-integer', 'integer inside the KVM guest', 6, 3),
    ('kvm-float', 'floating point inside the KVM guest', None, None),
    ('kvm-memory', 'memory and TLB inside the KVM guest', None, None),
    ('kvm-system', 'system inside the KVM guest', None, None),
    ('smp', 'one, two and four harts, independent and contended', None, None),
    ('bare', 'bare-metal exits, fences, world switches', 15, 6),
    ('power-on', 'power-on to userspace', 2.5, 1.5),
    ('kvm-boot', 'KVM guest boot', 5, 2.5),
    ('resident', 'resident memory after boot, beside guest RAM', 2, 1),
    ('network', 'network: iperf3 to the host and from it', 2, 1),
    ('network-rr', 'network: requests and responses', 2, 1),
    ('network-kvm', 'network of a KVM guest: iperf3', 3, 1.5),
    ('network-kvm-rr', 'network of a KVM guest: requests and responses', 3, 1.5),
    ('layout', 'one program at many places of the address space', None, None),
    ('kvm-layout', 'one program at many places inside the KVM guest', None, None),
    ('sweep', 'working sets, guests and code as they grow', None, None),
]
# Time in the KVM guest ÷ time on the host Linux, of gstage alone; here less is better.
NESTING_GOAL, NESTING_LEAST = 1.05, 1.25
# Throughput of two workers on two harts ÷ that of one, of gstage alone.
SMP_GOAL, SMP_LEAST = 1.95, 1.85
# The worst place ÷ the best of one program, of gstage alone; here less is better.
LAYOUT_GOAL, LAYOUT_LEAST = 1.1, 1.3
# Milliseconds from exec to the first sign of life, of gstage alone.
START_GOAL, START_LEAST = 8, 20
# CPU time of an idle guest with a network, in per cent of a core, of gstage alone.
IDLE_GOAL, IDLE_LEAST = 1, 2
SIDES = ('gstage', 'peer')
SWEEP_NAME = re.compile(r'(.+)-(\d+)(MiB|VM)$')
LAYOUT_NAME = re.compile(r'layout-(code|data|both)-(.+)$')
SMP_NAME = re.compile(r'(\w+)-(\d+)(, -smp \d+)$')
COLOURS = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377', '#777777', '#994455']


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else None


def figure_text(group, value):
    """A figure in the unit that suits it."""
    if group.startswith('resident'):
        return f'{value:.1f} MiB'
    if group in ('network', 'network-kvm'):
        return f'{1e9 / value:.0f} Mbit/s'
    for unit, size in (('s', 1e9), ('ms', 1e6), ('µs', 1e3)):
        if value >= size:
            return f'{value / size:.3g} {unit}'
    return f'{value:.3g} ns'


def figures(runs, native):
    """{(group, name): medians, ratio with spread over the pairs of runs, ÷ native} of what both sides measured in every
    run, and the list of what they did not."""
    out, missing = {}, []
    for key in dict.fromkeys(key for side in runs for run in runs[side] for key in run):
        values = {side: [run[key] for run in runs[side] if key in run] for side in runs}
        if any(len(values[side]) < len(runs[side]) or min(values[side]) <= 0 for side in runs):
            missing.append(key)
            continue
        middle = {side: statistics.median(values[side]) for side in runs}
        ratios = [theirs / ours for ours, theirs in zip(values['gstage'], values['peer'])]
        at_home = [run[key] for run in native if key in run]
        native_middle = statistics.median(at_home) if at_home else None
        out[key] = {
            'values': values, 'median': middle, 'ratio': middle['peer'] / middle['gstage'],
            'ratio_least': min(ratios), 'ratio_most': max(ratios), 'native': native_middle,
            'over_native': middle['gstage'] / native_middle if native_middle else None,
        }
    return out, missing


def group_rows(table, group):
    return [(name, row) for (of, name), row in table.items() if of == group]


def grid(head, rows):
    """The lines of a table of Markdown."""
    return ['| ' + ' | '.join(head) + ' |', '|---' * len(head) + '|'] + ['| ' + ' | '.join(row) + ' |' for row in rows]


def group_table(table, group):
    rows = []
    for name, row in group_rows(table, group):
        rows.append([name, *(figure_text(group, row['median'][side]) for side in SIDES),
                     f'{row["ratio"]:.2f} ({row["ratio_least"]:.2f}–{row["ratio_most"]:.2f})',
                     f'{row["over_native"]:.1f}' if row['over_native'] else ''])
    head = ['', 'gstage', 'peer', 'peer ÷ gstage (least–most)', 'gstage ÷ native']
    return [f'#### {group}', '', *grid(head, rows), '']


def nesting(table):
    """Time in the KVM guest ÷ time on the host Linux: {(group, name): {side: ratio}}."""
    return {(group[4:], name): {side: row['median'][side] / table[(group[4:], name)]['median'][side] for side in SIDES}
            for (group, name), row in table.items()
            if group.startswith('kvm-') and group != 'kvm-layout' and (group[4:], name) in table}


def nesting_mean(ratios, side):
    return geometric_mean([both[side] for both in ratios])


def nesting_table(table):
    ratios = nesting(table)
    if not ratios:
        return []
    rows = []
    for group in dict.fromkeys(group for group, _ in ratios):
        inside = {name: both for (of, name), both in ratios.items() if of == group}
        rows.append([f'**{group}**', *(f'**{nesting_mean(inside.values(), side):.2f}**' for side in SIDES)])
        rows += [[name, *(f'{both[side]:.2f}' for side in SIDES)] for name, both in inside.items()]
    return ['#### time in a KVM guest ÷ on the host Linux', '', *grid(['', *SIDES], rows), '']


def throughput(table, name):
    """{side: that of the workers of a benchmark of smp ÷ that of one on the same machine}; None if it is not known."""
    match = SMP_NAME.match(name)
    row, alone = table.get(('smp', name)), table.get(('smp', f'{match[1]}-1{match[3]}'))
    if not row or not alone:
        return None
    out = {side: int(match[2]) * alone['median'][side] / row['median'][side] for side in SIDES}
    out['native'] = int(match[2]) * alone['native'] / row['native'] if row['native'] and alone['native'] else None
    return out


def throughput_table(table):
    rows = []
    for name, _ in group_rows(table, 'smp'):
        times = throughput(table, name)
        if times and SMP_NAME.match(name)[2] != '1':
            rows.append([name, *(f'{times[side]:.2f}' for side in SIDES),
                         f'{times["native"]:.2f}' if times['native'] else ''])
    head = ['', *SIDES, 'native']
    return ['#### throughput of several workers ÷ that of one', '', *grid(head, rows), ''] if rows else []


def sweep_table(table):
    """The sweeps with a column a size."""
    sweeps = {}
    for name, row in group_rows(table, 'sweep'):
        match = SWEEP_NAME.match(name)
        if match:
            sweeps.setdefault((match[1], match[3]), {})[int(match[2])] = row
    lines = []
    for (what, unit), rows in sweeps.items():
        sizes = sorted(rows)
        cells = [[side, *(figure_text('sweep', rows[size]['median'][side]) for size in sizes)] for side in SIDES]
        cells.append(['peer ÷ gstage', *(f'{rows[size]["ratio"]:.2f}' for size in sizes)])
        lines += grid([what, *(f'{size} {unit}' for size in sizes)], cells) + ['']
    return ['#### how costs grow', ''] + lines if lines else []


def layout_spread(table, group, side):
    """The worst place ÷ the best, for what is moved: {code, data or both: ratio}."""
    times = {}
    for name, row in group_rows(table, group):
        times.setdefault(LAYOUT_NAME.match(name)[1], []).append(row['median'][side])
    return {what: max(values) / min(values) for what, values in times.items()}


def layout_table(table):
    rows = []
    for group, where in (('layout', 'host Linux'), ('kvm-layout', 'KVM guest')):
        spreads = {side: layout_spread(table, group, side) for side in SIDES}
        rows += [[f'{what}, {where}', *(f'{spreads[side][what]:.2f}' for side in SIDES)] for what in spreads[SIDES[0]]]
    head = ['what is moved', *SIDES]
    return ['#### the worst place of the address space ÷ the best', '', *grid(head, rows), ''] if rows else []


def verdict(value, goal, least, less_is_better=False):
    if goal is None:
        return ''
    good = (lambda limit: value <= limit) if less_is_better else (lambda limit: value >= limit)
    return 'goal met' if good(goal) else 'least met' if good(least) else 'not yet'


def ratio_rows(table):
    for group, what, goal, least in GOALS:
        rows = group_rows(table, group)
        if not rows:
            continue
        mean = geometric_mean([row['ratio'] for _, row in rows])
        name, worst = min(rows, key=lambda item: item[1]['ratio'])
        yield {'what': what, 'value': mean, 'slowest': f'{name}: {worst["ratio"]:.2f}', 'goal': goal, 'least': least,
               'verdict': verdict(mean, goal, least)}


def own_rows(table):
    """What is asked of gstage alone; the peer's is there to compare."""
    ratios = nesting(table)
    if ratios:
        mean, worst = nesting_mean(ratios.values(), 'gstage'), max(ratios, key=lambda key: ratios[key]['gstage'])
        yield {'what': 'time in a KVM guest ÷ on the host Linux, gstage '
                       f'(peer: {nesting_mean(ratios.values(), "peer"):.2f})',
               'value': mean, 'slowest': f'{worst[1]}: {ratios[worst]["gstage"]:.2f}',
               'goal': f'≤ {NESTING_GOAL}', 'least': f'≤ {NESTING_LEAST}',
               'verdict': verdict(mean, NESTING_GOAL, NESTING_LEAST, True)}
    times = throughput(table, 'independent-2, -smp 2')
    if times:
        native = f', native: {times["native"]:.2f}' if times['native'] else ''
        yield {'what': 'two harts, independent work: throughput ÷ that of one, gstage '
                       f'(peer: {times["peer"]:.2f}{native})',
               'value': times['gstage'], 'slowest': '', 'goal': SMP_GOAL, 'least': SMP_LEAST,
               'verdict': verdict(times['gstage'], SMP_GOAL, SMP_LEAST)}
    for group, where in (('layout', 'the host Linux'), ('kvm-layout', 'a KVM guest')):
        ours, theirs = (layout_spread(table, group, side) for side in SIDES)
        if ours:
            what = max(ours, key=ours.get)
            yield {'what': f'worst ÷ best place of a program on {where}, gstage (peer: {max(theirs.values()):.2f})',
                   'value': ours[what], 'slowest': f'{what}: {ours[what]:.2f}', 'goal': f'≤ {LAYOUT_GOAL}',
                   'least': f'≤ {LAYOUT_LEAST}', 'verdict': verdict(ours[what], LAYOUT_GOAL, LAYOUT_LEAST, True)}
    for _, row in group_rows(table, 'start'):
        ours, theirs = row['median']['gstage'] / 1e6, row['median']['peer'] / 1e6
        yield {'what': f'exec to the first line of a guest, gstage, ms (peer: {theirs:.1f})', 'value': ours,
               'slowest': '', 'goal': f'≤ {START_GOAL}', 'least': f'≤ {START_LEAST}',
               'verdict': verdict(ours, START_GOAL, START_LEAST, True)}
    for _, row in group_rows(table, 'network-idle'):
        ours, theirs = row['median']['gstage'] / 1e7, row['median']['peer'] / 1e7
        yield {'what': f'an idle guest with a network, gstage, % of a core (peer: {theirs:.2f})', 'value': ours,
               'slowest': '', 'goal': f'≤ {IDLE_GOAL}', 'least': f'≤ {IDLE_LEAST}',
               'verdict': verdict(ours, IDLE_GOAL, IDLE_LEAST, True)}


def one_pair(table, number):
    """The figures as if there had been that pair of runs alone."""
    out = {}
    for key, row in table.items():
        alone = {side: row['values'][side][number] for side in SIDES}
        out[key] = {**row, 'median': alone, 'ratio': alone['peer'] / alone['gstage']}
    return out


def summary(table):
    """A row for each group and for what is asked of gstage alone: {what, value, its least and most over the pairs of
    runs, slowest, goal, least, verdict}."""
    rows = [*ratio_rows(table), *own_rows(table)]
    pairs = min((len(row['values']['gstage']) for row in table.values()), default=0)
    each = [[*ratio_rows(pair), *own_rows(pair)] for pair in (one_pair(table, number) for number in range(pairs))]
    for place, row in enumerate(rows):
        values = [pair[place]['value'] for pair in each]
        row['value_least'], row['value_most'] = min(values), max(values)
    return rows


def summary_table(table):
    rows = [[row['what'], f'{row["value"]:.2f} ({row["value_least"]:.2f}–{row["value_most"]:.2f})', row['slowest'],
             *('' if row[limit] is None else str(row[limit]) for limit in ('goal', 'least')), row['verdict']]
            for row in summary(table)]
    return grid(['group', 'peer ÷ gstage', 'slowest of the group', 'goal', 'least', 'verdict'], rows) + ['']


def markdown(table):
    groups = list(dict.fromkeys(group for group, _ in table))
    lines = summary_table(table) + nesting_table(table) + throughput_table(table)
    lines += layout_table(table) + sweep_table(table)
    return '\n'.join(lines + [line for group in groups for line in group_table(table, group)]).rstrip('\n')


def svg(table, title):
    """Bars of peer ÷ gstage on a logarithmic scale around 1: to the right is faster than the peer."""
    row_height, left, width = 18, 300, 560
    reach = max([2.0] + [max(row['ratio'], 1 / row['ratio']) for row in table.values()])
    scale = width / 2 / math.log(reach)
    zero, groups = left + width / 2, list(dict.fromkeys(group for group, _ in table))
    height = 60 + row_height * len(table)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 80} {height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="100%" height="100%" fill="white"/><text x="10" y="20" font-size="14">{title}</text>']
    for number, ((group, name), row) in enumerate(table.items()):
        y, length = 36 + row_height * number, scale * math.log(row['ratio'])
        colour = COLOURS[groups.index(group) % len(COLOURS)]
        out.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{group}: {name}</text>'
                   f'<rect x="{min(zero, zero + length):.1f}" y="{y}" width="{abs(length):.1f}" height="14" '
                   f'fill="{colour}"/>'
                   f'<text x="{max(zero, zero + length) + 4:.1f}" y="{y + 12}">{row["ratio"]:.2f}</text>')
    out.append(f'<line x1="{zero}" x2="{zero}" y1="30" y2="{height - 20}" stroke="black"/></svg>')
    return '\n'.join(out) + '\n'
