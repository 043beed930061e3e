// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/sanitize/icache.h"

#include <algorithm>
#include <cstring>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "target/riscv/guest.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {

namespace {

using ull = unsigned long long;

std::uint16_t halfword_at(const std::byte* page, std::uint64_t offset) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, page + offset, sizeof bits);
  return bits;
}

/// Whether what follows is reached in another way, or only after a fence.
bool ends_block(std::uint16_t first) {
  constexpr unsigned kBranch = 0x63, kJalr = 0x67, kJal = 0x6f, kSystem = 0x73, kMiscMem = 0x0f;
  const unsigned opcode = first & 0x7f;
  if ((first & 3) == 3)
    return opcode == kBranch || opcode == kJalr || opcode == kJal || opcode == kSystem || opcode == kMiscMem;
  const unsigned quadrant = first & 3, funct3 = first >> 13;
  if (quadrant == 1) return funct3 >= 5;                            // c.j, c.beqz, c.bnez
  return quadrant == 2 && funct3 == 4 && (first >> 2 & 0x1f) == 0;  // c.jr, c.jalr, c.ebreak
}

/// Bytes of the page from the offset on that are executed for sure, as far as traps allow.
std::uint64_t straight_bytes(const std::byte* page, std::uint64_t offset) {
  constexpr unsigned kMost = 64;
  std::uint64_t at = offset;
  for (unsigned count = 0; count < kMost && at + 2 <= kPageSize; ++count) {
    const std::uint16_t first = halfword_at(page, at);
    at += (first & 3) == 3 ? 4 : 2;
    if (ends_block(first)) break;
  }
  return std::min<std::uint64_t>(at, kPageSize) - offset;
}

std::string describe_finding(const Hart& hart, Vaddr pc, Paddr paddr, const char* how, const Writer& writer) {
  const ull id = hart.hartid;
  std::string text =
      format("sanitize: icache: hart %llu in %s-mode, pc 0x%llx (physical 0x%llx): ", id,
             mode_name(hart.priv, hart.v != 0), static_cast<ull>(pc.value), static_cast<ull>(paddr.value));
  text += "executes bytes that were stored since its last fence.i\n";
  text += format("  %s %s\n", how, describe(writer).c_str());
  return text + format("  missing on hart %llu: fence.i\n", id);
}

}  // namespace

void IcacheSanitizer::add_hart(Hart& hart) {
  auto state = std::make_unique<HartState>();
  state->hart = &hart;
  states_.push_back(std::move(state));
  hart.mmu->tlb.keep_small();
}

void IcacheSanitizer::check_tlb(Hart& hart) {
  HartState& state = *states_[hart.hartid];
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint32_t epoch = state.epoch.load(std::memory_order_seq_cst);
  if (epoch == state.seen) return;
  state.seen = epoch;
  hart.mmu->tlb.for_each([](TlbContext& context) { context.clear(); });
}

void IcacheSanitizer::empty_tlbs() {
  for (auto& state : states_) {
    state->epoch.fetch_add(1, std::memory_order_seq_cst);
    state->hart->mmu->tlb.forget_all();
  }
}

/// Copies that every hart has fenced after are of no more use.
void IcacheSanitizer::prune() {
  std::uint64_t oldest = now_;
  for (const auto& state : states_) oldest = std::min(oldest, state->fenced);
  records_ = 0;
  for (auto page = pages_.begin(); page != pages_.end();) {
    std::erase_if(page->second, [&](const Record& record) { return record.stamp <= oldest; });
    records_ += page->second.size();
    page = page->second.empty() ? pages_.erase(page) : std::next(page);
  }
}

bool IcacheSanitizer::before_store(Paddr paddr, unsigned size) {
  const std::byte* const host = memory_.host(paddr.page());
  if (host == nullptr) return true;
  const std::lock_guard lock(mutex_);
  const bool has_code = fetched_.contains(paddr.page().value);
  std::vector<Record>& records = pages_[paddr.page().value];
  if (records.empty() || records.back().stamp != now_) {
    if (records_ >= kMostRecords) return true;
    auto copy = std::make_unique<Copy>();
    std::memcpy(copy->data(), host, kPageSize);
    records.push_back({now_, present_writer(), {}, std::move(copy), {}});
    ++records_;
    if (has_code) empty_tlbs();
  }
  records.back().last = std::chrono::steady_clock::now();
  if (!has_code) return true;
  const auto first = static_cast<unsigned>(paddr.page_offset());
  for (unsigned word = first / 8; word <= (first + size - 1) / 8; ++word)
    records.back().writers[word] = present_writer();
  return false;
}

/// Who changes code that others run has them fence after it.
bool IcacheSanitizer::is_in_grace(const Hart& hart, const Record& record, const Writer& writer) const {
  const bool is_own = writer.kind == Writer::Kind::kHart && writer.hart == hart.hartid;
  return !is_own && std::chrono::steady_clock::now() - record.last < grace_;
}

void IcacheSanitizer::fence(Hart& hart) {
  const std::lock_guard lock(mutex_);
  states_[hart.hartid]->fenced = now_;
  ++now_;
  prune();
  empty_tlbs();
}

bool IcacheSanitizer::fetch(Hart& hart, Vaddr pc, Paddr paddr, const std::byte* host) {
  const std::lock_guard lock(mutex_);
  const HartState& state = *states_[hart.hartid];
  const bool is_new = fetched_.insert(paddr.page().value).second;
  const auto page = pages_.find(paddr.page().value);
  if (page == pages_.end()) return true;
  // From now on each store to it is to be seen.
  if (is_new) empty_tlbs();
  bool is_clean = true;
  for (const Record& record : page->second) {
    if (record.stamp <= state.fenced) continue;
    is_clean = false;
    const std::uint64_t offset = pc.page_offset();
    const std::byte* const end = host + offset + straight_bytes(host, offset);
    const std::byte* const changed = std::mismatch(host + offset, end, record.before->data() + offset).first;
    if (changed == end) continue;
    const auto known = record.writers.find(static_cast<unsigned>(changed - host) / 8);
    const bool is_known = known != record.writers.end();
    const Writer& writer = is_known ? known->second : record.first;
    if (is_in_grace(hart, record, writer)) continue;
    const std::string missing =
        format("%llu %llu", static_cast<ull>(hart.hartid), static_cast<ull>(state.fenced));
    if (!reported_.insert(missing).second) break;
    ++findings_;
    log_text(Log::kSanitize,
             describe_finding(hart, pc, paddr, is_known ? "stored by" : "the page was first stored to by",
                              writer));
    break;
  }
  return is_clean;
}

std::uint64_t IcacheSanitizer::findings() const {
  const std::lock_guard lock(mutex_);
  return findings_;
}

std::string IcacheSanitizer::summary() const {
  return format("sanitize: icache: %llu findings\n", static_cast<ull>(findings()));
}

}  // namespace gstage::riscv
