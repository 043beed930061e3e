// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/property.h"

namespace gstage::riscv {

/// What `-cpu` says a hart can do: one bool a row of extensions.inc.
struct CpuConfig {
  std::uint64_t mvendorid = 0;
  std::uint64_t marchid = 0;
  std::uint64_t mimpid = 0;
  std::uint64_t rnmi_vector = 0;            ///< where a non-maskable interrupt goes; 0: BASE of mtvec
  std::uint64_t rnmi_exception_vector = 0;  ///< where exceptions go while NMIE is clear; likewise
#define EXTENSION(member, property, isa_name, on, help) bool member = on;
#include "target/riscv/extensions.inc"
#undef EXTENSION
};

/// A hart with everything.
constexpr CpuConfig max_config() {
  CpuConfig config;
#define EXTENSION(member, property, isa_name, on, help) config.member = true;
#include "target/riscv/extensions.inc"
#undef EXTENSION
  // Of the advanced interrupts there is as much as the board has: aia= switches them on.
  config.smaia = config.ssaia = false;
  // Firmware that does not know them dies of its first trap, or never sees an interrupt.
  config.smdbltrp = config.smrnmi = false;
  // With Svade menvcfg.ADUE would be clear at reset.
  config.svade = false;
  // Choices between two behaviours, neither of which is more than the other.
  config.sdtrig_guard = config.short_isa_string = false;
  return config;
}

/// What the tables of instructions name as the condition of a row: an extension, or one of two.
namespace has {
#define EXTENSION(member, property, isa_name, on, help) \
  constexpr bool member(const CpuConfig& config) { return config.member; }
#include "target/riscv/extensions.inc"
#undef EXTENSION
/// One of the two is there.
constexpr bool zbb_or_zbkb(const CpuConfig& config) { return config.zbb || config.zbkb; }
/// One of the two is there.
constexpr bool zbc_or_zbkc(const CpuConfig& config) { return config.zbc || config.zbkc; }
/// Zfa has the instructions of a format where that format is.
constexpr bool zfa_and_d(const CpuConfig& config) { return config.zfa && config.d; }
constexpr bool zfa_and_zfh(const CpuConfig& config) { return config.zfa && config.zfh; }
constexpr bool zfhmin_and_d(const CpuConfig& config) { return config.zfhmin && config.d; }
/// Both are there.
constexpr bool zabha_and_zacas(const CpuConfig& config) { return config.zabha && config.zacas; }
constexpr bool zknd_or_zkne(const CpuConfig& config) { return config.zknd || config.zkne; }
/// Both are there.
constexpr bool svinval_and_h(const CpuConfig& config) { return config.svinval && config.h; }
}  // namespace has

/// Reads `-cpu MODEL,prop=on|off|true|false…`; refuses unknown models, properties, contradictory settings
/// (d without f, h without s…) with a sentence. `x-h=` is accepted with a warning; priv_spec=v1.12.0|v1.13.0
/// and pmu-mask= are accepted.
Result<CpuConfig> parse_cpu(const DeviceOptions& cpu);
/// "rv64imafdch_zicntr_…".
std::string isa_string(const CpuConfig& config);
/// For the FDT's riscv,isa-extensions: "i", "m", …, "zicntr", ….
std::vector<std::string> isa_extension_names(const CpuConfig& config);
/// "riscv,sv57", "riscv,sv48", "riscv,sv39", or "riscv,none".
std::string mmu_type(const CpuConfig& config);
/// The text of `-cpu help`, or where a model is named that of `-cpu MODEL,help`.
Result<std::string> cpu_help(const std::string& model);

}  // namespace gstage::riscv
