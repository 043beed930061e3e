// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/inspect/memory.h"

#include <algorithm>
#include <cstring>

#include "softmmu/option_values.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/inspect/walk.h"

namespace gstage::riscv {

namespace {

struct Name {
  const char* text;
  WorldKind kind;
};
constexpr Name kNames[] = {{"current", WorldKind::kCurrent},
                           {"host", WorldKind::kHost},
                           {"gva", WorldKind::kGuestVirtual},
                           {"gpa", WorldKind::kGuestPhysical},
                           {"phys", WorldKind::kPhysical}};

/// Calls `visit(paddr, done, bytes)` for the parts of a range that lie in one page each; how much was done.
template <class Visit>
std::size_t for_pages(const MemoryAccess& access, std::uint64_t address, std::size_t size, Visit&& visit) {
  std::size_t done = 0;
  while (done < size) {
    const std::uint64_t at = address + done;
    const std::size_t bytes = std::min<std::uint64_t>(size - done, kPageSize - (at & kPageMask));
    const auto paddr = look_through(access.hart, access.regime, Vaddr{at});
    if (!paddr || !visit(Paddr{*paddr}, done, bytes)) break;
    done += bytes;
  }
  return done;
}

/// The largest access that is aligned and no longer than what is left.
unsigned device_step(Paddr paddr, std::size_t left) {
  unsigned size = 8;
  while (size > left || paddr.value % size != 0) size /= 2;
  return size;
}

bool read_device(const AddressSpace& memory, Paddr paddr, std::span<std::byte> to) {
  for (std::size_t done = 0; done < to.size();) {
    const unsigned size = device_step(paddr + done, to.size() - done);
    std::uint64_t value = 0;
    if (!memory.load(paddr + done, size, value)) return false;
    std::memcpy(to.data() + done, &value, size);
    done += size;
  }
  return true;
}

bool write_device(AddressSpace& memory, Paddr paddr, std::span<const std::byte> from) {
  for (std::size_t done = 0; done < from.size();) {
    const unsigned size = device_step(paddr + done, from.size() - done);
    std::uint64_t value = 0;
    std::memcpy(&value, from.data() + done, size);
    if (!memory.store(paddr + done, size, value)) return false;
    done += size;
  }
  return true;
}

}  // namespace

Result<World> parse_world(const std::string& text) {
  constexpr std::uint64_t kMostVmid = (1u << 14) - 1;
  for (const Name& name : kNames)
    if (text == name.text) return World{name.kind, 0};
  auto vmid = parse_number("world", text, 0, kMostVmid);
  if (!vmid)
    return error("there is no world '%s': use current, host, gva, gpa, phys or a VMID", text.c_str());
  return World{WorldKind::kVmid, static_cast<unsigned>(*vmid)};
}

std::string world_text(const World& world) {
  for (const Name& name : kNames)
    if (name.kind == world.kind) return name.text;
  return "vmid " + std::to_string(world.vmid);
}

Result<Regime> regime_of(Hart& hart, const World& world, std::span<Hart* const> harts) {
  if (world.kind == WorldKind::kPhysical) return Regime{0, 0, kMachine};
  if (world.kind != WorldKind::kVmid) return world_regime(hart, world_text(world), AccessType::kFetch);
  const auto has_guest = [&world](const Hart& other) {
    return atp::Mode::get(other.hgatp) != 0 && atp::Vmid::get(other.hgatp) == world.vmid;
  };
  // While the hypervisor handles an exit, the guest's registers are still there; while it prepares the
  // guest's entry, not yet.
  if (has_guest(hart)) return world_regime(hart, "gva", AccessType::kFetch);
  for (Hart* const other : harts)
    if (other->v != 0 && has_guest(*other)) return world_regime(*other, "gva", AccessType::kFetch);
  for (Hart* const other : harts)
    if (has_guest(*other)) return world_regime(*other, "gva", AccessType::kFetch);
  for (Hart* const other : harts)
    if (auto regime = world_regime(*other, std::to_string(world.vmid), AccessType::kFetch); regime.ok())
      return regime;
  return error("no hart runs the guest of VMID %u or ran it lately: choose gva, or stop while it runs",
               world.vmid);
}

std::size_t read_memory(const MemoryAccess& access, std::uint64_t address, std::span<std::byte> to) {
  const AddressSpace& memory = *access.hart.memory;
  return for_pages(access, address, to.size(), [&](Paddr paddr, std::size_t done, std::size_t bytes) {
    return memory.read(paddr, to.data() + done, bytes) ||
           (access.has_devices && read_device(memory, paddr, to.subspan(done, bytes)));
  });
}

std::size_t write_memory(const MemoryAccess& access, std::uint64_t address, std::span<const std::byte> from) {
  AddressSpace& memory = *access.hart.memory;
  return for_pages(access, address, from.size(), [&](Paddr paddr, std::size_t done, std::size_t bytes) {
    return memory.write(paddr, from.data() + done, bytes) ||
           memory.write_image(paddr, from.data() + done, bytes) ||
           (access.has_devices && write_device(memory, paddr, from.subspan(done, bytes)));
  });
}

}  // namespace gstage::riscv
