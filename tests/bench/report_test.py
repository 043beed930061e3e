#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests what scripts/bench makes of its runs: ratios, verdicts, and what memory counts."""

import mmap
import os
import sys
import unittest

SCRIPTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'scripts'))
sys.path.insert(0, SCRIPTS)
import bench_report  # noqa: E402
from benchlib import Failure, resident_mib  # noqa: E402

MIB = 1 << 20
MADV_NOHUGEPAGE = 15
MADV_DONTDUMP = 16


def table(gstage, peer, native=None):
    return bench_report.figures({'gstage': [gstage], 'peer': [peer]}, [native or {}])[0]


def row(rows, words):
    return next(row for row in rows if words in row['what'])


def touched(mapping, size):
    """Writes to each page, and keeps the kernel from joining the mapping with its neighbours or enlarging its pages."""
    mapping.madvise(MADV_DONTDUMP)
    mapping.madvise(MADV_NOHUGEPAGE)
    for at in range(0, size, mmap.PAGESIZE):
        mapping[at] = 1


class Ratios(unittest.TestCase):
    def test_a_group_is_the_geometric_mean_of_its_rows(self):
        rows = bench_report.summary(table({('integer', 'a'): 1, ('integer', 'b'): 1},
                                          {('integer', 'a'): 2, ('integer', 'b'): 8}))
        self.assertAlmostEqual(rows[0]['value'], 4)
        self.assertEqual((rows[0]['slowest'], rows[0]['verdict']), ('a: 2.00', 'goal met'))

    def test_a_group_has_the_spread_of_its_pairs_of_runs(self):
        sides = {'gstage': [{('integer', 'a'): 1}] * 3, 'peer': [{('integer', 'a'): time} for time in (2, 3, 5)]}
        found = bench_report.summary(bench_report.figures(sides, [])[0])[0]
        self.assertEqual([round(found[key], 6) for key in ('value', 'value_least', 'value_most')], [3, 2, 5])

    def test_what_one_side_left_out_is_missing(self):
        both, missing = bench_report.figures({'gstage': [{('bare', 'a'): 1}], 'peer': [{}]}, [])
        self.assertEqual((both, missing), ({}, [('bare', 'a')]))

    def test_a_rate_is_told_in_megabits_and_more_is_better(self):
        found = table({('network', 'a'): 1e9 / 4000}, {('network', 'a'): 1e9 / 1000})
        self.assertEqual(bench_report.summary(found)[0]['verdict'], 'goal met')
        self.assertIn('| a | 4000 Mbit/s | 1000 Mbit/s | 4.00', bench_report.markdown(found))

    def test_an_idle_guest_is_told_in_per_cent_of_a_core(self):
        found = row(bench_report.summary(table({('network-idle', 'a'): 15e6}, {('network-idle', 'a'): 30e6})), 'idle')
        self.assertEqual((found['value'], found['verdict']), (1.5, 'least met'))

    def test_less_memory_is_better(self):
        rows = bench_report.summary(table({('resident', 'a'): 30}, {('resident', 'a'): 45}))
        self.assertEqual((rows[0]['value'], rows[0]['verdict']), (1.5, 'least met'))

    def test_nesting_is_each_program_over_itself_outside(self):
        ours = {('integer', 'a'): 10, ('kvm-integer', 'a'): 11, ('kvm-integer', 'only inside'): 5}
        rows = bench_report.summary(table(ours, {key: 2 * value for key, value in ours.items()}))
        found = row(rows, 'KVM guest ÷')
        self.assertAlmostEqual(found['value'], 1.1)
        self.assertEqual(found['verdict'], 'least met')

    def test_throughput_is_against_one_worker_of_the_same_machine(self):
        ours = {('smp', 'independent-1, -smp 1'): 1, ('smp', 'independent-1, -smp 2'): 19,
                ('smp', 'independent-2, -smp 2'): 20}
        found = row(bench_report.summary(table(ours, ours)), 'two harts')
        self.assertAlmostEqual(found['value'], 1.9)
        self.assertEqual(found['verdict'], 'least met')

    def test_layouts_are_the_worst_place_over_the_best_of_what_is_moved(self):
        ours = {('layout', 'layout-code-packed'): 10, ('layout', 'layout-code-random_1'): 12,
                ('layout', 'layout-data-packed'): 20, ('layout', 'layout-data-random_1'): 21}
        found = row(bench_report.summary(table(ours, {key: 5 for key in ours})), 'host Linux')
        self.assertAlmostEqual(found['value'], 1.2)
        self.assertEqual((found['slowest'], found['verdict']), ('code: 1.20', 'least met'))
        lines = bench_report.layout_table(table(ours, dict.fromkeys(ours, 5)))
        self.assertIn('| data, host Linux | 1.05 | 1.00 |', lines)

    def test_sweeps_get_a_column_a_size(self):
        ours = {('sweep', 'code-1MiB'): 1, ('sweep', 'code-64MiB'): 2, ('sweep', 'code-seen-first'): 3}
        lines = bench_report.sweep_table(table(ours, ours))
        self.assertIn('| code | 1 MiB | 64 MiB |', lines)
        self.assertIn('| gstage | 1 ns | 2 ns |', lines)


class Memory(unittest.TestCase):
    # No other mapping of this process has this size.
    RAM = 24 * MIB + mmap.PAGESIZE

    def test_guest_memory_is_left_out(self):
        with mmap.mmap(-1, self.RAM, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as ram:
            touched(ram, 4096)
            before = resident_mib(os.getpid(), self.RAM // 1024)
            touched(ram, 16 * MIB)
            after = resident_mib(os.getpid(), self.RAM // 1024)
        self.assertAlmostEqual(after['ram'] - before['ram'], 16, delta=0.1)
        self.assertAlmostEqual(after['beside'], before['beside'], delta=2)

    def test_a_page_mapped_twice_is_one_page(self):
        code = os.memfd_create('code')
        os.ftruncate(code, 16 * MIB)
        with mmap.mmap(-1, self.RAM, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as ram:
            touched(ram, 4096)
            before = resident_mib(os.getpid(), self.RAM // 1024)
            with mmap.mmap(code, 16 * MIB) as written, mmap.mmap(code, 16 * MIB) as read:
                touched(written, 16 * MIB)
                touched(read, 16 * MIB)
                after = resident_mib(os.getpid(), self.RAM // 1024)
        os.close(code)
        self.assertAlmostEqual(after['beside'] - before['beside'], 16, delta=2)

    def test_guest_memory_that_cannot_be_told_is_an_error(self):
        with self.assertRaises(Failure):
            resident_mib(os.getpid(), 1)


if __name__ == '__main__':
    unittest.main()
