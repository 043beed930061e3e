// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "target/riscv/extensions.h"
#include "hw/core/fdt_builder.h"

namespace gstage::hw {

// The nodes of harts and memory, which the boards' trees have in common.

/// The phandles of the harts and of their interrupt controllers: the first 2 × harts.
struct HartPhandles {
  explicit HartPhandles(unsigned harts);
  [[nodiscard]] std::uint32_t last() const { return static_cast<std::uint32_t>(2 * cpus.size()); }

  std::vector<std::uint32_t> cpus;
  std::vector<std::uint32_t> cpu_irqs;
};

/// /cpus.
void describe_cpus(FdtBuilder& fdt, const HartPhandles& phandles, const riscv::CpuConfig& config);
/// The counters, for the SBI (OpenSBI, "SBI PMU Device Tree Bindings"): which event takes which selector, and
/// which counters can count it.
void describe_pmu(FdtBuilder& fdt);
/// RAM.
void describe_memory(FdtBuilder& fdt, std::uint64_t base, std::uint64_t bytes);

}  // namespace gstage::hw
