// SPDX-License-Identifier: Apache-2.0
// The emulated console. A guest page fault gives the guest physical address (htval) and usually the
// transformed instruction (htinst); where an implementation leaves htinst zero, HLVX reads the
// instruction through the guest's own tables.

#include "minivisor.h"

#define OPCODE_LOAD 0x03
#define OPCODE_STORE 0x23

static uint64_t hlvx_hu(uint64_t guest_pc) {
  uint64_t value;
  asm volatile(".insn r 0x73, 4, 0x32, %0, %1, x3" : "=r"(value) : "r"(guest_pc) : "memory");
  return value;
}

// Fetches the trapped instruction like the guest did. hstatus.SPVP, which the exit set, selects
// VS level.
static uint32_t fetch(uint64_t guest_pc) {
  uint32_t low = hlvx_hu(guest_pc);
  return (low & 3) == 3 ? low | (uint32_t)hlvx_hu(guest_pc + 2) << 16 : low;
}

// c.lw, c.sw, c.ld and c.sd in the form that htinst would have: expanded, bit 1 clear.
static uint32_t expand(uint32_t insn) {
  if ((insn & 3) == 3) return insn;
  uint32_t funct3 = insn >> 13 & 3, reg = (insn >> 2 & 7) + 8;
  bool store = insn >> 15 & 1;
  return store ? reg << 20 | funct3 << 12 | 0x21 : funct3 << 12 | reg << 7 | 0x01;
}

static void console_write(struct vcpu *vcpu, uint64_t offset, uint64_t value) {
  if (offset == CONSOLE_ROUND) vcpu->round = value;
  if (offset != CONSOLE_DATA) return;
  if (vcpu->line_length < sizeof vcpu->line - 1) vcpu->line[vcpu->line_length++] = (char)value;
  if (value != '\n') return;
  // Whole lines, so that two harts do not mix theirs.
  vcpu->line[vcpu->line_length] = 0;
  vcpu->line_length = 0;
  lock();
  put_string(vcpu->line);
  unlock();
}

static uint64_t console_read(struct vcpu *vcpu, uint64_t offset) {
  if (offset == CONSOLE_STATUS) return CONSOLE_READY;
  return offset == CONSOLE_ROUND ? vcpu->round : 0;
}

static uint64_t extend(uint64_t value, unsigned funct3) {
  unsigned shift = 64 - (8u << (funct3 & 3));
  return funct3 & 4 ? value << shift >> shift : (uint64_t)((int64_t)(value << shift) >> shift);
}

bool emulate_access(struct vcpu *vcpu, const struct exit *exit) {
  if (exit->gpa < GUEST_CONSOLE || exit->gpa >= GUEST_CONSOLE + 4096) return false;
  uint32_t insn = exit->tinst ? (uint32_t)exit->tinst : expand(fetch(vcpu->x[0]));
  unsigned opcode = insn & 0x7f, funct3 = insn >> 12 & 7;
  uint64_t offset = exit->gpa - GUEST_CONSOLE;
  // Bit 1 of a transformed instruction is clear when the original has 16 bits.
  bool compressed = !(insn & 2);
  if ((opcode | 2) == OPCODE_STORE) {
    unsigned rs2 = insn >> 20 & 31;
    console_write(vcpu, offset, rs2 ? vcpu->x[rs2] : 0);
  } else if ((opcode | 2) == OPCODE_LOAD) {
    unsigned rd = insn >> 7 & 31;
    if (rd) vcpu->x[rd] = extend(console_read(vcpu, offset), funct3);
  } else {
    return false;
  }
  vcpu->x[0] += compressed ? 2 : 4;
  return true;
}
