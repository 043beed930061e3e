// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gstage::riscv {

struct Hart;

/// A source of an interrupt controller outside the hart that is asserted or pending, as one hart sees it.
struct WiredSource {
  std::string source;    ///< "plic source 10 (priority 1)"
  std::string blocked;   ///< the link that blocks, with the register and the bit; empty: it drives `mip_bit`
  unsigned mip_bit = 0;  ///< the wire to the hart
};

/// What becomes of one source of interrupts.
struct IrqVerdict {
  std::string source;  ///< "plic source 10 (priority 1) -> mip.SEIP"
  std::string text;    ///< the link that blocks, or when it is taken
  bool is_blocked;
};

/// What stands between a bit of mip, which is pending, and its trap: delegation, enables by level, global
/// enables by mode, a more urgent interrupt, hvictl.
IrqVerdict explain_pending(const Hart& hart, unsigned bit);

/// All that is pending or asserted for a hart, a verdict each: the wires' sources, identities of interrupt
/// files, the other bits of mip, virtual interrupts of mvip, hvip and hvictl, the non-maskable one. Nothing
/// changes. The hart does not run.
std::vector<IrqVerdict> why_irq(const Hart& hart, const std::vector<WiredSource>& wired);

/// A line a verdict; a sentence when there is none.
std::string describe_why_irq(const Hart& hart, const std::vector<IrqVerdict>& verdicts);

}  // namespace gstage::riscv
