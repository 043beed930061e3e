// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/aia/interrupt_file.h"

#include <bit>

#include "target/riscv/cpu.h"

namespace gstage::riscv {

namespace {

// Indirect registers (AIA, "Indirectly accessed interrupt-file registers").
constexpr unsigned kEidelivery = 0x70;
constexpr unsigned kEithreshold = 0x72;
constexpr unsigned kEip0 = 0x80;
constexpr unsigned kEie0 = 0xc0;

/// A 64-bit register has two numbers.
constexpr unsigned word_of(unsigned select, unsigned first) { return (select - first) / 2; }

void write_bits(std::atomic<std::uint64_t>& word, std::uint64_t value, std::uint64_t mask) {
  // Bits that are not named may change meanwhile: an MSI sets them.
  if ((mask & ~value) != 0) word.fetch_and(~(mask & ~value));
  if ((mask & value) != 0) word.fetch_or(mask & value);
}

}  // namespace

void InterruptFile::connect(std::atomic<std::uint64_t>& word, unsigned bit, RiscvCpu& cpu) {
  hint_word_ = &word;
  hint_bit_ = std::uint64_t{1} << bit;
  cpu_ = &cpu;
}

void InterruptFile::reset() {
  for (unsigned word = 0; word < kMaxWords; ++word) {
    pending_[word] = 0;
    enabled_[word] = 0;
  }
  delivery_ = 0;
  threshold_ = 0;
  if (hint_word_ != nullptr) hint_word_->fetch_and(~hint_bit_);
}

void InterruptFile::receive(std::uint32_t identity) {
  if (identity == 0 || identity > identities_) return;
  const unsigned word = identity / 64;
  const std::uint64_t bit = std::uint64_t{1} << (identity % 64);
  // If it was pending, who made it so sees to the rest.
  if ((pending_[word].fetch_or(bit) & bit) != 0) return;
  const std::uint32_t threshold = threshold_.load();
  if ((enabled_[word].load() & bit) == 0 || delivery_.load() != 1) return;
  if (threshold != 0 && identity >= threshold) return;
  hint_word_->fetch_or(hint_bit_);
  cpu_->kick(kAttendInterrupt);
}

unsigned InterruptFile::top() const {
  const std::uint32_t threshold = threshold_.load();
  for (unsigned word = 0; word < words(); ++word) {
    const std::uint64_t ready = pending_[word].load() & enabled_[word].load();
    if (ready == 0) continue;
    const unsigned identity = word * 64 + static_cast<unsigned>(std::countr_zero(ready));
    return threshold == 0 || identity < threshold ? identity : 0;
  }
  return 0;
}

void InterruptFile::claim(unsigned identity) {
  if (identity != 0) pending_[identity / 64].fetch_and(~(std::uint64_t{1} << (identity % 64)));
  if (!is_signalling()) settle();
}

void InterruptFile::settle() {
  hint_word_->fetch_and(~hint_bit_);
  if (is_signalling()) hint_word_->fetch_or(hint_bit_);
}

std::uint64_t InterruptFile::read(unsigned select) const {
  if (select >= kEie0) return enabled_[word_of(select, kEie0)].load();
  if (select >= kEip0) return pending_[word_of(select, kEip0)].load();
  if (select == kEidelivery) return delivery_.load();
  return select == kEithreshold ? threshold_.load() : 0;
}

void InterruptFile::write(unsigned select, std::uint64_t value, std::uint64_t mask) {
  if (select >= kEie0) {
    const unsigned word = word_of(select, kEie0);
    write_bits(enabled_[word], value, mask & existing(word));
  } else if (select >= kEip0) {
    const unsigned word = word_of(select, kEip0);
    write_bits(pending_[word], value, mask & existing(word));
  } else if (select == kEidelivery) {
    // WARL: 0 and 1. Delivery from an APLIC (0x40000000) is optional and not there.
    if (value <= 1) delivery_ = static_cast<std::uint32_t>(value);
  } else if (select == kEithreshold) {
    // WLRL: up to the largest identity.
    if (value <= identities_) threshold_ = static_cast<std::uint32_t>(value);
  }
  settle();
}

}  // namespace gstage::riscv
