// SPDX-License-Identifier: Apache-2.0
// What the fence sanitizer tells the user.
#include "softmmu/base/format.h"
#include "target/riscv/guest.h"
#include "target/riscv/hart.h"
#include "target/riscv/sanitize/fences.h"

namespace gstage::riscv {

namespace {

using ull = unsigned long long;

const char* access_verb(AccessType access) {
  switch (access) {
    case AccessType::kLoad: return "load from";
    case AccessType::kStore: return "store to";
    case AccessType::kFetch: return "fetch from";
  }
  return "access to";
}

const char* stage_name(TableKind kind) {
  switch (kind) {
    case TableKind::kHs: return "page-table";
    case TableKind::kVs: return "VS-stage";
    case TableKind::kGuest: return "G-stage";
  }
  return "";
}

std::string describe_entry(std::uint64_t entry) {
  std::string text = format("0x%016llx", static_cast<ull>(entry));
  if ((entry & pte::V::kMask) == 0) return text + " (not valid)";
  const ull place = pte::Ppn::get(entry) << 12;
  if (!pte::is_leaf(entry)) return text + format(" (table at 0x%llx)", place);
  std::string rights;
  constexpr std::pair<std::uint64_t, char> kRights[] = {
      {pte::R::kMask, 'r'}, {pte::W::kMask, 'w'}, {pte::X::kMask, 'x'}, {pte::U::kMask, 'u'}};
  for (const auto& [mask, letter] : kRights) rights += (entry & mask) != 0 ? letter : '-';
  return text + format(" (page 0x%llx, %s)", place, rights.c_str());
}

std::string describe_writer(const FenceFinding& finding) {
  if (finding.held_slot != finding.step.slot.value)
    return format(
        "  what it held came from another table, at 0x%llx: the identifier or the root was used again\n",
        static_cast<ull>(finding.held_slot));
  return "  stored by " + describe(finding.writer) + "\n";
}

/// The operand that names the address, or x0 where single addresses are not enough: leaves alone can be
/// named.
std::string address_operand(const FenceFinding& finding) {
  const bool is_leaf = (finding.held & pte::V::kMask) == 0 || pte::is_leaf(finding.held);
  if (!is_leaf || finding.held_slot != finding.step.slot.value) return "x0";
  const std::uint64_t address = finding.step.address & ~std::uint64_t{0xfff};
  return format("0x%llx",
                static_cast<ull>(finding.step.key.kind == TableKind::kGuest ? address >> 2 : address));
}

}  // namespace

std::string missing_fence(const FenceFinding& finding) {
  const std::string address = address_operand(finding);
  const bool is_global = finding.step.is_global || pte::G::get(finding.held) != 0;
  const std::string asid = is_global ? "x0" : format("%u", static_cast<unsigned>(finding.use.asid));
  const auto vmid = static_cast<unsigned>(finding.use.vmid);
  const std::string operands = " " + address + ", " + asid;
  std::string text;
  switch (finding.step.key.kind) {
    case TableKind::kHs: text = "sfence.vma" + operands; break;
    case TableKind::kVs:
      text = format("sfence.vma%s in VS-mode, or hfence.vvma%s with hgatp.VMID=%u", operands.c_str(),
                    operands.c_str(), vmid);
      break;
    case TableKind::kGuest:
      text = format("hfence.gvma %s, %u", address.c_str(), vmid);
      if (address != "x0") text += " (rs1: guest physical address >> 2)";
      break;
  }
  using Sinval = FenceFinding::Sinval;
  if (finding.sinval == Sinval::kNoBefore) text = "sfence.w.inval before the sinval, or " + text;
  if (finding.sinval == Sinval::kNoAfter) text = "sfence.inval.ir after the sinval, or " + text;
  return text;
}

std::string describe(const FenceFinding& finding) {
  const Hart& hart = *finding.hart;
  const ull id = hart.hartid;
  std::string space;
  if (finding.use.is_virtual) space = format(", VMID %u", static_cast<unsigned>(finding.use.vmid));
  space += format(", ASID %u", static_cast<unsigned>(finding.use.asid));
  std::string text = format("sanitize: fences: hart %llu in %s-mode%s, pc 0x%llx: %s 0x%llx\n", id,
                            mode_name(hart.priv, hart.v != 0), space.c_str(), static_cast<ull>(hart.core.pc),
                            access_verb(finding.use.access), static_cast<ull>(finding.use.vaddr));
  text += format(
      "  relies on a change of the %s entry at 0x%llx (level %u, for 0x%llx) that no fence has ordered\n",
      stage_name(finding.step.key.kind), static_cast<ull>(finding.step.slot.value), finding.step.key.level,
      static_cast<ull>(finding.step.address));
  text += "  the hart may hold " + describe_entry(finding.held) + "\n";
  text += "  memory says          " + describe_entry(finding.now) + "\n";
  text += describe_writer(finding);
  return text + format("  missing on hart %llu: %s\n", id, missing_fence(finding).c_str());
}

}  // namespace gstage::riscv
