// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/semihosting/memory.h"

#include <algorithm>

#include "target/riscv/hart.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {

namespace {

/// Longer names are no names.
constexpr std::uint64_t kMostText = 4096;

/// Calls `visit(paddr, done, bytes)` for the parts of the range that lie in one page each, until it or the
/// translation fails.
template <class Visit>
bool for_pages(Hart& hart, Vaddr vaddr, std::uint64_t size, AccessType access, Visit&& visit) {
  const Regime& regime = hart.mmu->data;
  std::uint64_t done = 0;
  while (done < size) {
    const Vaddr at = regime.unmasked(vaddr + done);
    const std::uint64_t bytes = std::min(size - done, kPageSize - at.page_offset());
    const Translation t = translate(hart, regime, at, static_cast<unsigned>(bytes), access);
    if (!t.ok() || !visit(t.paddr, done, bytes)) return false;
    done += bytes;
  }
  return true;
}

}  // namespace

bool CallerMemory::read(Vaddr from, std::span<std::byte> to) {
  return for_pages(hart_, from, to.size(), AccessType::kLoad,
                   [&](Paddr paddr, std::uint64_t done, std::uint64_t bytes) {
                     return hart_.memory->read(paddr, to.data() + done, bytes);
                   });
}

bool CallerMemory::write(Vaddr to, std::span<const std::byte> from) {
  return for_pages(hart_, to, from.size(), AccessType::kStore,
                   [&](Paddr paddr, std::uint64_t done, std::uint64_t bytes) {
                     return hart_.memory->write(paddr, from.data() + done, bytes);
                   });
}

std::optional<std::uint64_t> CallerMemory::read_word(Vaddr from) {
  std::uint64_t value = 0;
  if (!read(from, std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
  return value;
}

bool CallerMemory::write_word(Vaddr to, std::uint64_t value) {
  return write(to, std::as_bytes(std::span(&value, 1)));
}

std::optional<std::string> CallerMemory::read_text(Vaddr from, std::uint64_t size) {
  if (size > kMostText) return std::nullopt;
  std::string text(size, '\0');
  if (!read(from, std::as_writable_bytes(std::span(text)))) return std::nullopt;
  return text.substr(0, text.find('\0'));
}

std::optional<std::uint32_t> CallerMemory::fetch(Vaddr pc) {
  std::uint32_t bits = 0;
  for (unsigned half = 0; half < 2; ++half) {
    const Translation t = translate(hart_, hart_.mmu->fetch, pc + 2 * half, 2, AccessType::kFetch);
    std::uint16_t bits16 = 0;
    if (!t.ok() || !hart_.memory->read(t.paddr, &bits16, sizeof bits16)) return std::nullopt;
    bits |= static_cast<std::uint32_t>(bits16) << (16 * half);
  }
  return bits;
}

}  // namespace gstage::riscv
