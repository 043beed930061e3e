// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "softmmu/base/types.h"
#include "softmmu/cpu.h"
#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// How many guest registers are global: they live in host registers as long as generated code runs.
inline constexpr unsigned kGlobalRegisters = 10;

/// Where the guest's registers lie in its hart (byte offsets from CpuCore), and which of them are global.
struct GuestLayout {
  std::uint32_t x_offset;  ///< 32 × 8 bytes; x0 stays zero
  std::uint32_t f_offset;  ///< 32 × 8 bytes
  std::array<std::uint8_t, kGlobalRegisters> global_registers;
};

/// A page of guest code.
struct FetchPage {
  Paddr page;
  const std::byte* host;  ///< its 4096 bytes
  /// 0: all of it may be fetched, and it is in the fetch table. Else it is not: only the bytes from the pc up
  /// to this offset in the page may be fetched, and each entry of a block has to be asked for.
  std::uint16_t limit = 0;
};

/// The guest bytes of one block. It ends at `end` at the latest; only a block whose one instruction straddles
/// that has a second page, in which the instruction's second halfword lies: at its begin where `end` is the
/// page's, else at `end` (and then the two pages are one).
struct BlockSource {
  std::uint32_t first_offset;     ///< in the page
  std::uint32_t flags;            ///< Guest::block_flags
  const std::byte* page;          ///< 4096 bytes
  const std::byte* second_page;   ///< or null
  unsigned max_insns;             ///< at least 1
  std::uint32_t end = kPageSize;  ///< page offset: FetchPage::limit, or the page's end
};

/// What a target gives the translator. One object a machine; the hart is always passed in.
class Guest {
 public:
  virtual ~Guest() = default;

  [[nodiscard]] virtual GuestLayout layout() const = 0;
  /// All that translation depends on besides the bytes (privilege, V, …). Constant between changes of the
  /// regime, that is: two values never share a TlbContext.
  [[nodiscard]] virtual std::uint32_t block_flags(const CpuCore& core) const = 0;
  /// The page that the hart fetches from at `pc`, entered in the fetch table if it has no limit. On failure
  /// raises the trap and returns nothing.
  virtual std::optional<FetchPage> fetch(CpuCore& core, Vaddr pc) = 0;
  /// Whether the instruction that begins with this halfword has 4 bytes (else 2).
  [[nodiscard]] virtual bool is_long(std::uint16_t first_halfword) const = 0;
  /// Decodes a block into an empty unit, ending it with one of the block ends. Must not read the hart.
  virtual void translate(const BlockSource& source, Unit& unit) = 0;
  /// Delivers the pending trap raised at CpuCore::pc: sets pc to the vector, changes the regime, clears
  /// trap_pending.
  virtual void deliver_trap(CpuCore& core) = 0;

  /// CpuCore::attention is not zero, in the dispatcher: does at once what need not be done outside generated
  /// code, with the state exact and the hart at CpuCore::pc, and clears those bits. False: the hart must
  /// leave.
  virtual bool attend(CpuCore&) { return false; }

  /// Slow paths of the inline accesses: TLB miss, page crossing, device, page with code, fault.
  virtual std::uint64_t load(CpuCore& core, Vaddr vaddr, MemKind kind) = 0;
  virtual void store(CpuCore& core, Vaddr vaddr, MemKind kind, std::uint64_t value) = 0;
  /// Host pointer for an atomic; raises misaligned, page and access faults as stores. Never null without a
  /// trap.
  virtual void* atomic_host(CpuCore& core, Vaddr vaddr, MemKind kind) = 0;
  /// lr: as load, but must be aligned.
  virtual std::uint64_t load_reserved(CpuCore& core, Vaddr vaddr, MemKind kind) = 0;

  /// Disassembles guest bytes for `-d in_asm`, one line an instruction.
  [[nodiscard]] virtual std::string disassemble(std::uint64_t pc, std::span<const std::byte> bytes) const = 0;
  /// For `-d exec`: what runs at CpuCore::pc, and lines of registers (`-d cpu`). Empty: it is filtered.
  [[nodiscard]] virtual std::string describe_mode(const CpuCore& core) const = 0;
  /// What profilers call the code at CpuCore::pc: one line.
  [[nodiscard]] virtual std::string code_name(const CpuCore& core) const { return describe_mode(core); }
};

}  // namespace gstage::tcg
