// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/csr/delegated_counters.h"

#include "target/riscv/aia/select.h"
#include "target/riscv/pmu/pmu.h"

namespace gstage::riscv {

namespace {

enum Window : unsigned { kCounter = 1, kConfiguration = 2 };

}  // namespace

bool has_delegated_counter(const Hart& hart, unsigned select, unsigned window) {
  if (!is_counter_range(select) || !has_counter_delegation(hart)) return false;
  const unsigned number = select - kCounter0;
  if (number == kTimeCounter || (hart.mcounteren >> number & 1) == 0) return false;
  const bool is_fixed = number < kFirstHpmCounter;
  if (!(is_fixed ? hart.config->zicntr : hart.config->zihpm)) return false;
  return window == kCounter || (window == kConfiguration && (!is_fixed || hart.config->smcntrpmf));
}

/// MINH is M-mode's business.
std::uint64_t read_delegated_counter(const Hart& hart, unsigned select, unsigned window) {
  if (!has_delegated_counter(hart, select, window)) return 0;
  const unsigned number = select - kCounter0;
  if (window == kCounter) return counter_value(hart, number);
  return hart.counters.config[number] & ~hpmevent::Minh::kMask;
}

std::uint8_t write_delegated_counter(Hart& hart, unsigned select, unsigned window, const CsrWrite& write) {
  if (!has_delegated_counter(hart, select, window)) return kNoEffect;
  const unsigned number = select - kCounter0;
  if (window == kCounter) {
    set_counter(hart, number, write.value);
  } else {
    const std::uint64_t minh = hart.counters.config[number] & hpmevent::Minh::kMask;
    set_counter_config(hart, number, (write.value & ~hpmevent::Minh::kMask) | minh);
  }
  return counter_effect(hart);
}

std::uint64_t read_sireg2(Hart& hart, unsigned) {
  return read_delegated_counter(hart, static_cast<unsigned>(hart.hs.iselect), kConfiguration);
}
std::uint8_t write_sireg2(Hart& hart, unsigned, const CsrWrite& write) {
  return write_delegated_counter(hart, static_cast<unsigned>(hart.hs.iselect), kConfiguration, write);
}

}  // namespace gstage::riscv
