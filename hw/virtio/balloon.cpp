// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/balloon.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "softmmu/base/log.h"
#include "hw/core/visitor.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kStatsFeature = 1 << 1;
constexpr std::uint64_t kDeflateOnOom = 1 << 2;
constexpr std::uint64_t kPagePoison = 1 << 4;
constexpr std::uint64_t kPageReporting = 1 << 5;
constexpr std::uint16_t kQueueSize = 128;
/// Pages of one buffer that are looked at together.
constexpr std::size_t kMaxPages = 4096;

/// By tag (Virtio 1.3, 5.5.6.3).
constexpr const char* kStatisticNames[] = {
    "stat-swap-in",      "stat-swap-out",     "stat-major-faults",     "stat-minor-faults",
    "stat-free-memory",  "stat-total-memory", "stat-available-memory", "stat-disk-caches",
    "stat-htlb-pgalloc", "stat-htlb-pgfail",  "stat-oom-kills",        "stat-alloc-stalls",
    "stat-scan-asyncs",  "stat-scan-directs", "stat-reclaim-asyncs",   "stat-reclaim-directs",
};

std::uint64_t largest_memory(const AddressSpace& memory) {
  std::uint64_t bytes = 0;
  for (const BusRange& range : memory.ranges())
    if (range.is_memory()) bytes = std::max(bytes, range.size);
  return bytes;
}

}  // namespace

VirtioBalloon::VirtioBalloon(const AddressSpace& memory, const BalloonOptions& options)
    : options_(options), memory_bytes_(largest_memory(memory)), chains_(kReporting + 1) {
  static_assert(std::size(kStatisticNames) == kStatistics);
}

std::uint64_t VirtioBalloon::features() const {
  return kStatsFeature | (options_.can_deflate_on_oom ? kDeflateOnOom : 0) |
         (options_.has_page_poison ? kPagePoison : 0) | (options_.has_page_reporting ? kPageReporting : 0);
}

/// Queues are numbered without gaps, as drivers count them: with no queue for hints, reports are the fourth.
std::uint16_t VirtioBalloon::max_queue_size(unsigned index) const {
  return index < (options_.has_page_reporting ? kReporting + 1u : unsigned{kReporting}) ? kQueueSize : 0;
}

void VirtioBalloon::read_config(std::uint32_t offset, std::span<std::uint8_t> to) {
  read_config_struct(Config{target_pages_, actual_pages_, 0, poison_}, offset, to);
}

void VirtioBalloon::write_config(std::uint32_t offset, std::span<const std::uint8_t> from) {
  std::uint32_t value = 0;
  if (from.size() == sizeof value) std::memcpy(&value, from.data(), sizeof value);
  if (from.size() == sizeof value && offset == offsetof(Config, actual)) {
    actual_pages_ = value;
  } else if (from.size() == sizeof value && offset == offsetof(Config, poison_val)) {
    poison_ = value;
  } else {
    log_line(Log::kGuestErrors, "virtio-balloon: configuration byte %u cannot be written", offset);
  }
}

bool VirtioBalloon::has(std::uint64_t feature) { return (core().features() & feature) != 0; }

void VirtioBalloon::set_target(std::uint64_t bytes) {
  const std::uint64_t left = std::min(bytes, memory_bytes_);
  target_pages_ = static_cast<std::uint32_t>((memory_bytes_ - left) / kPageBytes);
  core().notify_config();
}

std::uint64_t VirtioBalloon::guest_bytes() const {
  return memory_bytes_ - std::min(memory_bytes_, actual_pages_ * kPageBytes);
}

void VirtioBalloon::reset() {
  actual_pages_ = 0;
  poison_ = 0;
  const std::lock_guard lock(mutex_);
  known_statistics_ = 0;
  has_buffer_ = false;
  is_asked_ = false;
}

Served VirtioBalloon::serve(unsigned index) {
  // Without statistics the queue behind them moves up.
  const bool is_shifted = index >= kStats && !has(kStatsFeature);
  const auto role = static_cast<Queue>(index + (is_shifted ? 1 : 0));
  if (role == kStats) return serve_statistics(index);
  Chain& chain = chains_[index];
  while (core().pop(index, chain)) {
    if (role == kInflate) inflate(chain);
    if (role == kReporting) report(chain);
    // What comes out of the balloon is there again when it is touched.
    core().queue(index).push(chain, 0);
  }
  core().notify_used(index);
  return Served::kAll;
}

void VirtioBalloon::inflate(const Chain& chain) {
  pages_.resize(std::min<std::uint64_t>(total_bytes(chain.readable) / sizeof(std::uint32_t), kMaxPages));
  copy_from(chain.readable,
            {reinterpret_cast<std::uint8_t*>(pages_.data()), pages_.size() * sizeof(std::uint32_t)});
  std::sort(pages_.begin(), pages_.end());
  for (std::size_t first = 0; first < pages_.size();) {
    std::size_t end = first + 1;
    while (end < pages_.size() && pages_[end] - pages_[end - 1] <= 1) ++end;
    const std::uint64_t count = std::uint64_t{pages_[end - 1]} - pages_[first] + 1;
    give_back(Paddr{pages_[first] * kPageBytes}, count * kPageBytes);
    first = end;
  }
}

void VirtioBalloon::report(const Chain& chain) {
  // Such pages must keep what the guest has written into all of them (Virtio 1.3, 5.5.6.7).
  if (has(kPagePoison) && poison_ != 0) return;
  for (const BufferElement& element : chain.writable) give_back(element.paddr, element.size);
}

/// The whole pages of the range. They read as zero from now on: harts that have them mapped keep the mapping,
/// and what was translated from them is dropped as with any store.
void VirtioBalloon::give_back(Paddr paddr, std::uint64_t size) {
  const std::uint64_t first = (paddr.value + kPageBytes - 1) & ~(kPageBytes - 1);
  const std::uint64_t end = (paddr.value + size) & ~(kPageBytes - 1);
  if (end <= first) return;
  if (core().memory().dma(Paddr{first}, end - first) == nullptr)
    return log_line(Log::kGuestErrors, "virtio-balloon: what is at 0x%llx is no memory",
                    static_cast<unsigned long long>(first));
  if (!core().memory().discard(Paddr{first}, end - first)) return;
  returned_bytes_ += end - first;
}

/// The driver leaves a buffer here; it fills it in and offers it again whenever it gets it back.
Served VirtioBalloon::serve_statistics(unsigned index) {
  const std::lock_guard lock(mutex_);
  Chain& chain = chains_[kStats];
  do {
    if (has_buffer_ && is_asked_) {
      core().queue(index).push(chain, 0);
      has_buffer_ = false;
      is_asked_ = false;
    }
    if (has_buffer_ || !core().pop(index, chain)) break;
    has_buffer_ = true;
    keep_statistics(chain);
  } while (is_asked_);
  core().notify_used(index);
  return has_buffer_ ? Served::kLater : Served::kAll;
}

void VirtioBalloon::keep_statistics(const Chain& chain) {
  StatisticWords words[kStatistics] = {};
  const std::size_t bytes = copy_from(chain.readable, {reinterpret_cast<std::uint8_t*>(words), sizeof words});
  for (std::size_t i = 0; i < bytes / sizeof words[0]; ++i) {
    if (words[i].tag >= kStatistics) continue;
    statistics_[words[i].tag] = words[i].value;
    known_statistics_ |= 1u << words[i].tag;
  }
}

std::vector<VirtioBalloon::Statistic> VirtioBalloon::statistics() {
  std::vector<Statistic> result;
  {
    const std::lock_guard lock(mutex_);
    is_asked_ = has_buffer_;
    for (unsigned tag = 0; tag < kStatistics; ++tag)
      if ((known_statistics_ >> tag & 1) != 0) result.push_back({kStatisticNames[tag], statistics_[tag]});
  }
  core().wake(kStats);
  return result;
}

void VirtioBalloon::visit(Visitor& visitor) {
  visitor.field("target_pages", target_pages_);
  visitor.field("actual_pages", actual_pages_);
  visitor.field("poison", poison_);
  const std::lock_guard lock(mutex_);
  visitor.field("has_buffer", has_buffer_);
  visitor.field("buffer_id", chains_[kStats].id);
  visitor.field("buffer_slots", chains_[kStats].slots);
}

VirtioBalloon* find_balloon(Device& root) {
  VirtioBalloon* found = nullptr;
  for_each_device(root, [&](Device& device) {
    if (found == nullptr && std::strcmp(device.driver(), "virtio-balloon-device") == 0)
      found = static_cast<VirtioBalloon*>(&device);
  });
  return found;
}

}  // namespace gstage::hw
