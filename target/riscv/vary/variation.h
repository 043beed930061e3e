// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "softmmu/base/result.h"
#include "target/riscv/extensions.h"
#include "target/riscv/vary/options.h"

namespace gstage::riscv {

/// What a machine does where the specification leaves a choice.
struct Choices {
  static constexpr unsigned kVmidBits = 14;
  static constexpr unsigned kAsidBits = 16;

  std::uint64_t seed = 0;
  Informs htinst = Informs::kAlways;
  Informs htval = Informs::kAlways;
  unsigned vmidlen = kVmidBits;
  unsigned asidlen = kAsidBits;
  unsigned spurious = 0;
  unsigned tlb = 0;
  unsigned sc_fails = 0;
};
/// The same seed gives the same choices. Refuses what `config` promises otherwise.
Result<Choices> choose(const VaryOptions& options, const CpuConfig& config);
/// The options that give the same machine again, in one line.
std::string describe(const Choices& choices);

/// The choices of one hart as it runs. Its own thread only.
class Variation {
 public:
  Variation(const Choices& choices, std::uint64_t hartid);

  /// What a trap writes to htinst or mtinst in place of the value. A pseudoinstruction stays where the guest
  /// physical address is written ("Transformed Instruction or Pseudoinstruction for mtinst or htinst").
  std::uint64_t tinst(std::uint64_t value, bool is_implicit, bool has_address);
  /// … to htval or mtval2.
  std::uint64_t tval2(std::uint64_t value);
  [[nodiscard]] std::uint64_t asid_mask() const { return (std::uint64_t{1} << choices_.asidlen) - 1; }
  [[nodiscard]] std::uint64_t vmid_mask() const { return (std::uint64_t{1} << choices_.vmidlen) - 1; }
  /// A wfi ends without a reason ("Wait for Interrupt": it may be a nop).
  bool ends_wait() { return happens(choices_.spurious); }
  /// A miss finds that the cached translations are gone.
  bool evicts() { return choices_.tlb != 0 && next() % choices_.tlb == 0; }
  /// A reservation is lost before its sc. Not time and again: constrained loops must come to an end
  /// ("Eventual Success of Store-Conditional Instructions").
  bool loses_reservation();

 private:
  static constexpr unsigned kMostLosses = 4;

  std::uint64_t next();
  bool happens(unsigned percent) { return percent != 0 && next() % 100 < percent; }
  bool informs(Informs informs);

  const Choices choices_;
  std::uint64_t state_;
  unsigned losses_ = 0;  ///< one after the other
};

}  // namespace gstage::riscv
