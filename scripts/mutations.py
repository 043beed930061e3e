# SPDX-License-Identifier: Apache-2.0
"""The table of mutations, tests/mutations/table.txt.

A row is

    == NAME  FILE
    The rule that the mutation breaks, in a line or more.
    - a line of the text that is there; several follow each other
    + a line of the text that takes its place; several follow each other
    ~ why no test can tell the two apart; only where that is so

and ends where the next one begins. Lines that begin with # are comments. The old text is found exactly once in its
file, leading white space of its first line and trailing white space aside; a row for which that does not hold is an
error: the code has changed and the row is to be changed with it.
"""

import os
import re

TABLE = os.path.join('tests', 'mutations', 'table.txt')


class Mutation:
    """One row."""

    def __init__(self, name, path):
        self.name = name
        self.path = path
        self.rule = ''
        self.old = ''
        self.new = ''
        self.equivalent = ''  # the reason, or nothing

    def problem(self, root):
        """What is wrong with the row, or nothing."""
        if not self.rule or not self.old:
            return 'no rule or no old text'
        if self.old == self.new:
            return 'the new text is the old one'
        try:
            with open(os.path.join(root, self.path), encoding='utf-8') as stream:
                count = stream.read().count(self.old)
        except OSError as error:
            return str(error)
        return '' if count == 1 else f'{self.path} has the old text {count} times, not once'

    def apply(self, text):
        return text.replace(self.old, self.new)


def read_table(root):
    """All rows, in order; (rows, errors)."""
    rows, errors = [], []
    with open(os.path.join(root, TABLE), encoding='utf-8') as stream:
        for number, line in enumerate(stream.read().splitlines(), 1):
            if not read_line(line, rows):
                errors.append(f'{TABLE}:{number}: what is this?')
    names = [row.name for row in rows]
    errors += [f'{TABLE}: two rows are called {name}' for name in sorted(set(names)) if names.count(name) > 1]
    for row in rows:
        row.old = row.old.strip()
        row.new = row.new.strip()
        row.rule = row.rule.strip()
        problem = row.problem(root)
        if problem:
            errors.append(f'{TABLE}: {row.name}: {problem}')
    return rows, errors


def read_line(line, rows):
    """Takes one line of the table in; False: it is none."""
    head = re.fullmatch(r'== (\S+)\s+(\S+)', line)
    if head:
        rows.append(Mutation(head[1], head[2]))
    elif line.startswith('#') or not line:
        pass
    elif not rows:
        return False
    elif line[0] == '-':
        rows[-1].old += line[2:] + '\n'
    elif line[0] == '+':
        rows[-1].new += line[2:] + '\n'
    elif line[0] == '~':
        rows[-1].equivalent += ' ' * bool(rows[-1].equivalent) + line[2:]
    else:
        rows[-1].rule += line + ' '
    return True
