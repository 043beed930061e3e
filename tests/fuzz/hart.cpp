// SPDX-License-Identifier: Apache-2.0
// A hart's privileged state without instructions: CSRs in every mode, page tables that change under it,
// fences, accesses of all kinds, interrupts and traps. Whatever comes, the hart stays in a mode that exists.
#include "target/riscv/hart.h"

#include <cstring>
#include <optional>

#include "softmmu/base/check.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/trap/trap.h"

#include "tests/fuzz/hart_machine.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = HartMachine::kRam;
constexpr std::uint64_t kRamSize = HartMachine::kRamSize;

/// An address that page tables or nothing at all may lead to.
std::uint64_t draw_address(Input& input) {
  const auto how = input.take<std::uint8_t>();
  if (how % 4 == 3) return input.take<std::uint64_t>();
  return (how % 4 == 0 ? kRam : std::uint64_t{how} << 30) + input.take<std::uint16_t>();
}

/// An entry that leads into RAM, seldom elsewhere.
void edit_table(Input& input, std::byte* ram) {
  const std::uint64_t at = input.below(kRamSize) & ~std::uint64_t{7};
  const std::uint64_t frame = (kRam >> 12) + input.below(kRamSize >> 12);
  const std::uint64_t flags = input.take<std::uint8_t>();
  const std::uint64_t entry = input.flag() ? input.take<std::uint64_t>() : frame << 10 | flags;
  std::memcpy(ram + at, &entry, sizeof entry);
}

/// Address-translation registers with a root in RAM.
void set_root(Input& input, riscv::Hart& hart) {
  static constexpr unsigned kNumbers[] = {0x180, 0x280, 0x680};  // satp, vsatp, hgatp
  static constexpr std::uint64_t kModes[] = {0, 8, 9, 10};
  const unsigned number = kNumbers[input.below(3)];
  const std::uint64_t mode = kModes[input.below(4)] << 60;
  riscv::csr_poke(hart, number, mode | input.below(4) << 44 | ((kRam >> 12) + input.below(kRamSize >> 12)));
}

riscv::FenceOperands draw_operands(Input& input) {
  riscv::FenceOperands operands;
  const auto how = input.take<std::uint8_t>();
  if ((how & 1) != 0) operands.address = draw_address(input);
  if ((how & 2) != 0) operands.id = input.take<std::uint16_t>();
  return operands;
}

void fence(Input& input, riscv::Hart& hart) {
  switch (input.below(3)) {
    case 0: return riscv::sfence_vma(hart, draw_operands(input));
    case 1: return riscv::hfence_vvma(hart, draw_operands(input));
    default: return riscv::hfence_gvma(hart, draw_operands(input));
  }
}

void access_memory(Input& input, HartMachine& machine) {
  riscv::Hart& hart = machine.hart();
  const auto how = input.take<std::uint8_t>();
  const Vaddr address{draw_address(input)};
  const auto kind = static_cast<tcg::MemKind>(how / 8 % 7);
  const auto width = static_cast<tcg::MemKind>(how / 8 % 4);
  switch (how % 8) {
    case 0: machine.guest.load(hart.core, address, kind); break;
    case 1: machine.guest.store(hart.core, address, width, input.take<std::uint64_t>()); break;
    case 2: machine.guest.atomic_host(hart.core, address, width); break;
    case 3: machine.guest.load_reserved(hart.core, address, width); break;
    case 4: static_cast<void>(machine.guest.fetch(hart.core, address)); break;
    case 5: riscv::hyp_load(hart, address, kind, false); break;
    case 6: riscv::hyp_store(hart, address, width, input.take<std::uint64_t>()); break;
    default: riscv::zero_cache_block(hart, address); break;
  }
}

void access_csr(Input& input, riscv::Hart& hart) {
  const unsigned number = input.take<std::uint16_t>() & 0xfff;
  const auto op = static_cast<riscv::CsrOp>(input.below(5));
  const std::uint64_t operand = input.flag() ? input.take<std::uint64_t>() : input.take<std::uint8_t>();
  static_cast<void>(riscv::csr_access(hart, number, op, operand, 0x73));
}

void step(Input& input, HartMachine& machine) {
  riscv::Hart& hart = machine.hart();
  static constexpr unsigned kWires[] = {riscv::kSsi, riscv::kMsi, riscv::kMti, riscv::kSei, riscv::kMei};
  switch (input.take<std::uint8_t>() % 8) {
    case 0: enter_mode(input, hart); break;
    case 1: edit_table(input, machine.ram()); break;
    case 2: set_root(input, hart); break;
    case 3: fence(input, hart); break;
    case 4:
    case 5: access_memory(input, machine); break;
    case 6: machine.cpu().set_irq(kWires[input.below(5)], input.flag()); break;
    default: access_csr(input, hart); break;
  }
  if (hart.core.trap_pending != 0) machine.guest.deliver_trap(hart.core);
  static_cast<void>(machine.guest.attend(hart.core));
  CHECK(hart.priv == riscv::kUser || hart.priv == riscv::kSupervisor ||
        (hart.priv == riscv::kMachine && !hart.v));
  CHECK(hart.s == (hart.v ? &hart.vs : &hart.hs));
}

void run(Input& input) {
  static HartMachine machine;
  machine.restart();
  while (!input.empty()) step(input, machine);
}

const Registration registration("hart", run);

}  // namespace
}  // namespace gstage::fuzz
