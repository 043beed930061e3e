// SPDX-License-Identifier: Apache-2.0
// A walk and the ranges of page tables, for reading.
#include "softmmu/base/format.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/inspect/fields.h"
#include "target/riscv/inspect/walk.h"
#include "target/riscv/mmu/pte.h"

namespace gstage::riscv {

namespace {

unsigned long long wide(std::uint64_t value) { return value; }

const char* access_name(AccessType access) {
  return access == AccessType::kLoad ? "load" : access == AccessType::kStore ? "store" : "fetch";
}

/// "4 KiB", "2 MiB", "1 GiB".
std::string size_text(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"", " KiB", " MiB", " GiB", " TiB"};
  unsigned unit = 0;
  for (; bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits); bytes /= 1024) ++unit;
  return format("%llu%s", wide(bytes), kUnits[unit]);
}

const char* root_name(const StageWalk& way, bool v) {
  return way.is_guest_stage ? "hgatp" : v ? "vsatp" : "satp";
}

std::string pmp_text(const PmpReason& pmp) {
  std::string text;
  if ((pmp.allowed & allows(AccessType::kLoad)) != 0) text += 'r';
  if ((pmp.allowed & allows(AccessType::kStore)) != 0) text += 'w';
  if ((pmp.allowed & allows(AccessType::kFetch)) != 0) text += 'x';
  if (text.empty()) text = "nothing";
  const std::string who = pmp.entry < 0 ? "no PMP entry" : format("PMP entry %d", pmp.entry);
  return who + ": " + text;
}

void add_stage(std::string& text, const StageWalk& way, bool v, unsigned indent);

void add_step(std::string& text, const WalkStep& step, bool v, unsigned indent) {
  for (const StageWalk& guest : step.guest_walks) add_stage(text, guest, v, indent + 2);
  const std::string margin(indent, ' ');
  text += format("%slevel %u: entry at 0x%llx", margin.c_str(), step.level, wide(step.entry_address));
  if (step.entry_paddr != step.entry_address) text += format(" = physical 0x%llx", wide(step.entry_paddr));
  if (!step.is_read) {
    text += "\n";
    return;
  }
  text += format(" is 0x%llx: %s (%s)\n", wide(step.entry), spell_fields(pte_fields(), step.entry).c_str(),
                 pmp_text(step.pmp).c_str());
  if (step.updated != step.entry)
    text += format("%s  the access sets %s\n", margin.c_str(),
                   spell_fields(pte_fields(), step.updated & ~step.entry).c_str());
}

void add_stage(std::string& text, const StageWalk& way, bool v, unsigned indent) {
  const std::string margin(indent, ' ');
  text += format("%s%s %s, root 0x%llx: %s of 0x%llx%s\n", margin.c_str(), root_name(way, v),
                 mode_text(way.atp, way.is_guest_stage).c_str(), wide(atp::Ppn::get(way.atp) << kPageShift),
                 access_name(way.access), wide(way.address),
                 way.is_for_entry ? ", where an entry of the VS-stage is" : "");
  for (const WalkStep& step : way.steps) add_step(text, step, v, indent + 2);
  if (way.fault == FaultKind::kNone)
    text += format("%s-> 0x%llx (page of %s)\n", margin.c_str(), wide(way.output),
                   size_text(std::uint64_t{1} << way.shift).c_str());
  else
    text += format("%s-> fault: %s\n", margin.c_str(), way.why.c_str());
}

std::string fault_text(const Walk& walk) {
  const char* const access = walk.access == AccessType::kLoad    ? "load"
                             : walk.access == AccessType::kStore ? "store/AMO"
                                                                 : "instruction";
  if (walk.fault == FaultKind::kPage) return format("%s page fault", access);
  if (walk.fault == FaultKind::kAccess) return format("%s access fault", access);
  const char* const when = !walk.is_implicit        ? ""
                           : walk.is_implicit_write ? ", as the walk of vsatp sets A or D"
                                                    : ", as the walk of vsatp reads an entry";
  return format("%s guest-page fault at guest physical 0x%llx%s", access, wide(walk.gpa), when);
}

}  // namespace

std::string mode_text(std::uint64_t atp, bool is_guest_stage) {
  constexpr unsigned kSatp = 0x180;
  constexpr unsigned kHgatp = 0x680;
  for (const FieldInfo& field : csr_fields(is_guest_stage ? kHgatp : kSatp)) {
    if (field.name != "MODE") continue;
    const char* const name = field.value_name(field.get(atp));
    if (name != nullptr) return name;
  }
  return "reserved mode";
}

std::string regime_text(const Regime& regime) {
  static constexpr const char* kModes[2][4] = {{"U", "S", "?", "M"}, {"VU", "VS", "?", "?"}};
  std::string text = kModes[regime.v() ? 1 : 0][regime.priv()];
  if (regime.v()) text += format(", vmid %llu", wide(atp::Vmid::get(regime.hgatp)));
  if (levels_of(regime.satp) != 0) text += format(", asid %llu", wide(atp::Asid::get(regime.satp)));
  const struct {
    std::uint64_t flag;
    const char* name;
  } kFlags[] = {
      {Regime::kSum, "SUM"},      {Regime::kMxr, "MXR"},   {Regime::kVsMxr, "vsstatus.MXR"},
      {Regime::kExecute, "HLVX"}, {Regime::kAdue, "ADUE"}, {Regime::kGAdue, "menvcfg.ADUE"},
  };
  for (const auto& row : kFlags)
    if (regime.has(row.flag)) text += std::string(", ") + row.name;
  return text;
}

std::string describe_walk(const Walk& walk) {
  std::string text = format("%s of %u byte%s at 0x%llx as %s\n", access_name(walk.access), walk.size,
                            walk.size == 1 ? "" : "s", wide(walk.address), regime_text(walk.regime).c_str());
  for (const StageWalk& way : walk.stages) add_stage(text, way, walk.regime.v(), 0);
  if (walk.has_pmp) text += format("physical 0x%llx: %s\n", wide(walk.paddr), pmp_text(walk.pmp).c_str());
  if (walk.ok()) return text + format("result: physical 0x%llx\n", wide(walk.paddr));
  return text + "result: " + fault_text(walk) + ": " + walk.why + "\n";
}

std::string describe_ranges(const std::vector<MappedRange>& ranges) {
  std::string text = "address            size             leads to           permissions\n";
  for (const MappedRange& range : ranges) {
    static constexpr char kLetters[] = "vrwxugad";
    std::string flags;
    for (unsigned bit = 1; bit < 8; ++bit) flags += (range.flags >> bit & 1) != 0 ? kLetters[bit] : '-';
    const char* const kTypes[] = {"", " NC", " IO", ""};
    text +=
        format("0x%016llx 0x%-14llx 0x%016llx %s%s\n", wide(range.first), wide(range.last - range.first + 1),
               wide(range.output), flags.c_str(), kTypes[pte::Pbmt::get(range.flags)]);
  }
  return text;
}

}  // namespace gstage::riscv
