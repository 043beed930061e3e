// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hw/core/hart_lines.h"
#include "hw/core/interrupt_explainer.h"
#include "hw/core/irq_line.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// The platform-level interrupt controller (RISC-V PLIC specification 1.0.0) with level-triggered gateways
/// and two contexts a hart: 2n is machine mode of hart n, 2n+1 its supervisor mode.
class Plic final : public SystemDevice, public RegisterDevice<Plic>, public InterruptExplainer {
 public:
  static constexpr const char* kName = "plic";
  static constexpr unsigned kSources = 95;  ///< numbered 1–95
  static constexpr unsigned kHighestPriority = 7;

  /// Harts in the order of their ids; the lines outlive the device.
  explicit Plic(std::vector<HartLines*> harts);

  [[nodiscard]] const char* driver() const override { return "riscv.sifive.plic"; }
  void reset() override;
  void visit(Visitor& visitor) override;
  void restored() override;
  /// The level of a source's wire. Any thread.
  void set_level(unsigned source, bool is_high);
  /// A wire to the source.
  IrqLine line(unsigned source);
  static std::span<const Register<Plic>> registers();
  void describe(FdtBuilder& fdt) const override;
  InterruptExplainer* explainer() override { return this; }
  void explain(unsigned hart, std::vector<riscv::WiredSource>& sources) override;

 private:
  static constexpr unsigned kWords = kSources / 32 + 1;
  using Bits = std::array<std::uint32_t, kWords>;

  struct Context {
    HartLines* lines;
    unsigned mip_bit;
    Bits enable{};
    std::uint32_t threshold = 0;
    bool is_notified = false;  ///< the level of the wire to the hart
  };
  /// What reset clears, besides the contexts. The levels belong to the devices and stay.
  struct State {
    Bits pending{};
    Bits in_flight{};  ///< the gateway waits for completion
    std::array<std::uint8_t, kSources + 1> priority{};
  };

  std::uint64_t read_priority(Access);
  void write_priority(Access, std::uint64_t);
  std::uint64_t read_pending(Access);
  std::uint64_t read_enable(Access);
  void write_enable(Access, std::uint64_t);
  std::uint64_t read_threshold(Access);
  void write_threshold(Access, std::uint64_t);
  std::uint64_t claim(Access);
  void complete(Access, std::uint64_t);

  /// The context of a register, or null (logged) when there is none.
  Context* context(const char* register_name, unsigned index);
  /// Forwards a request of the source unless one is in flight.
  void gateway(unsigned source);
  /// The pending and enabled source with the highest priority above `floor`; 0: none.
  [[nodiscard]] unsigned best(const Context& context, std::uint32_t floor) const;
  /// What keeps a source that the context enables from the hart; empty: nothing.
  [[nodiscard]] std::string obstacle(unsigned source, const Context& context, unsigned number) const;
  [[nodiscard]] std::string enabled_elsewhere(unsigned source) const;
  /// Tells every hart whose notification changed.
  void notify();

  State state_;
  Bits level_{};  ///< of the wires, as it was told
  std::vector<Context> contexts_;
};

}  // namespace gstage::hw
