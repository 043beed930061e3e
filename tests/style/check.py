#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules of the source code that no compiler checks; prints each offence as FILE:LINE: RULE: what is wrong.

usage: check.py [--no-format] [ROOT]

The rules are the functions below that are decorated with @rule, and class_size. There is no list of exceptions; but
LARGE_CLASSES says which classes are to be split, and how large they are as long as they are not.
"""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpp  # noqa: E402  (found through the line above)

FOLDERS = ['softmmu', 'io', 'tcg', 'target', 'hw', 'system', 'tests', 'scripts', '.ci']
# An #include goes from a layer to itself or to the left.
LAYERS = ['softmmu', 'io', 'tcg', 'target', 'hw', 'system']
# Layers beside each other: neither knows the other.
STRANGERS = {('tcg', 'io')}
# C and assembly that runs inside the emulated machine: bare metal has rules of its own.
GUEST_FOLDERS = ('tests/insn/', 'tests/guests/', 'tests/system/', 'tests/bench/')
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
MAX_COLUMNS = 120
# A class is one idea; past this it is several.
MAX_METHODS = 40
MAX_CLASS_FILES = 10
# The classes that are too large today: (methods, files). These figures only ever go down: a class may not grow beyond
# its row, and whoever makes one smaller lowers the row.
LARGE_CLASSES = {
    ('hw/intc/aplic.h', 'AplicDomain'): (54, 2),
    ('target/riscv/trans/translator.h', 'Translator'): (86, 17),
    ('tcg/x86_64/allocator.h', 'Allocator'): (65, 2),
    ('tcg/x86_64/compiler.h', 'Compiler'): (128, 13),
}

RULES = []


def rule(function):
    """A rule takes a File and yields (line number, what is wrong)."""
    RULES.append(function)
    return function


class File:
    """One source file: its path from the root and its text."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding='utf-8', errors='replace') as stream:
            self.text = stream.read()
        self.lines = self.text.splitlines()
        self.folder = path.split('/')[0]
        self.extension = os.path.splitext(path)[1]
        in_guest = path.startswith(GUEST_FOLDERS)
        self.is_cpp = self.extension in ('.h', '.cpp', '.inc') and not in_guest
        self.is_code = self.is_cpp and self.extension != '.inc'
        self.is_header = self.extension == '.h' and not in_guest
        self.scan = cpp.Scan(self.text) if self.is_code else None


@rule
def whitespace(file):
    for number, line in enumerate(file.lines, 1):
        if line != line.rstrip():
            yield number, 'trailing whitespace'
        # The columns of assembly are set with tabs by custom.
        if '\t' in line and file.extension != '.S':
            yield number, 'a tab'
    if file.text and not file.text.endswith('\n'):
        yield len(file.lines), 'no newline at the end of the file'


@rule
def columns(file):
    for number, line in enumerate(file.lines, 1):
        if len(line) > MAX_COLUMNS:
            yield number, f'{len(line)} columns, at most {MAX_COLUMNS}'


@rule
def file_size(file):
    if file.extension != '.inc' and len(file.lines) > MAX_FILE_LINES:
        yield len(file.lines), f'{len(file.lines)} lines, at most {MAX_FILE_LINES}'


@rule
def licence(file):
    if file.is_cpp and (not file.lines or file.lines[0] != '// SPDX-License-Identifier: Apache-2.0'):
        yield 1, 'the first line is not "// SPDX-License-Identifier: Apache-2.0"'
    elif not file.is_cpp and not any('SPDX-License-Identifier: Apache-2.0' in line for line in file.lines[:2]):
        yield 1, 'no "SPDX-License-Identifier: Apache-2.0" in the first two lines'


@rule
def pragma_once(file):
    if file.is_header and '#pragma once' not in file.lines:
        yield 1, 'no "#pragma once"'


@rule
def include_path(file):
    if not file.is_cpp:
        return
    for number, quote, path in includes(file):
        first = path.split('/')[0]
        ours = first in LAYERS or first == 'tests'
        if quote == '"' and not ours:
            yield number, f'"{path}" does not start at the root of the repository'
        elif quote == '<' and ours and '/' in path:
            yield number, f'<{path}> is ours: it goes in quotes'


@rule
def layer(file):
    if file.folder not in LAYERS:
        return
    for number, _, path in includes(file):
        first = path.split('/')[0]
        is_right = first in LAYERS and LAYERS.index(first) > LAYERS.index(file.folder)
        if first == 'tests' or is_right or (file.folder, first) in STRANGERS:
            yield number, f'{file.folder}/ does not know {first}/ (order: {" <- ".join(LAYERS)})'


def includes(file):
    for number, line in enumerate(file.lines, 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
        if match:
            yield number, match[1], match[2]


@rule
def function_size(file):
    for function in file.scan.functions if file.scan else []:
        length = function.last_line - function.first_line + 1
        if length > MAX_FUNCTION_LINES:
            yield function.first_line, f'{function.name}() has {length} lines, at most {MAX_FUNCTION_LINES}'


@rule
def parameters(file):
    for function in file.scan.functions if file.scan else []:
        if function.parameters > MAX_PARAMETERS:
            yield function.first_line, (f'{function.name}() has {function.parameters} parameters, '
                                        f'at most {MAX_PARAMETERS}: make them a struct')


@rule
def documented(file):
    """What a layer's header declares for others says what it is."""
    if not file.is_header or file.folder not in LAYERS:
        return
    for line, what in file.scan.public_declarations:
        if not is_documented(file.lines, line):
            yield line, f'no /// above {what}'


def is_documented(lines, number):
    """A /// on the line itself or anywhere above it without a blank line between: one may stand for a group."""
    index = number - 1
    if '///' in lines[index]:
        return True
    while index > 0 and lines[index - 1].strip():
        index -= 1
        if lines[index].lstrip().startswith('///'):
            return True
    return False


def class_files(files):
    """The paths of the files that define methods of a class out of its body, by (layer, name of the class)."""
    found = {}
    for file in files:
        for function in file.scan.functions if file.scan else []:
            if '::' in function.name:
                found.setdefault((file.folder, re.sub('<.*', '', function.name.split('::')[-2])), set()).add(file.path)
    return found


def class_size(files, large_classes):
    """The rule that needs the whole tree: (path, line, rule, what is wrong)."""
    found, rows = class_files(files), dict(large_classes)
    for file in files:
        for one in file.scan.classes if file.scan else []:
            size = one.methods, len(found.get((file.folder, one.name), set()) | {file.path})
            is_large = size[0] > MAX_METHODS or size[1] > MAX_CLASS_FILES
            row = rows.pop((file.path, one.name), None)
            if row is None and is_large:
                what = (f'has {size[0]} methods in {size[1]} files, at most {MAX_METHODS} in {MAX_CLASS_FILES}: '
                        'split it')
            elif row and (size[0] > row[0] or size[1] > row[1]):
                what = f'has {size[0]} methods in {size[1]} files and is to shrink from {row[0]} in {row[1]}: add none'
            elif row and not is_large:
                what = 'is no longer too large: remove its row from LARGE_CLASSES in tests/style/check.py'
            elif row and size != row:
                what = f'is smaller than its row in LARGE_CLASSES in tests/style/check.py: make that {size}'
            else:
                continue
            yield file.path, one.first_line, 'class_size', f'{one.name} {what}'
    for path, name in rows:
        yield path, 1, 'class_size', f'there is no {name}: remove its row from LARGE_CLASSES in tests/style/check.py'


def source_files(root):
    """The paths of all files that the rules are for, sorted."""
    names = ('meson.build', 'meson_options.txt')
    extensions = ('.h', '.cpp', '.inc', '.c', '.S', '.py', '.sh', '.ld')
    found = [name for name in names if os.path.isfile(os.path.join(root, name))]
    for folder in FOLDERS:
        for directory, subdirectories, files in os.walk(os.path.join(root, folder)):
            subdirectories[:] = [name for name in subdirectories if name != '__pycache__']
            for name in files:
                path = os.path.join(directory, name)
                if name in names or name.endswith(extensions) or is_script(path):
                    found.append(os.path.relpath(path, root))
    return sorted(found)


def is_script(path):
    if '.' in os.path.basename(path) or not os.path.isfile(path):
        return False
    with open(path, 'rb') as stream:
        return stream.read(2) == b'#!'


def format_offences(root, files):
    """What clang-format would change, one offence a file. Another version of it would want something else."""
    version = ''
    if shutil.which('clang-format'):
        version = subprocess.run(['clang-format', '--version'], capture_output=True, text=True, check=False).stdout
    if ' version 14.' not in version:
        print('note: clang-format 14 is not installed, the formatting is not checked', file=sys.stderr)
        return []
    paths = [file.path for file in files if file.is_code]
    if not paths:
        return []
    run = subprocess.run(['clang-format', '--dry-run', '-Werror', *paths], cwd=root, capture_output=True, text=True,
                         check=False)
    first = {}
    for match in re.finditer(r'^(\S+?):(\d+):\d+: error:', run.stderr, re.MULTILINE):
        first.setdefault(match[1], int(match[2]))
    return [(path, line, 'format', f'not formatted: run scripts/format {path}') for path, line in first.items()]


def check(root, with_format=True, large_classes=None):
    """All offences under root: (path, line, rule, what is wrong)."""
    files = [File(root, path) for path in source_files(root)]
    offences = [(file.path, line, one.__name__, what) for file in files for one in RULES for line, what in one(file)]
    offences += class_size(files, LARGE_CLASSES if large_classes is None else large_classes)
    if with_format:
        offences += format_offences(root, files)
    return sorted(offences), len(files)


def main(arguments):
    with_format = '--no-format' not in arguments
    roots = [argument for argument in arguments if not argument.startswith('-')]
    root = roots[0] if roots else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
    offences, count = check(root, with_format)
    for path, line, name, what in offences:
        print(f'{path}:{line}: {name}: {what}')
    print(f'{count} files, {len(offences)} offences')
    return 1 if offences else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
