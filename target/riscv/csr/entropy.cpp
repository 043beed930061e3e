// SPDX-License-Identifier: Apache-2.0
// The entropy source (ISA manual vol. I, "Entropy Source"; vol. II, "Machine Security Configuration").
#include <cstdint>

#include <sys/random.h>

#include "target/riscv/csr/gates.h"

namespace gstage::riscv {

namespace {

/// seed.OPST. The host's generator tests itself: neither BIST nor DEAD occur.
namespace opst {
constexpr std::uint64_t kWait = std::uint64_t{1} << 30;
constexpr std::uint64_t kEs16 = std::uint64_t{2} << 30;
}  // namespace opst

}  // namespace

/// Each poll takes new bits from the host, so that none is seen twice.
std::uint64_t read_seed(Hart&, unsigned) {
  std::uint16_t entropy = 0;
  if (getrandom(&entropy, sizeof entropy, GRND_NONBLOCK) != sizeof entropy) return opst::kWait;
  return opst::kEs16 | entropy;
}

/// Guests have to ask their hypervisor even where HS-mode may poll.
Verdict gate_seed(const Hart& hart, unsigned, CsrMode mode) {
  switch (mode) {
    case CsrMode::kM: return Verdict::kAllowed;
    case CsrMode::kHs:
    case CsrMode::kHsQualified:
      return mseccfg::Sseed::get(hart.mseccfg) != 0 ? Verdict::kAllowed : Verdict::kIllegal;
    case CsrMode::kU: return mseccfg::Useed::get(hart.mseccfg) != 0 ? Verdict::kAllowed : Verdict::kIllegal;
    case CsrMode::kVs:
    case CsrMode::kVu: return Verdict::kVirtual;
  }
  return Verdict::kIllegal;
}

}  // namespace gstage::riscv
