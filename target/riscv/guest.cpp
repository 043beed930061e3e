// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/guest.h"

#include <cstddef>

#include "softmmu/base/bits.h"
#include "softmmu/base/format.h"
#include "target/riscv/cpu.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/decode/disas.h"
#include "target/riscv/hart.h"
#include "target/riscv/inspect/symbols.h"
#include "target/riscv/mmu/access.h"
#include "target/riscv/trans/translate.h"
#include "target/riscv/trap/log_subject.h"
#include "target/riscv/vary/variation.h"

namespace gstage::riscv {

namespace {

/// Lines that begin with two blanks, each with the end of the line before it.
std::string registers_text(const Hart& hart) {
  static constexpr const char* kNames[32] = {
      "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
      "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
  std::string text;
  for (unsigned i = 1; i < 32; ++i)
    text += format("%s%-4s %016llx", i % 4 == 1 ? "\n  " : " ", kNames[i],
                   static_cast<unsigned long long>(hart.x[i]));
  return text;
}

}  // namespace

const char* mode_name(std::uint8_t priv, bool v) {
  if (priv == kMachine) return "M";
  if (priv == kSupervisor) return v ? "VS" : "HS";
  return v ? "VU" : "U";
}

tcg::GuestLayout RiscvGuest::layout() const {
  // By frequency in compiled code: ra, sp, s0, s1, a0–a5.
  return {offsetof(Hart, x), offsetof(Hart, f), {1, 2, 8, 9, 10, 11, 12, 13, 14, 15}};
}

std::uint32_t RiscvGuest::block_flags(const CpuCore& core) const {
  return current_block_flags(hart_of(core));
}

std::optional<tcg::FetchPage> RiscvGuest::fetch(CpuCore& core, Vaddr pc) {
  return fetch_slow(hart_of(core), pc);
}

bool RiscvGuest::is_long(std::uint16_t first_halfword) const { return (first_halfword & 3) == 3; }

void RiscvGuest::translate(const tcg::BlockSource& source, tcg::Unit& unit) {
  translate_block(source, config_, unit);
}

void RiscvGuest::deliver_trap(CpuCore& core) { riscv::deliver_trap(hart_of(core)); }

bool RiscvGuest::attend(CpuCore& core) { return hart_of(core).cpu->attend(); }

std::uint64_t RiscvGuest::load(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) {
  Hart& hart = hart_of(core);
  return load_slow(hart, active_data(hart), vaddr, kind);
}

void RiscvGuest::store(CpuCore& core, Vaddr vaddr, tcg::MemKind kind, std::uint64_t value) {
  Hart& hart = hart_of(core);
  store_slow(hart, active_data(hart), vaddr, kind, value);
}

void* RiscvGuest::atomic_host(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) {
  Hart& hart = hart_of(core);
  return atomic_slow(hart, active_data(hart), vaddr, tcg::mem_size(kind), AccessType::kStore);
}

std::uint64_t RiscvGuest::load_reserved(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) {
  Hart& hart = hart_of(core);
  const void* const host =
      atomic_slow(hart, active_data(hart), vaddr, tcg::mem_size(kind), AccessType::kLoad);
  if (host == nullptr) return 0;
  std::uint64_t value = 0;
  if (tcg::mem_size(kind) == 8) {
    value = __atomic_load_n(static_cast<const std::uint64_t*>(host), __ATOMIC_SEQ_CST);
  } else {
    value = sign_extend(__atomic_load_n(static_cast<const std::uint32_t*>(host), __ATOMIC_SEQ_CST), 32);
  }
  core.reservation_vaddr = vaddr.value;
  core.reservation_value = value;
  if (hart.variation != nullptr && hart.variation->loses_reservation())
    core.reservation_vaddr = CpuCore{}.reservation_vaddr;
  return value;
}

std::string RiscvGuest::disassemble(std::uint64_t pc, std::span<const std::byte> bytes) const {
  return riscv::disassemble(pc, bytes);
}

std::string RiscvGuest::describe_mode(const CpuCore& core) const {
  const Hart& hart = hart_of(core);
  const LogSubject subject = log_subject(hart);
  if (!log_filter().has(subject)) return {};
  std::string text = format("%s, hart %u", mode_name(hart.priv, hart.v != 0), subject.hart);
  if (subject.v) text += format(", vmid %u", subject.vmid);
  text += symbol_suffix(hart);
  return log_shows_registers() ? text + registers_text(hart) : text;
}

/// "kvm_vcpu_ioctl+0x24 [HS]", "0xffffffff80001230 [VS vmid 1]". A map's line ends where the name does.
std::string RiscvGuest::code_name(const CpuCore& core) const {
  const Hart& hart = hart_of(core);
  std::optional<unsigned> vmid;
  if (hart.v != 0) vmid = static_cast<unsigned>(atp::Vmid::get(hart.hgatp));
  const std::optional<SymbolPlace> place = program_symbols().find(core.pc, vmid);
  const std::string name = place ? place->text() : format("0x%llx", static_cast<unsigned long long>(core.pc));
  const std::string world = vmid ? format(" vmid %u", *vmid) : "";
  return printable(name) + " [" + mode_name(hart.priv, hart.v != 0) + world + "]";
}

}  // namespace gstage::riscv
