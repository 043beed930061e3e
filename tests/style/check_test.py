#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of check.py: each rule finds its offence, and finds none where there is none."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check  # noqa: E402
import cpp  # noqa: E402

SPDX = '// SPDX-License-Identifier: Apache-2.0\n'
HEADER = SPDX + '#pragma once\n'


def offences(path, text, with_format=False, settings=None):
    """The (line, rule) of all offences in a tree of this one file."""
    files = {path: text, '.clang-format': settings or ''}
    return [(line, rule) for _, line, rule, _ in tree_offences(files, with_format)]


def tree_offences(files, with_format=False, large_classes=()):
    """All offences in a tree of these files, {path: text}."""
    root = tempfile.mkdtemp()
    try:
        for name, content in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(root, name), 'w', encoding='utf-8') as stream:
                stream.write(content)
        return check.check(root, with_format, large_classes)[0]
    finally:
        shutil.rmtree(root)


class Rules(unittest.TestCase):
    """One offence of each kind, and its nearest lawful neighbour."""

    def expect(self, path, text, *expected):
        self.assertEqual(offences(path, text), list(expected), text)

    def test_trailing_whitespace(self):
        self.expect('hw/a.cpp', SPDX + 'int a; \n', (2, 'whitespace'))
        self.expect('hw/a.cpp', SPDX + 'int a;', (2, 'whitespace'))
        self.expect('hw/a.cpp', SPDX + 'int a;\n')

    def test_tabs(self):
        self.expect('hw/a.cpp', SPDX + '\tint a;\n', (2, 'whitespace'))
        self.expect('tests/insn/a.S', SPDX + '\tret\n')

    def test_columns(self):
        self.expect('hw/a.cpp', SPDX + '//' + 'x' * 119 + '\n', (2, 'columns'))
        self.expect('hw/a.cpp', SPDX + '//' + 'x' * 118 + '\n')

    def test_file_size(self):
        self.expect('hw/a.cpp', SPDX + 'int a;\n' * 600, (601, 'file_size'))
        self.expect('hw/a.cpp', SPDX + 'int a;\n' * 599)
        self.expect('hw/a.inc', SPDX + 'ROW(a)\n' * 900)

    def test_licence(self):
        self.expect('hw/a.cpp', 'int a;\n', (1, 'licence'))
        self.expect('hw/a.cpp', '\n' + SPDX, (1, 'licence'))
        self.expect('scripts/a', '#!/bin/sh\ntrue\n', (1, 'licence'))
        self.expect('scripts/a', '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n')
        self.expect('hw/meson.build', 'x = 1\n', (1, 'licence'))

    def test_pragma_once(self):
        self.expect('hw/a.h', SPDX, (1, 'pragma_once'))
        self.expect('hw/a.h', HEADER)

    def test_include_path(self):
        self.expect('hw/a.cpp', SPDX + '#include "a.h"\n', (2, 'include_path'))
        self.expect('hw/a.cpp', SPDX + '#include <hw/a.h>\n', (2, 'include_path'))
        self.expect('hw/a.cpp', SPDX + '#include "hw/a.h"\n#include <vector>\n')
        self.expect('tests/insn/a.c', SPDX + '#include "test.h"\n')

    def test_layers(self):
        layers = ['softmmu', 'tcg', 'target', 'hw', 'system']
        for index, here in enumerate(layers):
            for other_index, other in enumerate(layers):
                expected = [(2, 'layer')] if other_index > index else []
                self.expect(f'{here}/a.cpp', f'{SPDX}#include "{other}/b.h"\n', *expected)
        self.expect('hw/a.inc', SPDX + '#include "tests/b.h"\n', (2, 'layer'))
        self.expect('tests/unit/a.cpp', SPDX + '#include "hw/b.h"\n')

    def test_function_size(self):
        def body(lines):
            return SPDX + 'void f()\n{\n' + '  g();\n' * (lines - 3) + '}\n'
        self.expect('hw/a.cpp', body(61), (2, 'function_size'))
        self.expect('hw/a.cpp', body(60))

    def test_parameters(self):
        self.expect('hw/a.cpp', SPDX + 'void f(int, int, int, int, int, int, int) {}\n', (2, 'parameters'))
        self.expect('hw/a.cpp', SPDX + 'void f(int, P<int, int>, int, int, int, int g(int, int)) {}\n')

    def test_documented(self):
        for declaration in ('class A {};', 'struct A { int b; };', 'enum class A : int { b };', 'void f(int a);',
                            'template <typename T>\nclass A {};', 'inline int f() { return 1; }'):
            bare = HEADER + 'namespace n {\n\n' + declaration + '\n}\n'
            self.expect('hw/a.h', bare, (5, 'documented'))
            self.expect('hw/a.h', bare.replace('\n\n', '\n\n/// Why.\n'))
        self.expect('hw/a.h', HEADER + 'class A;\nextern int b;\nusing C = int(int);\n')
        self.expect('hw/a.h', HEADER + '/// A group.\nvoid f();\nvoid g();\n')
        self.expect('hw/a.h', HEADER + '/// A group.\nvoid f();\n\nvoid g();\n', (6, 'documented'))
        self.expect('hw/a.h', HEADER + 'namespace detail {\nclass A {};\n}\n')
        self.expect('tests/a.h', HEADER + 'class A {};\n')

    def test_class_size_by_methods(self):
        def header(methods):
            pairs = '  void f() {}\n  int g();\n' * (methods // 2)
            return HEADER + '/// .\nclass A {\n  A();\n  ~A();\n' + pairs + '};\n'
        self.expect('hw/a.h', header(42), (4, 'class_size'))
        self.expect('hw/a.h', header(40))
        # A class within another is one by itself; a table of methods counts as one of the innermost around it.
        outer = header(40).replace('};', '  struct B {\n    int h();\n};\n};')
        self.expect('hw/a.h', outer)
        table = '#include "hw/t.inc"\n'
        self.expect('hw/a.h', outer.replace('    int h();\n', table))
        self.expect('hw/a.h', outer.replace('  struct B', table + '  struct B'), (4, 'class_size'))

    def test_class_size_by_files(self):
        def tree(sources):
            files = {f'hw/{i}.cpp': SPDX + f'void A::f{i}() {{}}\n' for i in range(sources)}
            return {**files, 'hw/a.h': HEADER + '/// .\nclass A {};\n', 'tcg/z.cpp': SPDX + 'void A::g() {}\n'}
        self.assertEqual([one[:3] for one in tree_offences(tree(10))], [('hw/a.h', 4, 'class_size')])
        self.assertEqual(tree_offences(tree(9)), [])

    def test_large_classes_only_shrink(self):
        files = {'hw/a.h': HEADER + '/// .\nclass A {\n' + 'void f();\n' * 50 + '};\n'}
        at = 'hw/a.h', 'A'
        self.assertEqual(tree_offences(files, large_classes={at: (50, 1)}), [])
        for row, said in {(49, 1): 'add none', (51, 1): 'make that (50, 1)', (50, 2): 'make that (50, 1)'}.items():
            self.assertIn(said, tree_offences(files, large_classes={at: row})[0][3])
        files['hw/a.h'] = files['hw/a.h'].replace('void f();\n', '', 10)
        self.assertIn('no longer too large', tree_offences(files, large_classes={at: (50, 1)})[0][3])
        self.assertIn('there is no B', tree_offences(files, large_classes={('hw/a.h', 'B'): (50, 1)})[0][3])

    @unittest.skipUnless(shutil.which('clang-format'), 'clang-format is not installed')
    def test_format(self):
        settings = 'BasedOnStyle: Google\n'
        found = offences('hw/a.cpp', SPDX + 'int  a;\nint  b;\n', True, settings)
        self.assertIn(found, ([(2, 'format')], []) if not is_clang_format_14() else ([(2, 'format')],))
        self.assertEqual(offences('hw/a.cpp', SPDX + 'int a;\n', True, settings), [])


def is_clang_format_14():
    return ' version 14.' in subprocess.run(['clang-format', '--version'], capture_output=True, text=True).stdout


class Scanner(unittest.TestCase):
    """Functions are found in all their forms, and nothing else is taken for one."""

    def functions(self, text):
        return [(one.name, one.first_line, one.last_line, one.parameters) for one in cpp.Scan(text).functions]

    def test_forms(self):
        for text, expected in {
                'int f() { return 1; }': ('f', 1, 1, 0),
                'int f(int a = 3,\n      int b) {\n}': ('f', 1, 3, 2),
                'template <typename T = int>\nT f(T a) {\n}': ('f', 1, 3, 1),
                'auto C::f() const noexcept(true) -> int {\n}': ('C::f', 1, 2, 0),
                'C::C(int a) : a_(a), b_{a} {\n}': ('C::C', 1, 2, 1),
                'C::C(int a) : b_{a}, a_(a) {\n}': ('C::C', 1, 2, 1),
                'bool operator==(A a, A b) {\n}': ('operator==', 1, 2, 2),
                'C::~C() {\n}': ('C::~C', 1, 2, 0),
                'TEST(Suite, name) {\n}': ('TEST', 1, 2, 2),
                'namespace n {\nclass C {\n public:\n  void f() {}\n};\n}': ('f', 4, 4, 0),
                'extern "C" {\nvoid f() {}\n}': ('f', 2, 2, 0),
                'struct S final : B<int> {\n  S() = default;\n  int a{1};\n  void f() {}\n};': ('f', 4, 4, 0),
                '#if A\nvoid f() {\n#else\nvoid g() {\n#endif\n}': ('f', 2, 6, 0),
                'void f() {\n  char c = \'{\'; // {\n  auto s = "{" R"({)"; int n = 1\'000;\n}': ('f', 1, 4, 0),
        }.items():
            self.assertEqual(self.functions(text), [expected], text)

    def test_others(self):
        for text in ('int a[] = {1, 2};', 'constexpr auto f = [](int a) {\n  return a;\n};', 'enum E { a, b };',
                     'std::array<int, size_t(3)> a{\n 1,\n};', 'const T t{f(1)};', 'struct S { int a{f(1)}; } s = {2};',
                     '#define F(a) \\\n  void f() { \\\n  }', 'void f(int a);', 'static_assert(f(1) == S{1});',
                     'const Row rows[] = {\n  {f(1), 2},\n};', 'std::array<int, static_cast<int>(E::a)> a{\n 1};'):
            self.assertEqual(self.functions(text), [], text)


if __name__ == '__main__':
    unittest.main()
