// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translate.h"

#include <array>
#include <cstring>

#include "softmmu/base/check.h"
#include "softmmu/base/types.h"
#include "target/riscv/trans/translator.h"

namespace gstage::riscv {
namespace {

/// Long enough for nearly all basic blocks; bounds what one invalidation throws away.
constexpr unsigned kMaxInsns = 64;

using Handler = bool (*)(Translator&, std::uint32_t raw);

constexpr std::array<Handler, kInsnCount> kHandlers{{
#define INSN(name, pattern, format, extension) \
  [](Translator& t, std::uint32_t raw) { return t.name(Args##format::from(raw)); },
#include "target/riscv/decode/insn32.inc"
#undef INSN
}};

}  // namespace

std::uint16_t Translator::halfword(std::uint32_t offset) const {
  const std::byte* page = source_.page;
  if (offset >= source_.end) {
    CHECK(source_.second_page != nullptr);
    page = source_.second_page;
    offset %= kPageSize;
  }
  std::uint16_t value = 0;
  std::memcpy(&value, page + offset, sizeof value);
  return value;
}

void Translator::always_trap(const tcg::Helper& helper, std::initializer_list<Value> values) {
  ir_.call(helper, values);
  ir_.never();
  is_done_ = true;
}

bool Translator::virtual_instruction() {
  always_trap(k_virtual_instruction, {raw_bits()});
  return true;
}

// The translation regime, or what else the dispatcher looks at, may be another one after the instruction.
void Translator::leave() {
  ir_.exit_at(next_);
  is_done_ = true;
}

std::uint32_t Translator::expand(std::uint16_t raw) const {
  const Insn16 insn = decode16(raw);
  if (!config_.zca || insn == Insn16::kIllegal) return 0;
  const Insn16Row& row = kInsns16[static_cast<std::size_t>(insn)];
  return row.is_there(config_) ? row.expand(raw) : 0;
}

void Translator::translate_insn() {
  const bool is_compressed = !is_long(static_cast<std::uint16_t>(raw_));
  if (has_triggers()) ir_.call(k_trigger, {ir_.const_(offset_), ir_.const_(next_ - offset_)});
  bits_ = raw_;
  if (is_compressed) bits_ = expand(static_cast<std::uint16_t>(raw_));
  const Insn insn = decode32(bits_);
  const bool is_legal = insn != Insn::kIllegal && row_of(insn).is_there(config_) &&
                        kHandlers[static_cast<std::size_t>(insn)](*this, bits_);
  if (!is_legal) always_trap(k_illegal, {raw_bits()});
}

void Translator::run() {
  tcg::Unit& unit = ir_.unit();
  unit.flags = source_.flags;
  unit.first_offset = source_.first_offset;
  const unsigned limit = source_.max_insns < kMaxInsns ? source_.max_insns : kMaxInsns;
  next_ = source_.first_offset;
  while (!is_done_) {
    offset_ = next_;
    const bool is_full = unit.guest_insns == limit || offset_ >= std::int64_t{source_.end};
    if (!is_full) raw_ = halfword(static_cast<std::uint32_t>(offset_));
    const bool has_four = !is_full && is_long(static_cast<std::uint16_t>(raw_));
    // An instruction that straddles the end is a block of its own.
    const bool straddles = has_four && offset_ + 4 > std::int64_t{source_.end};
    if (is_full || (straddles && unit.guest_insns != 0)) {
      ir_.jump(offset_);
      break;
    }
    if (has_four) raw_ |= std::uint32_t{halfword(static_cast<std::uint32_t>(offset_ + 2))} << 16;
    next_ = offset_ + (has_four ? 4 : 2);
    ir_.begin_insn(static_cast<std::uint32_t>(offset_), has_four ? 4 : 2, raw_);
    ++unit.guest_insns;
    unit.guest_bytes = static_cast<std::uint32_t>(next_ - source_.first_offset);
    translate_insn();
  }
}

void translate_block(const tcg::BlockSource& source, const CpuConfig& config, tcg::Unit& unit) {
  Translator(source, config, unit).run();
}

}  // namespace gstage::riscv
