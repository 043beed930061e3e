// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "softmmu/base/result.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/regime.h"

namespace gstage::riscv {

/// Whose addresses a debugger means.
enum class WorldKind : std::uint8_t {
  kCurrent,        ///< of the mode that the hart is in, as it fetches
  kHost,           ///< virtual ones of V=0: by satp
  kVmid,           ///< virtual ones of a VMID's guest, wherever it runs or ran lately
  kGuestVirtual,   ///< virtual ones of V=1: by the hart's vsatp and hgatp, whatever mode it is in
  kGuestPhysical,  ///< by the hart's hgatp
  kPhysical
};
struct World {
  WorldKind kind = WorldKind::kCurrent;
  unsigned vmid = 0;  ///< of kVmid
  bool operator==(const World&) const = default;
};
/// "current", "host", "gva", "gpa", "phys" or a VMID; an Error says what there is.
Result<World> parse_world(const std::string& text);
/// The reverse: "vmid 3".
std::string world_text(const World& world);

/// The regime of a world as `hart` has it (world_regime). Of kVmid: as `hart` has it if its hgatp names the
/// guest, else as the first of `harts` that is in the guest, that has its hgatp, or that ran it last, as long
/// as its TLB remembers. An Error: none of them does.
Result<Regime> regime_of(Hart& hart, const World& world, std::span<Hart* const> harts);

/// Memory as a debugger sees it.
struct MemoryAccess {
  Hart& hart;
  Regime regime;  ///< whose page tables lead there; permissions, A, D and PMP are no obstacle (look_through)
  bool has_devices = false;  ///< devices are read and written, too, with all that they do then
};
/// Reads from `address` on until something cannot be read: how many bytes there are.
std::size_t read_memory(const MemoryAccess& access, std::uint64_t address, std::span<std::byte> to);
/// Writes, ROM as well; what was translated of it is dropped. Likewise.
std::size_t write_memory(const MemoryAccess& access, std::uint64_t address, std::span<const std::byte> from);
// All of it while the harts do not run.

}  // namespace gstage::riscv
