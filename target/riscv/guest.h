// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tcg/runtime/guest.h"
#include "target/riscv/extensions.h"

namespace gstage::riscv {

/// RISC-V harts as the translator sees them: one object a machine.
class RiscvGuest final : public tcg::Guest {
 public:
  explicit RiscvGuest(const CpuConfig& config) : config_(config) {}

  [[nodiscard]] tcg::GuestLayout layout() const override;
  [[nodiscard]] std::uint32_t block_flags(const CpuCore& core) const override;
  std::optional<tcg::FetchPage> fetch(CpuCore& core, Vaddr pc) override;
  [[nodiscard]] bool is_long(std::uint16_t first_halfword) const override;
  void translate(const tcg::BlockSource& source, tcg::Unit& unit) override;
  void deliver_trap(CpuCore& core) override;
  bool attend(CpuCore& core) override;
  std::uint64_t load(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) override;
  void store(CpuCore& core, Vaddr vaddr, tcg::MemKind kind, std::uint64_t value) override;
  void* atomic_host(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) override;
  std::uint64_t load_reserved(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) override;
  [[nodiscard]] std::string disassemble(std::uint64_t pc, std::span<const std::byte> bytes) const override;
  [[nodiscard]] std::string describe_mode(const CpuCore& core) const override;
  [[nodiscard]] std::string code_name(const CpuCore& core) const override;

 private:
  const CpuConfig config_;
};

/// "M", "HS", "U", "VS" or "VU" (S and HS are one here: what S-mode is with H).
const char* mode_name(std::uint8_t priv, bool v);

}  // namespace gstage::riscv
