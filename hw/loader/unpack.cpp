// SPDX-License-Identifier: Apache-2.0
#include "hw/loader/unpack.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <vector>

namespace gstage::hw {
namespace {

constexpr std::size_t kInputBytes = 256 << 10;
constexpr std::size_t kOutputBytes = 1 << 20;

/// A window of the part, which goes forward over it.
class Input {
 public:
  explicit Input(const PackedPart& part) : part_(part), buffer_(kInputBytes) {}

  /// Reads more where less than half of the window is left.
  Status fill() {
    if (left_ > kInputBytes / 2 || next_ == part_.size) return Ok{};
    std::memmove(buffer_.data(), buffer_.data() + first_, left_);
    first_ = 0;
    const std::size_t more = std::min<std::uint64_t>(kInputBytes - left_, part_.size - next_);
    Status status = part_.read(next_, {buffer_.data() + left_, more});
    if (!status.ok()) return status;
    next_ += more;
    left_ += more;
    return Ok{};
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {buffer_.data() + first_, left_}; }
  void drop(std::size_t bytes) {
    first_ += bytes;
    left_ -= bytes;
  }
  [[nodiscard]] bool is_at_end() const { return left_ == 0 && next_ == part_.size; }

 private:
  const PackedPart& part_;
  std::uint64_t next_ = 0;
  std::vector<std::byte> buffer_;
  std::size_t first_ = 0;
  std::size_t left_ = 0;
};

/// Unpacks the streams of one part.
class Unpacking {
 public:
  Unpacking(const PackedPart& part, const FileKind& kind, std::uint64_t ram_bytes)
      : part_(part), kind_(kind), limit_(std::min(ram_bytes, kMaxUnpackedBytes)), input_(part) {}

  Result<ByteBuffer> run() {
    do {
      if (Status status = run_stream(); !status.ok()) return status.error();
      if (Status status = input_.fill(); !status.ok()) return status.error();
    } while (find_file_kind(input_.bytes()) == &kind_);
    if (!output_.resize(used_)) return no_memory();
    return std::move(output_);
  }

 private:
  Status run_stream() {
    const auto unpacker = kind_.unpacker();
    if (unpacker == nullptr)
      return error("%s is %s, and the library that unpacks it is not installed; install %s, or %s",
                   part_.name.c_str(), kind_.name, kind_.package, kind_.advice);
    for (bool is_complete = false; !is_complete;) {
      if (Status status = input_.fill(); !status.ok()) return status;
      if (output_.size() - used_ < kOutputBytes / 2 && !output_.resize(grown())) return no_memory();
      auto step = run_step(*unpacker);
      if (!step.ok()) return step.error();
      is_complete = *step;
      if (used_ > limit_)
        return error("%s unpacks to more than the %" PRIu64 " MiB that there is room for; choose a larger -m",
                     part_.name.c_str(), limit_ >> 20);
    }
    return Ok{};
  }

  /// The output's next size: half as much again, but not far beyond what may be used of it.
  [[nodiscard]] std::size_t grown() const {
    return std::min<std::uint64_t>(used_ + used_ / 2, limit_) + kOutputBytes;
  }

  /// Whether the stream is complete.
  Result<bool> run_step(Unpacker& unpacker) {
    UnpackerFlow flow{input_.bytes(), output_.bytes().subspan(used_)};
    const std::size_t in = flow.in.size();
    const std::size_t out = flow.out.size();
    const Unpacker::Step step = unpacker.step(flow);
    input_.drop(in - flow.in.size());
    used_ += out - flow.out.size();
    switch (step) {
      case Unpacker::Step::kEnd: return true;
      case Unpacker::Step::kUnsupported:
        return error("%s is %s with a feature that gstage's library cannot unpack; %s", part_.name.c_str(),
                     kind_.name, kind_.advice);
      case Unpacker::Step::kDamaged: return damaged();
      case Unpacker::Step::kGoOn: break;
    }
    if (flow.in.size() != in || flow.out.size() != out) return false;
    if (input_.is_at_end() && unpacker.can_end()) return true;
    return damaged();
  }

  [[nodiscard]] Error damaged() const {
    return error("%s is %s that is damaged or truncated; make it again", part_.name.c_str(), kind_.name);
  }
  [[nodiscard]] Error no_memory() const {
    return error("%s: the host has no memory to unpack it; %s", part_.name.c_str(), kind_.advice);
  }

  const PackedPart& part_;
  const FileKind& kind_;
  std::uint64_t limit_;
  Input input_;
  ByteBuffer output_;
  std::size_t used_ = 0;
};

}  // namespace

Result<ByteBuffer> unpack(const PackedPart& part, const FileKind& kind, std::uint64_t ram_bytes) {
  return Unpacking(part, kind, ram_bytes).run();
}

}  // namespace gstage::hw
