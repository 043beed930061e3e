// SPDX-License-Identifier: Apache-2.0
// Why a source does not reach a hart: the rules of aplic.cpp in the order of the wire.
#include "softmmu/base/format.h"
#include "target/riscv/cpu.h"
#include "hw/intc/aplic.h"
#include "hw/intc/aplic_fields.h"

namespace gstage::hw {

using namespace aplic;

std::string Aplic::obstacle_before_pending(unsigned source) const {
  const unsigned mode = domain_.state_.sourcecfg[source];
  if (!domain_.is_active(source)) return format("sourcecfg[%u].SM is 0: the source is inactive", source);
  if (domain_.is_level(source))
    return format("it was sent as a message: write %u to setipnum once it is served, the wire is still high",
                  source);
  if (mode == kDetached) return format("sourcecfg[%u].SM is Detached: the wire does not count", source);
  const char* const how = domain_.is_msi_mode() ? "sent as a message" : "claimed";
  return format("its edge was %s already, and the wire has not changed since (sourcecfg[%u].SM is %u)", how,
                source, mode);
}

std::string Aplic::obstacle(unsigned source, unsigned hart) const {
  const AplicDomain::State& state = domain_.state_;
  const std::uint32_t bit = bit_of(source);
  if ((state.pending[source / 32] & bit) == 0) return obstacle_before_pending(source);
  if ((state.enabled[source / 32] & bit) == 0)
    return format("it is not enabled: write %u to setienum", source);
  if (domaincfg::Ie::get(state.domaincfg) == 0) return "domaincfg.IE is 0";
  if (domain_.is_msi_mode()) return "";
  const auto target = static_cast<unsigned>(target::HartIndex::get(state.target[source]));
  if (target != hart) return format("target[%u] names hart %u", source, target);
  const AplicDomain::Delivery& delivery = domain_.deliveries_[hart];
  if (!delivery.is_on) return format("idelivery of hart %u is 0", hart);
  const auto priority = static_cast<unsigned>(target::Iprio::get(state.target[source]));
  if (delivery.threshold != 0 && priority >= delivery.threshold)
    return format("its priority %u is not below ithreshold of hart %u, which is %u", priority, hart,
                  delivery.threshold);
  return "";
}

void Aplic::explain(unsigned hart, std::vector<riscv::WiredSource>& sources) {
  const std::lock_guard lock(domain_.mutex_);
  const AplicDomain::State& state = domain_.state_;
  for (unsigned source = 1; source <= AplicDomain::kSources; ++source) {
    const unsigned word = source / 32;
    const std::uint32_t bit = bit_of(source);
    const bool is_delegated_on = (state.sourcecfg[source] & kDelegate) != 0;
    if ((domain_.delegated_[word] & bit) == 0 || is_delegated_on) continue;
    const bool is_high = (domain_.level_[word] & bit) != 0;
    const bool is_pending = (state.pending[word] & bit) != 0;
    const bool has_wire = domain_.is_active(source) && state.sourcecfg[source] != kDetached;
    if (!is_pending && !(has_wire ? domain_.rectified(source) : is_high)) continue;
    sources.push_back({format("%s source %u (wire %s%s)", domain_.setup_.name, source,
                              is_high ? "high" : "low", is_pending ? ", pending" : ""),
                       obstacle(source, hart), domain_.setup_.is_machine ? riscv::kMei : riscv::kSei});
  }
}

}  // namespace gstage::hw
