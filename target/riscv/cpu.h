// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "softmmu/cpu.h"
#include "softmmu/exclusive.h"
#include "softmmu/machine_control.h"
#include "softmmu/mem/address_space.h"
#include "io/clock.h"
#include "tcg/runtime/engine_options.h"
#include "target/riscv/aia/imsic.h"
#include "target/riscv/extensions.h"
#include "target/riscv/sanitize/options.h"
#include "target/riscv/semihosting/options.h"
#include "target/riscv/time_counter.h"
#include "target/riscv/vary/options.h"

namespace gstage::tcg {
class Engine;
}

namespace gstage::riscv {

class Debugger;
struct Hart;

/// Bits of mip that wires drive.
enum InterruptBit : unsigned {
  kSsi = 1,
  kVssi = 2,
  kMsi = 3,
  kSti = 5,
  kVsti = 6,
  kMti = 7,
  kSei = 9,
  kVsei = 10,
  kMei = 11,
  kSgei = 12,
  kLcofi = 13  ///< count overflow: no wire, the hart itself
};

/// One RISC-V hart of a machine.
class RiscvCpu : public Cpu {
 public:
  /// Drives a bit of mip from a wire (msip, mtip, meip, seip). Any thread; wakes the hart.
  virtual void set_irq(unsigned mip_bit, bool is_high) = 0;
  virtual Hart& hart() = 0;
  /// `time` in ticks.
  [[nodiscard]] virtual std::uint64_t time() const = 0;
  /// Ticks since power-on: `time` as it would be if mtime had never been written.
  [[nodiscard]] virtual std::uint64_t uptime() const = 0;
  /// Re-arms the hart's stimecmp/vstimecmp timers after their registers, htimedelta, STCE or mtime changed.
  /// Own thread.
  virtual void update_timers() = 0;
  /// tcg::Guest::attend: takes interrupts. Own thread.
  virtual bool attend() { return false; }
  /// The hart's critical-error signal: ends the machine. Own thread.
  virtual void report_critical_error() = 0;
};

/// What a board gives its harts.
struct CpuSetup {
  AddressSpace* memory;
  const Clock* clock;
  TimeCounter* time;
  TimerThread* timers;
  MachineControl* control;
  CpuConfig config;
  std::uint64_t reset_pc;
  ImsicSetup imsic{};
  unsigned harts = 1;
  tcg::EngineOptions engine{};
  SemihostingOptions semihosting{};
  SanitizeOptions sanitize{};
  VaryOptions vary{};
};

/// The harts of one machine with their common translator.
class CpuCluster {
 public:
  /// What `-sanitize` has counted, lines ended; empty: it is off. Any thread.
  [[nodiscard]] virtual std::string sanitizer_summary() const { return {}; }
  virtual ~CpuCluster() = default;
  [[nodiscard]] virtual unsigned count() const = 0;
  virtual RiscvCpu& cpu(unsigned index) = 0;
  virtual tcg::Engine& engine() = 0;
  virtual Debugger& debugger() = 0;
  /// Sends hart 0 a non-maskable interrupt. False: the harts take none. Any thread.
  virtual bool send_nmi() = 0;
};

/// Makes `setup.harts` harts with hart ids from 0, and the engine that `setup.engine` describes.
Result<std::unique_ptr<CpuCluster>> make_cpus(const CpuSetup& setup);

}  // namespace gstage::riscv
