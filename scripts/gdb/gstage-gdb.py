# SPDX-License-Identifier: Apache-2.0
"""Commands of gdb for a machine that gstage runs (docs/debugging.md).

Debian's gdb-multiarch loads each file in /etc/gdb/gdbinit.d by itself:

  ln -s .../scripts/gdb/gstage-gdb.py /etc/gdb/gdbinit.d/

or say "source .../scripts/gdb/gstage-gdb.py". The commands ask the machine by gdb's "monitor", so that they work
wherever gdb is connected to gstage; until one is used, nothing in gdb is changed.
"""

import gdb


def ask(line):
    """The machine's answer to a command of its monitor."""
    return gdb.execute(f'monitor {line}', to_string=True)


def forget_memory():
    """What gdb has read of one world is not the other's."""
    for cache in ('dcache', 'register-cache'):
        gdb.execute(f'maintenance flush {cache}', to_string=True)


def insert_at_once():
    """gdb puts breakpoints in when the harts go; then they would all be of the last world that was chosen. And it reads
    the instruction first, which may not be mapped yet."""
    gdb.execute('set riscv use-compressed-breakpoints on', to_string=True)
    gdb.execute('set breakpoint always-inserted on', to_string=True)


def set_world(world):
    insert_at_once()
    answer = ask(f'world {world}')
    if not answer.startswith('world: '):
        raise gdb.GdbError(answer.rstrip())
    forget_memory()
    return answer


class World(gdb.Command):
    """world [current|host|VMID|gva|gpa|phys]: whose addresses gdb's are.

current: of the mode that the hart is in; host: of V=0; VMID: of that guest; gva, gpa: guest virtual or guest physical
addresses of the hart's guest; phys: physical addresses. Memory is read and written so, and breakpoints and
watchpoints that are set now are of that world."""

    def __init__(self):
        super().__init__('world', gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        gdb.write(set_world(argument) if argument.strip() else ask('world'))


class InWorld(gdb.Command):
    """in-world WORLD COMMAND: executes a command of gdb as if the world were chosen, and goes back.

in-world 3 x/4i $pc, in-world host lx-dmesg, in-world phys break *0x80200000."""

    def __init__(self):
        super().__init__('in-world', gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        world, _, command = argument.strip().partition(' ')
        if not command.strip():
            raise gdb.GdbError('in-world WORLD COMMAND: the command is missing')
        before = ask('world').partition(': ')[2].strip()
        before = before[len('vmid '):] if before.startswith('vmid ') else before
        set_world(world)
        try:
            gdb.execute(command, from_tty)
        finally:
            set_world(before)


class BreakIf(gdb.Command):
    """world-break FILTER LOCATION: a breakpoint where hart and world are as the filter says.

FILTER is v=0|1, vmid=N, asid=N, priv=u|s|m, with commas between them: world-break vmid=3,priv=u main."""

    def __init__(self):
        super().__init__('world-break', gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        qualifier, _, location = argument.strip().partition(' ')
        if not location.strip():
            raise gdb.GdbError('world-break FILTER LOCATION: the location is missing')
        insert_at_once()
        before = ask('filter').partition(':')[2].strip().replace(' ', ',')
        answer = ask(f'filter {qualifier}')
        if not answer.startswith('filter:'):
            raise gdb.GdbError(answer.rstrip())
        try:
            gdb.execute(f'break {location}', from_tty)
        finally:
            ask(f'filter {before}')


class Ask(gdb.Command):
    """A command of the machine's monitor, for the selected thread's hart."""

    def __init__(self, name, line, text):
        self.__doc__ = text
        self.line = line
        super().__init__(name, gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        gdb.write(ask(f'{self.line} {argument}'.strip()))


class Walk(gdb.Command):
    """walk ADDRESS [r|w|x [WORLD]]: each step of the translation of an address, both stages and PMP."""

    def __init__(self):
        super().__init__('walk', gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        # The address may be an expression of gdb's, with blanks.
        words = argument.split()
        tail = next((count for count in (2, 1) if len(words) > count and words[-count] in ('r', 'w', 'x')), 0)
        end = len(words) - tail
        address = int(gdb.parse_and_eval(' '.join(words[:end]))) & (1 << 64) - 1
        gdb.write(ask(' '.join(['walk', hex(address)] + words[end:])))


World()
InWorld()
BreakIf()
Walk()
Ask('why-irq', 'why-irq', 'why-irq [HART]: what keeps each pending interrupt from being taken.')
Ask('vmexits', 'info exits', 'vmexits: the traps from guests into their hypervisor, by VMID and cause.')
