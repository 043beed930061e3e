// SPDX-License-Identifier: Apache-2.0
// cycle, time and instret.
//
// Neither cycles nor instructions are counted: both counters show nanoseconds of machine time, in steps of
// one tick of `time`, as a hart of 1 GHz would that retires one instruction a cycle. A written value counts
// on from there, mcountinhibit stops and mode changes do not matter; what programs measure with them is time.
#include "target/riscv/cpu.h"
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

std::uint64_t running_count(const Hart& hart) {
  return hart.cpu->time() * static_cast<std::uint64_t>(kNsPerTick);
}

/// A counter's value; `offset` is the value itself while the counter is inhibited.
std::uint64_t count(const Hart& hart, std::uint64_t inhibit_bit, std::uint64_t offset) {
  return (hart.mcountinhibit & inhibit_bit) != 0 ? offset : running_count(hart) + offset;
}
void set_count(const Hart& hart, std::uint64_t inhibit_bit, std::uint64_t& offset, std::uint64_t value) {
  offset = (hart.mcountinhibit & inhibit_bit) != 0 ? value : value - running_count(hart);
}

}  // namespace

std::uint64_t read_cycle(Hart& hart, unsigned) { return count(hart, counter::Cy::kMask, hart.cycle_offset); }
std::uint64_t read_instret(Hart& hart, unsigned) {
  return count(hart, counter::Ir::kMask, hart.instret_offset);
}
std::uint8_t write_mcycle(Hart& hart, unsigned, const CsrWrite& write) {
  set_count(hart, counter::Cy::kMask, hart.cycle_offset, write.value);
  return kNoEffect;
}
std::uint8_t write_minstret(Hart& hart, unsigned, const CsrWrite& write) {
  set_count(hart, counter::Ir::kMask, hart.instret_offset, write.value);
  return kNoEffect;
}

/// htimedelta applies to reads with V=1 ("Hypervisor Time Delta Register").
std::uint64_t read_time(Hart& hart, unsigned) {
  return hart.cpu->time() + (hart.v != 0 ? hart.htimedelta : 0);
}

std::uint8_t write_mcountinhibit(Hart& hart, unsigned index, const CsrWrite& write) {
  const std::uint64_t cycle = read_cycle(hart, index);
  const std::uint64_t instret = read_instret(hart, index);
  hart.mcountinhibit = write.value & (counter::Cy::kMask | counter::Ir::kMask);
  set_count(hart, counter::Cy::kMask, hart.cycle_offset, cycle);
  set_count(hart, counter::Ir::kMask, hart.instret_offset, instret);
  return kNoEffect;
}

}  // namespace gstage::riscv
