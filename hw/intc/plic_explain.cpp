// SPDX-License-Identifier: Apache-2.0
// Why a source does not reach a hart: the rules of plic.cpp in the order of the wire.
#include "softmmu/base/format.h"
#include "target/riscv/cpu.h"
#include "hw/intc/plic.h"

namespace gstage::hw {

namespace {

constexpr unsigned kContextsPerHart = 2;
const char* mode_of(unsigned context) { return context % kContextsPerHart == 0 ? "M" : "S"; }

}  // namespace

std::string Plic::enabled_elsewhere(unsigned source) const {
  for (unsigned i = 0; i < contexts_.size(); ++i)
    if ((contexts_[i].enable[source / 32] >> source % 32 & 1) != 0)
      return format("context %u, %s-mode of hart %u, has it", i, mode_of(i), i / kContextsPerHart);
  return "no context has it";
}

std::string Plic::obstacle(unsigned source, const Context& context, unsigned number) const {
  const bool is_pending = (state_.pending[source / 32] >> source % 32 & 1) != 0;
  if (!is_pending)
    return format("it was claimed and not completed: write %u to claim/complete of a context that enables it",
                  source);
  if (state_.priority[source] == 0)
    return format("its priority (0x%llx) is 0, which is never served",
                  static_cast<unsigned long long>(place().base + 4 * source));
  if (state_.priority[source] <= context.threshold)
    return format("its priority %u is not above the threshold %u of context %u (0x%llx)",
                  state_.priority[source], context.threshold, number,
                  static_cast<unsigned long long>(place().base + 0x200000 + 0x1000 * number));
  return "";
}

void Plic::explain(unsigned hart, std::vector<riscv::WiredSource>& sources) {
  const std::lock_guard lock(mutex_);
  for (unsigned source = 1; source <= kSources; ++source) {
    const unsigned word = source / 32;
    const unsigned bit = source % 32;
    const bool is_there = ((level_[word] | state_.pending[word]) >> bit & 1) != 0;
    if (!is_there) continue;
    const char* const level = (level_[word] >> bit & 1) != 0 ? "high" : "low";
    const std::string name = format("plic source %u (wire %s)", source, level);
    bool is_enabled = false;
    for (unsigned i = hart * kContextsPerHart; i < (hart + 1) * kContextsPerHart && i < contexts_.size();
         ++i) {
      if ((contexts_[i].enable[word] >> bit & 1) == 0) continue;
      is_enabled = true;
      sources.push_back({format("%s -> context %u (%s)", name.c_str(), i, mode_of(i)),
                         obstacle(source, contexts_[i], i), contexts_[i].mip_bit});
    }
    if (is_enabled) continue;
    sources.push_back(
        {name,
         format("bit %u of enable word %u is 0 in contexts %u (0x%llx) and %u; %s", bit, word,
                hart * kContextsPerHart,
                static_cast<unsigned long long>(place().base + 0x2000 + 0x80 * 2 * hart + 4 * word),
                hart * kContextsPerHart + 1, enabled_elsewhere(source).c_str()),
         0});
  }
}

}  // namespace gstage::hw
