# SPDX-License-Identifier: Apache-2.0
"""What gdb finds in worlds.S; run.py has gdb execute this file.

Each check is a function; it begins and ends with all harts stopped and no breakpoint set. Its name is what it checks.
"""

import os
import signal
import threading
import time

import gdb

HARTS = int(os.environ['WORLDS_HARTS'])
SCRIPT = os.environ['WORLDS_SCRIPT']
SOCKET = os.environ['WORLDS_SOCKET']
IS_RUNNING = os.environ['WORLDS_ATTACH'] == 'running'
U, S, M, V = 0, 1, 3, 4
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run(command):
    return gdb.execute(command, to_string=True)


def value(expression):
    return int(gdb.parse_and_eval(expression)) & (1 << 64) - 1


def address(symbol):
    return value(f'(unsigned long)&{symbol}')


def expect(what, found, wanted):
    if found != wanted:
        def show(number):
            return hex(number) if isinstance(number, int) else repr(number)
        raise AssertionError(f'{what} is {show(found)}, not {show(wanted)}')


def go_on():
    """Lets the harts go; the event that stopped them."""
    stops = []
    note = stops.append
    gdb.events.stop.connect(note)
    run('continue')
    gdb.events.stop.disconnect(note)
    return stops[-1] if stops else None


def vmid():
    return value('$hgatp') >> 44 & 0x3fff


def asid():
    return value('$vsatp') >> 44 & 0xffff


def go_to(place, qualifier='none', view='current'):
    """Goes on to a breakpoint, set in a view of the world and with a filter."""
    run(f'monitor world {view}')
    run(f'monitor filter {qualifier}')
    number = gdb.Breakpoint(f'*{place}').number
    run('monitor world current')
    run('monitor filter none')
    run('continue')
    run(f'delete {number}')


@check
def firmware():
    go_to('m_vector')
    expect('pc', value('$pc'), address('m_vector'))
    expect('priv', value('$priv'), M)
    expect('mcause', value('$mcause'), 9)


@check
def hypervisor_before_paging():
    # Its physical address, so that it does not matter that it is not mapped where the harts are now.
    run('monitor system_reset')
    go_to('hs_start', view='phys')
    expect('pc', value('$pc'), address('hs_start'))
    expect('priv', value('$priv'), S)
    expect('satp', value('$satp'), 0)


@check
def hypervisor_entry():
    go_to('hs_enter', qualifier='v=0,priv=s')
    expect('pc', value('$pc'), address('hs_enter'))
    expect('satp mode', value('$satp') >> 60, 8)


@check
def guest_kernel_by_vmid():
    for wanted in (4, 3, 4):
        go_to('vs_start', view=str(wanted))
        expect('pc', value('$pc'), address('vs_start'))
        expect('VMID', vmid(), wanted)
        expect('priv', value('$priv'), S | V)


@check
def process_by_asid():
    for wanted in (2, 1, 2):
        go_to('(char *)&user_start - 0x40000000', qualifier=f'v=1,asid={wanted},priv=u')
        expect('pc', value('$pc'), address('user_start') - 0x40000000)
        expect('ASID', asid(), wanted)
        expect('priv', value('$priv'), U | V)


@check
def step_into_the_hypervisor_and_back():
    go_to('vs_call')
    run('stepi')
    expect('pc', value('$pc'), address('hs_vector'))
    expect('priv', value('$priv'), S)
    expect('scause', value('$scause'), 10)
    # The same hart goes back: the others stand still.
    run('set scheduler-locking on')
    go_to('hs_return')
    run('stepi')
    run('set scheduler-locking off')
    expect('pc', value('$pc'), address('vs_start'))
    expect('priv', value('$priv'), S | V)


@check
def step_over_a_call_of_the_firmware():
    go_to('hs_call')
    run('monitor step over')
    run('stepi')
    run('monitor step into')
    expect('pc', value('$pc'), address('hs_called'))


@check
def guest_virtual_memory():
    go_to('vs_paging', qualifier='vmid=3')
    offset = address('secret') - 0x80000000
    for view, base in (('gva', 0xc0000000), ('3', 0xc0000000), ('gpa', 0x40000000), ('phys', 0x80000000),
                       ('current', 0xc0000000), ('host', 0x80000000)):
        run(f'monitor world {view}')
        expect(f'the secret in {view}', value(f'*(unsigned long *){base + offset:#x}'), 0x5ec4e7)
    run('monitor world host')
    try:
        value(f'*(unsigned long *){0xc0000000 + offset:#x}')
        raise AssertionError('the host has what only its guest maps')
    except gdb.MemoryError:
        pass
    run('monitor world current')


@check
def guest_csr():
    go_to('vs_start', qualifier='vmid=3')
    run('set scheduler-locking on')
    run('set $vsscratch = 0x1234')
    go_to('vs_call')
    run('set scheduler-locking off')
    expect('what the guest saw', value('*(unsigned long *)&vs_seen'), 0x1234)
    run('set $vsscratch = 0')
    expect('vsscratch', value('$vsscratch'), 0)


@check
def guest_watchpoint():
    go_to('vs_start')
    before = value('*(unsigned long *)&vs_count')
    watch = gdb.Breakpoint('*(unsigned long *)&vs_count', gdb.BP_WATCHPOINT, gdb.WP_WRITE)
    stop = go_on()
    # gdb has compared the old value with the new one.
    if not isinstance(stop, gdb.BreakpointEvent) or stop.breakpoint.number != watch.number:
        raise AssertionError(f'stopped by {stop}, not by the watchpoint')
    expect('pc', value('$pc'), address('vs_counted'))
    now = value('*(unsigned long *)&vs_count')
    if now <= before:
        raise AssertionError(f'it counted from {before} to {now}')
    watch.delete()
    watch = gdb.Breakpoint('*(unsigned long *)&vs_seen', gdb.BP_WATCHPOINT, gdb.WP_ACCESS)
    go_on()
    watch.delete()


@check
def interrupt():
    """Ctrl-C while the harts run."""
    has_gone = threading.Event()

    def press():
        has_gone.wait()
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    def gone(_):
        has_gone.set()

    gdb.events.cont.connect(gone)
    typist = threading.Thread(target=press)
    typist.start()
    stop = go_on()
    typist.join()
    gdb.events.cont.disconnect(gone)
    if not isinstance(stop, gdb.SignalEvent) or stop.stop_signal != 'SIGINT':
        raise AssertionError(f'stopped by {stop}, not by the interrupt')


@check
def threads():
    listing = run('info threads')
    for hart in range(HARTS):
        if f'hart{hart}' not in listing:
            raise AssertionError(f'hart {hart} is missing: {listing}')
    if 'V=' not in listing or 'pc 0x' not in listing:
        raise AssertionError(f'no worlds: {listing}')


@check
def registers():
    for name in ('$mstatus', '$hstatus', '$vsstatus', '$fcsr', '$pmpaddr0', '$mcycle', '$vsatp', '$ft0.double'):
        gdb.parse_and_eval(name)
    if 'vsstatus' not in run('info registers vs'):
        raise AssertionError('no group vs')
    expect('mhartid of thread 1', (run('thread 1'), value('$mhartid'))[1], 0)
    run('set $a0 = 0x77')
    expect('a0', value('$a0'), 0x77)


@check
def commands_of_our_own():
    run(f'source {SCRIPT}')
    go_to('vs_paging', qualifier='vmid=3')
    place = address('secret') - 0x40000000
    if '5ec4e7' not in run(f'in-world gpa x/gx {place:#x}'):
        raise AssertionError('in-world does not read guest physical memory')
    expect('world', run('world'), 'world: current\n')
    said = run('walk &secret w')
    if 'vsatp' not in said or 'hgatp' not in said:
        raise AssertionError(f'no walk of both stages: {said}')
    run('world-break vmid=4,priv=s *vs_start')
    run('continue')
    run('delete')
    expect('VMID', vmid(), 4)
    expect('filter', run('monitor filter'), 'filter: none\n')


@check
def bad_commands():
    for command, words in (('world nowhere', 'there is no world'), ('filter x=1', "there is no 'x'"),
                           ('step aside', 'into or over'), ('nonsense', 'nonsense')):
        said = run(f'monitor {command}')
        if words not in said:
            raise AssertionError(f'"monitor {command}" says {said}')
    expect('world', run('monitor world'), 'world: current\n')


def main():
    run('set confirm off')
    run('set pagination off')
    run('set breakpoint always-inserted on')
    # Else gdb reads the instruction, which may not be mapped now.
    run('set riscv use-compressed-breakpoints on')
    run(f'target remote {SOCKET}')
    if IS_RUNNING:
        # The machine went its own way before.
        expect('harts', len(gdb.selected_inferior().threads()), HARTS)
    else:
        expect('pc', value('$pc') < 0x80000000, True)
    for function in CHECKS:
        function()
        print(f'passed: {function.__name__}', flush=True)
    run('detach')


try:
    main()
except (AssertionError, gdb.error) as failure:
    print(f'FAILED: {failure}', flush=True)
    import traceback
    traceback.print_exc()
    gdb.execute('quit 1')
gdb.execute('quit 0')
