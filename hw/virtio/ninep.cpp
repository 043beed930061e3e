// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/ninep.h"

#include <algorithm>

#include "softmmu/base/check.h"
#include "hw/core/visitor.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kMountTag = 1;
constexpr std::uint16_t kQueueSize = 128;
/// A saved session of as many fids as there may be, with the longest paths.
constexpr std::size_t kMostSavedBytes = std::size_t{1} << 29;

}  // namespace

VirtioNinep::VirtioNinep(std::shared_ptr<ninep::Share> share, std::string tag)
    : tag_(std::move(tag)), session_(std::move(share)) {
  CHECK(!tag_.empty() && tag_.size() <= kMostTagBytes);
}

std::uint64_t VirtioNinep::features() const { return kMountTag; }

std::uint16_t VirtioNinep::max_queue_size(unsigned index) const { return index == 0 ? kQueueSize : 0; }

/// tag_len[2], and the tag without a zero behind it (5.9.4).
void VirtioNinep::read_config(std::uint32_t offset, std::span<std::uint8_t> to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::size_t at = std::size_t{offset} + i;
    if (at < 2)
      to[i] = static_cast<std::uint8_t>(tag_.size() >> (8 * at));
    else
      to[i] = at - 2 < tag_.size() ? static_cast<std::uint8_t>(tag_[at - 2]) : 0;
  }
}

void VirtioNinep::reset() { session_.reset(); }

void VirtioNinep::visit(Visitor& visitor) {
  std::vector<std::uint8_t> saved;
  if (!visitor.is_loading()) saved = session_.save();
  visitor.list("session", saved, kMostSavedBytes);
  if (visitor.is_loading()) session_.load(saved);
}

bool VirtioNinep::answer() {
  const std::uint64_t readable = total_bytes(chain_.readable);
  const std::uint64_t writable = total_bytes(chain_.writable);
  if (readable > ninep::Session::kMostMessage) return false;
  // A copy: the guest may write into the buffer while it is read.
  if (request_.size() < readable) request_.resize(readable);
  const auto request = std::span(request_).first(readable);
  copy_from(chain_.readable, request);
  const std::size_t room = std::min<std::uint64_t>(writable, ninep::Session::kMostMessage);
  if (reply_.size() < room) reply_.resize(room);
  written_ = session_.answer(request, std::span(reply_).first(room));
  copy_to(core().memory(), chain_.writable, std::span(reply_).first(written_));
  return written_ != 0;
}

Served VirtioNinep::serve(unsigned index) {
  while (core().pop(index, chain_)) {
    const bool is_request = answer();
    // The driver may have taken the queue back meanwhile; who resets it waits until this returns.
    if (!core().is_live(index)) break;
    if (!is_request) {
      core().fail(index, "a buffer is no 9P request");
      break;
    }
    core().queue(index).push(chain_, static_cast<std::uint32_t>(written_));
    core().notify_used(index);
  }
  return Served::kAll;
}

}  // namespace gstage::hw
