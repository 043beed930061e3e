# SPDX-License-Identifier: Apache-2.0
"""From runs to tables and a picture. A figure is the cost of one iteration in nanoseconds, for a side and a run."""

import math
import statistics

# Geometric means over a group's ratios peer ÷ gstage, as decided for the project: (group, what it is, goal, least).
GOALS = [
    ('integer', 'integer, single hart', 4, 2),
    ('float', 'floating point', 6, 3),
    ('memory', 'memory and TLB', 2.5, 1.5),
    ('system', 'system (syscall, pipe, fork, fault)', 5, 2.5),
    ('kvm-integer', 'integer inside the KVM guest', 6, 3),
    ('bare', 'bare-metal exits, fences, world switches', 15, 6),
    ('power-on', 'power-on to userspace', 2.5, 1.5),
    ('kvm-boot', 'KVM guest boot', 5, 2.5),
]
# Time in the KVM guest ÷ time on the host Linux, of gstage alone; here less is better.
NESTING_GOAL, NESTING_LEAST = 1.05, 1.25
# Milliseconds from exec to the first sign of life, of gstage alone.
START_GOAL, START_LEAST = 8, 20
COLOURS = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377', '#777777', '#994455']


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else None


def per_iteration(ns):
    """A time in the unit that suits it."""
    for unit, size in (('s', 1e9), ('ms', 1e6), ('µs', 1e3)):
        if ns >= size:
            return f'{ns / size:.3g} {unit}'
    return f'{ns:.3g} ns'


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
        out[key] = {
            'values': values, 'median': middle, 'ratio': middle['peer'] / middle['gstage'],
            'ratio_least': min(ratios), 'ratio_most': max(ratios),
            'over_native': middle['gstage'] / statistics.median(at_home) if at_home else None,
        }
    return out, missing


def group_rows(table, group):
    return [(name, row) for (of, name), row in table.items() if of == group]


def group_table(table, group):
    lines = [f'#### {group}', '', '| | gstage | peer | peer ÷ gstage (least–most) | gstage ÷ native |',
             '|---|---|---|---|---|']
    for name, row in group_rows(table, group):
        native = f'{row["over_native"]:.1f}' if row['over_native'] else ''
        lines.append(f'| {name} | {per_iteration(row["median"]["gstage"])} | {per_iteration(row["median"]["peer"])} '
                     f'| {row["ratio"]:.2f} ({row["ratio_least"]:.2f}–{row["ratio_most"]:.2f}) | {native} |')
    return lines + ['']


def verdict(value, goal, least, less_is_better=False):
    good = (lambda limit: value <= limit) if less_is_better else (lambda limit: value >= limit)
    return 'goal met' if good(goal) else 'least met' if good(least) else 'not yet'


def nesting(table):
    """Per side: the geometric mean of time in the KVM guest ÷ time on the host Linux."""
    means = {}
    for side in ('gstage', 'peer'):
        ratios = [row['median'][side] / table[(group[4:], name)]['median'][side]
                  for (group, name), row in table.items() if group.startswith('kvm-') and (group[4:], name) in table]
        means[side] = geometric_mean(ratios)
    return means


def summary(table):
    lines = ['| group | peer ÷ gstage | slowest of the group | goal | least | |', '|---|---|---|---|---|---|']
    for group, what, goal, least in GOALS:
        rows = group_rows(table, group)
        mean = geometric_mean([row['ratio'] for _, row in rows])
        if mean is None:
            continue
        name, worst = min(rows, key=lambda item: item[1]['ratio'])
        lines.append(f'| {what} | {mean:.2f} | {name}: {worst["ratio"]:.2f} | {goal} | {least} '
                     f'| {verdict(mean, goal, least)} |')
    mean = nesting(table)
    if mean['gstage']:
        lines.append('| time in a KVM guest ÷ on the host Linux, '
                     f'gstage (peer: {mean["peer"]:.2f}) | {mean["gstage"]:.2f} | '
                     f'| ≤ {NESTING_GOAL} | ≤ {NESTING_LEAST} '
                     f'| {verdict(mean["gstage"], NESTING_GOAL, NESTING_LEAST, True)} |')
    for _, row in group_rows(table, 'start'):
        ours, theirs = row['median']['gstage'] / 1e6, row['median']['peer'] / 1e6
        lines.append(f'| exec to the first line of a guest, gstage, ms (peer: {theirs:.1f}) | {ours:.1f} | '
                     f'| ≤ {START_GOAL} | ≤ {START_LEAST} | {verdict(ours, START_GOAL, START_LEAST, True)} |')
    return lines


def markdown(table):
    groups = list(dict.fromkeys(group for group, _ in table))
    return '\n'.join(summary(table) + [''] + [line for group in groups for line in group_table(table, group)])


def svg(table, title):
    """Bars of peer ÷ gstage on a logarithmic scale around 1: to the right is faster than the peer."""
    row_height, left, width = 18, 240, 560
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
