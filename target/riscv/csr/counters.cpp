// SPDX-License-Identifier: Apache-2.0
// The registers of the counters; what they do is in pmu/.
#include "target/riscv/cpu.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/pmu/pmu.h"

namespace gstage::riscv {

namespace {

std::uint8_t write_counter(Hart& hart, unsigned number, const CsrWrite& write) {
  set_counter(hart, number, write.value);
  return counter_effect(hart);
}
std::uint8_t write_config(Hart& hart, unsigned number, const CsrWrite& write) {
  set_counter_config(hart, number, write.value);
  return counter_effect(hart);
}

}  // namespace

std::uint64_t read_cycle(Hart& hart, unsigned) { return counter_value(hart, kCycleCounter); }
std::uint64_t read_instret(Hart& hart, unsigned) { return counter_value(hart, kInstretCounter); }
std::uint64_t read_hpmcounter(Hart& hart, unsigned index) {
  return counter_value(hart, kFirstHpmCounter + index);
}
std::uint8_t write_mcycle(Hart& hart, unsigned, const CsrWrite& write) {
  return write_counter(hart, kCycleCounter, write);
}
std::uint8_t write_minstret(Hart& hart, unsigned, const CsrWrite& write) {
  return write_counter(hart, kInstretCounter, write);
}
std::uint8_t write_mhpmcounter(Hart& hart, unsigned index, const CsrWrite& write) {
  return write_counter(hart, kFirstHpmCounter + index, write);
}

/// htimedelta applies to reads with V=1 ("Hypervisor Time Delta Register").
std::uint64_t read_time(Hart& hart, unsigned) {
  return hart.cpu->time() + (hart.v != 0 ? hart.htimedelta : 0);
}

std::uint64_t read_mhpmevent(Hart& hart, unsigned index) {
  return hart.counters.config[kFirstHpmCounter + index];
}
std::uint8_t write_mhpmevent(Hart& hart, unsigned index, const CsrWrite& write) {
  return write_config(hart, kFirstHpmCounter + index, write);
}

std::uint64_t read_mcyclecfg(Hart& hart, unsigned) { return hart.counters.config[kCycleCounter]; }
std::uint8_t write_mcyclecfg(Hart& hart, unsigned, const CsrWrite& write) {
  return write_config(hart, kCycleCounter, write);
}
std::uint64_t read_minstretcfg(Hart& hart, unsigned) { return hart.counters.config[kInstretCounter]; }
std::uint8_t write_minstretcfg(Hart& hart, unsigned, const CsrWrite& write) {
  return write_config(hart, kInstretCounter, write);
}

std::uint8_t write_mcountinhibit(Hart& hart, unsigned, const CsrWrite& write) {
  set_counter_inhibit(hart, write.value);
  return counter_effect(hart);
}

std::uint64_t read_scountinhibit(Hart& hart, unsigned) { return hart.mcountinhibit & hart.mcounteren; }
std::uint8_t write_scountinhibit(Hart& hart, unsigned, const CsrWrite& write) {
  set_counter_inhibit(hart, write.over(hart.mcountinhibit, hart.mcounteren));
  return counter_effect(hart);
}

std::uint64_t read_scountovf(Hart& hart, unsigned) {
  std::uint64_t seen = overflowed_counters(hart);
  if (hart.priv != kMachine) seen &= hart.mcounteren;
  if (hart.v != 0) seen &= hart.hcounteren;
  return seen;
}

}  // namespace gstage::riscv
