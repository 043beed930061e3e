# SPDX-License-Identifier: Apache-2.0
"""Finds the functions, classes and public declarations of a C++ file by matching braces; knows no types.

Where the text is ambiguous it finds nothing rather than something wrong: a checker that cries wolf is switched off.
"""

import re

NOT_FUNCTIONS = ('if', 'for', 'while', 'switch', 'catch', 'else', 'do', 'try', 'return', 'using', 'typedef',
                 'static_assert', 'friend')
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/'                                  # comments
                   r'|R"(?P<mark>[^(\s]{0,16})\(.*?\)(?P=mark)"'          # raw strings
                   r'|"(?:\\.|[^"\\\n])*"'                                # strings
                   r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)    # characters, but not 1'000


def blank(text):
    """The same text with comments, strings and preprocessor lines made blank; lines keep their numbers."""
    def replace(match):
        return re.sub(r'[^\n]', ' ' if match[0].startswith('/') else 'x', match[0])
    return blank_preprocessor(TOKEN.sub(replace, text))


def blank_preprocessor(text):
    """Blanks directives and, of #if ... #else ... #endif, all but the first branch: braces match in each alone."""
    out, continued, skipped, depth = [], False, None, 0
    for line in text.split('\n'):
        directive = re.match(r'\s*#\s*(\w+)', line) if not continued else None
        if directive:
            word = directive[1]
            if word.startswith('if'):
                depth += 1
            elif word.startswith('el') and skipped is None:
                skipped = depth
            elif word == 'endif':
                skipped = None if skipped == depth else skipped
                depth -= 1
        drop = directive or continued or skipped is not None
        continued = bool(directive or continued) and line.endswith('\\')
        out.append('' if drop else line)
    return '\n'.join(out)


AFTER_PARAMETERS = re.compile(r'\s*($|const\b|noexcept\b|override\b|final\b|requires\b|try\b|&|->|:|=)')
BRACKET = re.compile(r'[(\[{}\])]')


class Function:
    """A function's definition: from the line of its name's declaration to that of its closing brace."""

    def __init__(self, name, first_line, last_line, parameters):
        self.name, self.first_line, self.last_line, self.parameters = name, first_line, last_line, parameters


class Class:
    """A class's or struct's definition. Its methods are those that it names, constructors and destructors aside, and
    one for each table (#include "x.inc") that declares more of them."""

    def __init__(self, name, first_line):
        self.name, self.first_line, self.last_line, self.methods = name, first_line, first_line, 0

    def add_method(self, name):
        self.methods += '::' not in name and name.lstrip('~') != self.name


class Scan:
    """What a file holds: functions, classes, and public_declarations [(line, what)] of its namespaces."""

    def __init__(self, text):
        self.text = blank(text)
        self.functions = []
        self.classes = []
        self.public_declarations = []
        self._open_classes = []
        self._scope(0, public=True)
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r'\s*#\s*include\s*"[^"]*\.inc"', line):
                around = [one for one in self.classes if one.first_line <= number <= one.last_line]
                if around:  # the innermost one begins last
                    max(around, key=lambda one: one.first_line).methods += 1

    def _scope(self, start, public):
        """Reads the declarations of a namespace or class from start on; returns the place of its closing brace."""
        begin = at = start
        is_type = False  # the declaration from begin on is a type's, so that what follows its brace says nothing new
        while at < len(self.text) and self.text[at] != '}':
            char = self.text[at]
            if char in '([':
                at = self._matching(at)
            elif char == ';':
                if not is_type:
                    self._declaration(begin, at, public)
                begin, is_type = at + 1, False
            elif char == ':' and re.search(r'\b(public|private|protected)\s*$', self.text[begin:at]):
                begin = at + 1
            elif char == '{':
                kind, at = self._brace(begin, at, public)
                is_type = is_type or kind == 'type'
                begin = at + 1 if kind in ('namespace', 'function') else begin
            at += 1
        return at

    def _brace(self, begin, at, public):
        """An opening brace at `at` of the declaration from begin on; returns what it opens and where that closes."""
        head = self._head(begin, at)
        if re.match(r'(inline\s+)?namespace\b|extern\s+x+$', head):
            hidden = head == 'namespace' or 'detail' in head
            return 'namespace', self._scope(at + 1, public and not hidden)
        if re.match(r'(class|struct|union|enum)\b', head) and '(' not in head and '=' not in head:
            self._add_public(begin, at, type_name(head), public)
            return 'type', self._matching(at) if head.startswith('enum') else self._class(begin, at, type_name(head))
        if is_function(head) and not in_initializers(head):
            end = self._matching(at)
            name, count = signature(head)
            self._add_method(name)
            self.functions.append(Function(name, self._line_of_head(begin), self._line(end), count))
            self._add_public(begin, at, name, public)
            return 'function', end
        return 'initializer', self._matching(at)

    def _class(self, begin, at, name):
        one = Class(name, self._line_of_head(begin))
        self.classes.append(one)
        self._open_classes.append(one)
        end = self._scope(at + 1, public=False)
        self._open_classes.pop()
        one.last_line = self._line(end)
        return end

    def _declaration(self, begin, at, public):
        head = self._head(begin, at)
        if is_function(head) and not head.startswith('extern'):
            self._add_method(signature(head)[0])
            self._add_public(begin, at, signature(head)[0], public)

    def _add_method(self, name):
        if self._open_classes:
            self._open_classes[-1].add_method(name)

    def _add_public(self, begin, at, name, public):
        # A member that is defined outside of its class, an instance of a template: told of elsewhere.
        instance = re.match(r'template\s*(<\s*>|[^<\s])', self.text[begin:at].strip())
        if public and name and '::' not in name and not instance:
            self.public_declarations.append((self._line_of_head(begin), name))

    def _head(self, begin, at):
        """The declaration from begin to a brace or semicolon, without template parameters and attributes."""
        head = ' '.join(self.text[begin:at].split())
        head = re.sub(r'\[\[.*?\]\]|\balignas\s*\([^()]*\)|__attribute__\s*\(\(.*?\)\)', '', head).strip()
        while head.startswith('template'):
            head = head[matching_angle(head, head.find('<')) + 1:].strip()
        return head

    def _line(self, at):
        return self.text.count('\n', 0, at) + 1

    def _line_of_head(self, begin):
        return self._line(begin + re.match(r'\s*', self.text[begin:]).end())

    def _matching(self, at):
        """The place of the bracket that closes the one at `at`; the end of the text if there is none."""
        depth = 0
        for match in BRACKET.finditer(self.text, at):
            depth += 1 if match[0] in '([{' else -1
            if depth == 0:
                return match.start()
        return len(self.text)


def is_function(head):
    """Whether it declares a function: a name, parentheses, and after these only what may follow parameters."""
    if '(' not in head or re.split(r'\W', head, maxsplit=1)[0] in NOT_FUNCTIONS:
        return False
    flat = outermost(re.sub(r'\boperator\s*(\(\)|[^\s\w(]+)', 'operator_', head))
    before, found, after = flat.partition('()')
    return bool(found and '=' not in before and re.search(r'[\w>]\s*$', before) and AFTER_PARAMETERS.match(after))


def type_name(head):
    """The name in "class Name final : public Base"; empty for a type without a name."""
    head = re.split(r'(?<!:):(?!:)', head)[0]
    words = re.sub(r'^(enum\s+)?(class|struct|union|enum)\b|\bfinal\b|<.*', '', head).split()
    return words[-1] if words else ''


def matching_angle(text, at):
    depth = 0
    for place in range(max(at, 0), len(text)):
        depth += (text[place] == '<') - (text[place] == '>')
        if depth == 0:
            return place
    return len(text)


def outermost(head):
    """The text outside of all parentheses and braces, with () and {} for each."""
    out, depth = [], 0
    for char in head:
        if char in '({[':
            depth += 1
            out += char if depth == 1 else ''
        elif char in ')}]':
            depth -= 1
            out += char if depth == 0 else ''
        elif depth == 0:
            out.append(char)
    return ''.join(out)


def in_initializers(head):
    """Whether a brace after this head initializes a member: in "X() : a(1), b" it does, in "X() : a(1)" not."""
    after = outermost(head).split('()', 1)[-1]
    colon = re.search(r'(?<!:):(?!:)', after)
    return bool(colon) and bool(re.search(r'[\w>]\s*$', after))


def signature(head):
    """(name, number of parameters) of a function's head."""
    head = re.sub(r'\boperator\s*\(\)', 'operator_call', head)
    opening = head.find('(')
    name = re.search(r'((?:[\w~]|::|<[^<>()]*>)+|operator\s*\S+)\s*$', head[:opening])
    depth, count, some = 0, 1, False
    for char in head[opening + 1:]:
        if char == ')' and depth == 0:
            break
        depth += (char in '([{<') - (char in ')]}>')
        count += char == ',' and depth == 0
        some = some or not char.isspace()
    return (name[1] if name else '?'), (count if some else 0)
