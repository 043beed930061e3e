#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws an exit profile: where a hart's time went while guests ran, and the exits by what they were by.

usage: exits_svg.py TRACE.perfetto.json PICTURE.svg
The trace is that of -trace exits,file=TRACE.perfetto.json; one that was cut off by a kill will do.
"""

import json
import sys
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 900, 20, 20
BINS = 215
STRIP = 150
BAR = 22
ROWS = 12
PLACES = {'guest': '#4c78a8', 'hypervisor': '#f58518', 'firmware': '#e45756', 'user': '#72b7b2', 'idle': '#d8d8d8'}
NAMES = {'guest': 'guest (V=1)', 'hypervisor': 'hypervisor (HS)', 'firmware': 'firmware (M)',
         'user': 'user space (U)', 'idle': 'asleep (wfi)'}


def read(path):
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return json.loads(text[:text.rindex('\n')].rstrip().rstrip(',') + ']')


def spread(bins, begin, end, first, step, sign=1):
    """Adds the time from begin to end to the bins that it lies in."""
    at = max(begin, first)
    while at < end:
        index = int((at - first) / step)
        if index >= len(bins):
            return
        edge = max(min(end, first + (index + 1) * step), at + 1e-6)
        bins[index] += sign * (edge - at)
        at = edge


def shares(slices):
    """For each place the time in each bin, and the length of a bin in microseconds."""
    first = min(slice['ts'] for slice in slices)
    step = (max(slice['ts'] + slice['dur'] for slice in slices) - first) / BINS
    bins = {place: [0.0] * BINS for place in PLACES}
    for slice in slices:
        begin, end = slice['ts'], slice['ts'] + slice['dur']
        place = 'hypervisor' if slice['cat'] == 'exit' else slice['cat']
        spread(bins[place], begin, end, first, step)
        # A stay elsewhere is a part of an exit.
        if place in ('firmware', 'user', 'idle'):
            spread(bins['hypervisor'], begin, end, first, step, -1)
    return bins, step


def duration(us):
    for limit, scale, unit in ((1e3, 1, 'µs'), (1e6, 1e3, 'ms')):
        if us < limit:
            return f'{us / scale:.3g} {unit}'
    return f'{us / 1e6:.3g} s'


def text(x, y, content, more=''):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(content)}</text>'


def rectangle(x, y, width, height, fill):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def draw_time(slices, top):
    bins, step = shares(slices)
    width = (WIDTH - LEFT - RIGHT) / BINS
    yield text(LEFT, top - 8, f'Where the harts were while guests ran ({duration(step * BINS)}; all harts together)',
               'class="head"')
    for index in range(BINS):
        total = sum(max(0, bins[place][index]) for place in PLACES)
        y = top + STRIP
        for place, fill in PLACES.items():
            height = STRIP * max(0, bins[place][index]) / total if total else 0
            y -= height
            if height >= 0.1:
                yield rectangle(LEFT + index * width, y, width + 0.1, height, fill)
    x = LEFT
    for place, fill in PLACES.items():
        yield rectangle(x, top + STRIP + 10, 12, 12, fill)
        yield text(x + 17, top + STRIP + 20, NAMES[place])
        x += 150


def draw_causes(exits, top):
    rows = {}
    for event in exits:
        row = rows.setdefault(event['name'], {'count': 0, 'us': 0.0, **{place: 0.0 for place in PLACES}})
        row['count'] += 1
        row['us'] += event['dur']
        for place in ('hypervisor', 'firmware', 'user', 'idle'):
            row[place] += event['args'].get(place + '_ns', 0) / 1000
    shown = sorted(rows.items(), key=lambda item: -item[1]['us'])[:ROWS]
    longest = max(row['us'] for _, row in shown)
    yield text(LEFT, top - 8, f'{len(exits)} exits, by the time until the hart was in a guest again', 'class="head"')
    for index, (name, row) in enumerate(shown):
        y, x = top + index * BAR, LEFT + 250
        yield text(x - 8, y + 14, name, 'text-anchor="end"')
        for place in ('hypervisor', 'firmware', 'user', 'idle'):
            width = 370 * row[place] / longest
            yield rectangle(x, y + 3, width, BAR - 7, PLACES[place])
            x += width
        yield text(x + 6, y + 14, f'{row["count"]} × {duration(row["us"] / row["count"])} = {duration(row["us"])}')


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    slices = [event for event in read(arguments[0]) if event['ph'] == 'X']
    exits = [event for event in slices if event['cat'] == 'exit']
    if not exits:
        print(f'exits_svg.py: {arguments[0]} has no exits', file=sys.stderr)
        return 1
    parts = [*draw_time(slices, 34), *draw_causes(exits, 34 + STRIP + 64)]
    height = 34 + STRIP + 64 + BAR * min(ROWS, len({event['name'] for event in exits})) + 16
    with open(arguments[1], 'w', encoding='utf-8') as stream:
        stream.write('<!-- SPDX-License-Identifier: Apache-2.0 -->\n'
                     f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">\n'
                     '<style>text{font:12px sans-serif;fill:#222}.head{font-weight:bold}</style>\n'
                     + rectangle(0, 0, WIDTH, height, '#fff') + '\n' + '\n'.join(parts) + '\n</svg>\n')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
