// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "target/riscv/extensions.h"
#include "hw/core/fdt_builder.h"
#include "hw/core/numa.h"

namespace gstage::hw {

// The nodes of harts and memory, which the boards' trees have in common.

/// The phandles of the harts and of their interrupt controllers: the first 2 × harts.
struct HartPhandles {
  explicit HartPhandles(unsigned harts);
  [[nodiscard]] std::uint32_t last() const { return static_cast<std::uint32_t>(2 * cpus.size()); }

  std::vector<std::uint32_t> cpus;
  std::vector<std::uint32_t> cpu_irqs;
};

/// /cpus. The harts of each node are a cluster.
void describe_cpus(FdtBuilder& fdt, const HartPhandles& phandles, const riscv::CpuConfig& config,
                   const NumaOptions& numa);
/// The counters, for the SBI (OpenSBI, "SBI PMU Device Tree Bindings"): which event takes which selector, and
/// which counters can count it.
void describe_pmu(FdtBuilder& fdt);
/// RAM: one range, or one a node that has memory.
void describe_memory(FdtBuilder& fdt, std::uint64_t base, std::uint64_t bytes, const NumaOptions& numa);
/// How far the nodes are from one another, if that is said (Linux,
/// Documentation/devicetree/bindings/numa.txt).
void describe_distances(FdtBuilder& fdt, const NumaOptions& numa);

}  // namespace gstage::hw
