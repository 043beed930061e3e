// SPDX-License-Identifier: Apache-2.0
// Addresses, shared by C, assembly and the linker scripts' readers.
#ifndef MINIVISOR_LAYOUT_H
#define MINIVISOR_LAYOUT_H

// The machine (the `virt` board).
#define TEST_DEVICE 0x100000
#define CLINT 0x2000000
#define UART 0x10000000
#define RAM 0x80000000
#define MACHINE_SIZE 0x10000  // the start of RAM, which PMP keeps for M mode

#define HARTS 2
#define GUESTS 2
#define STACK_SIZE 8192

// A guest's physical address space. RAM is private; the shared page is one page of the machine
// for both; nothing is mapped at the console, so that every access to it exits.
#define GUEST_RAM 0x40000000
#define GUEST_RAM_SIZE 0x200000
#define GUEST_SHARED 0x50000000
#define GUEST_CONSOLE 0x10000000

// The same seen through the guest's own page tables (RAM is mapped one to one).
#define GUEST_SHARED_VA 0x100000000
#define GUEST_CONSOLE_VA 0x140000000

// Registers of the emulated console: data and line status look like a 16550's, `round` tells the
// hypervisor how far the guest is.
#define CONSOLE_DATA 0
#define CONSOLE_STATUS 5
#define CONSOLE_ROUND 8
#define CONSOLE_READY 0x60

// Hypercalls: number in a7, argument and result in a0.
#define CALL_SEND 1   // a0: message for the other guest; returns 0, or -1 while its box is full
#define CALL_RECV 2   // returns the message in the guest's box or -1
#define CALL_YIELD 3
#define CALL_DONE 4   // a0: checksum; does not return

#define ROUNDS 100

// The only call of HS mode to M mode: a0 is the hart to interrupt.
#define MACHINE_SEND_IPI 1

#endif
