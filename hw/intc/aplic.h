// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hw/core/hart_lines.h"
#include "hw/core/interrupt_explainer.h"
#include "hw/core/irq_line.h"
#include "hw/core/msi_sink.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// How an interrupt domain reaches its harts.
struct AplicSetup {
  const char* name;               ///< for messages
  bool is_machine;                ///< the root domain, at machine level
  unsigned harts;                 ///< hart indices are from 0 to harts − 1
  std::vector<HartLines*> lines;  ///< direct delivery; empty where the harts have IMSICs
  unsigned guest_files;           ///< GEILEN
  MsiSink* msis;                  ///< null: no MSI delivery
};

/// One interrupt domain of an APLIC (AIA, "Advanced Platform-Level Interrupt Controller"), little-endian. The
/// machine-level domain is the root: it delegates sources to its one child, tells it which, where MSIs go,
/// and passes on the wires. Locks are taken from the root to the child.
class AplicDomain final : public RegisterDevice<AplicDomain> {
 public:
  static constexpr const char* kName = "aplic";
  static constexpr unsigned kSources = 96;  ///< numbered 1–96

  /// `child` is null for a leaf; it and the lines outlive the domain.
  AplicDomain(AplicSetup setup, AplicDomain* child);

  /// To the state at power-on.
  void reset();
  /// The level of a source's wire, at the root. Any thread.
  void set_level(unsigned source, bool is_high);
  /// A wire to the source.
  IrqLine line(unsigned source);
  static std::span<const Register<AplicDomain>> registers();

 private:
  friend class Aplic;
  static constexpr unsigned kWords = kSources / 32 + 1;
  using Bits = std::array<std::uint32_t, kWords>;

  /// Interrupt delivery control of a hart.
  struct Delivery {
    bool is_on = false;
    bool is_forced = false;
    std::uint8_t threshold = 0;
    bool is_notified = false;  ///< the level of the wire to the hart
  };
  /// mmsiaddrcfg, mmsiaddrcfgh, smsiaddrcfg, smsiaddrcfgh.
  using MsiAddress = std::array<std::uint32_t, 4>;
  struct State {
    std::uint32_t domaincfg = 0;
    std::uint32_t genmsi = 0;
    std::array<std::uint16_t, kSources + 1> sourcecfg{};
    std::array<std::uint32_t, kSources + 1> target{};
    Bits pending{};
    Bits enabled{};
    MsiAddress address{};
  };

  std::uint64_t read_domaincfg(Access);
  void write_domaincfg(Access, std::uint64_t);
  std::uint64_t read_sourcecfg(Access);
  void write_sourcecfg(Access, std::uint64_t);
  std::uint64_t read_address(Access);
  void write_address(Access, std::uint64_t);
  std::uint64_t read_setip(Access);
  void write_setip(Access, std::uint64_t);
  void write_setipnum(Access, std::uint64_t);
  std::uint64_t read_inputs(Access);
  void write_clrip(Access, std::uint64_t);
  void write_clripnum(Access, std::uint64_t);
  std::uint64_t read_setie(Access);
  void write_setie(Access, std::uint64_t);
  void write_setienum(Access, std::uint64_t);
  std::uint64_t read_zero(Access) { return 0; }
  void write_clrie(Access, std::uint64_t);
  void write_clrienum(Access, std::uint64_t);
  std::uint64_t read_genmsi(Access);
  void write_genmsi(Access, std::uint64_t);
  std::uint64_t read_target(Access);
  void write_target(Access, std::uint64_t);
  std::uint64_t read_idelivery(Access);
  void write_idelivery(Access, std::uint64_t);
  std::uint64_t read_iforce(Access);
  void write_iforce(Access, std::uint64_t);
  std::uint64_t read_ithreshold(Access);
  void write_ithreshold(Access, std::uint64_t);
  std::uint64_t read_topi(Access);
  std::uint64_t claim(Access);

  [[nodiscard]] bool is_msi_mode() const;
  [[nodiscard]] bool is_active(unsigned source) const;
  [[nodiscard]] bool is_level(unsigned source) const;
  /// The wire's level XOR the source's inversion; false for what has no wire.
  [[nodiscard]] bool rectified(unsigned source) const;
  void set_pending(unsigned source, bool is_pending);
  /// Sets and clears as software may ("Precise effects on interrupt-pending bits").
  void ask_pending(unsigned source);
  void ask_not_pending(unsigned source);
  /// Runs a member for each active source whose bit is in the word.
  void for_each(unsigned word, std::uint64_t bits, void (AplicDomain::*action)(unsigned));
  /// Runs it for the source if it is active.
  void apply_to_number(std::uint64_t number, void (AplicDomain::*action)(unsigned));
  void enable(unsigned source);
  void disable(unsigned source);
  /// The parent's part: a wire, and what it delegated.
  void take_level(unsigned source, bool is_high);
  void delegate(unsigned source, bool is_delegated);
  void take_address(const MsiAddress& address);
  /// Forwards or signals what is pending and enabled.
  void deliver();
  void forward();
  void notify();
  void send_msi(std::uint32_t target);
  /// topi of a hart; 0: none.
  [[nodiscard]] std::uint32_t top(unsigned hart) const;
  Delivery* delivery(unsigned hart) { return hart < deliveries_.size() ? &deliveries_[hart] : nullptr; }

  const AplicSetup setup_;
  AplicDomain* const child_;
  State state_;
  Bits level_{};      ///< of the wires, as it was told: its edges are what counts
  Bits delegated_{};  ///< to this domain; the root has all
  std::vector<Delivery> deliveries_;
};

/// What a domain's node says besides its place.
struct AplicNode {
  std::uint32_t msi_parent = 0;  ///< phandle of the IMSICs; 0: direct delivery
  std::uint32_t child = 0;       ///< phandle of the domain that sources are delegated to; 0: a leaf
  unsigned mip_bit = 0;          ///< kMei or kSei
};

/// A domain in its place on a board.
class Aplic final : public SystemDevice, public InterruptExplainer {
 public:
  /// As AplicDomain.
  Aplic(AplicSetup setup, AplicDomain* child, const AplicNode& node)
      : domain_(std::move(setup), child), node_(node) {}

  [[nodiscard]] const char* driver() const override { return "riscv.aplic"; }
  void reset() override { domain_.reset(); }
  void visit(Visitor& visitor) override;
  void restored() override;
  void describe(FdtBuilder& fdt) const override;
  InterruptExplainer* explainer() override { return this; }
  void explain(unsigned hart, std::vector<riscv::WiredSource>& sources) override;
  AplicDomain& domain() { return domain_; }

 private:
  /// What keeps a source of the domain from the hart; empty: nothing.
  [[nodiscard]] std::string obstacle(unsigned source, unsigned hart) const;
  [[nodiscard]] std::string obstacle_before_pending(unsigned source) const;

  AplicDomain domain_;
  const AplicNode node_;
};

}  // namespace gstage::hw
