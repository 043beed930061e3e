// SPDX-License-Identifier: Apache-2.0
// LZ4 has two framings: frames (lz4_Frame_format.md), and the older one of Linux's makefiles (lz4 -l), whose
// end is the end of the file.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <lz4.h>
#include <lz4frame.h>

#include "softmmu/base/shared_library.h"
#include "hw/loader/unpacker.h"

namespace gstage::hw {
namespace {

/// What is used of the library.
struct Lz4 {
  decltype(LZ4F_createDecompressionContext)* create = nullptr;
  decltype(LZ4F_freeDecompressionContext)* free = nullptr;
  decltype(LZ4F_decompress)* decompress = nullptr;
  decltype(LZ4F_isError)* is_error = nullptr;
  decltype(LZ4_decompress_safe)* decompress_block = nullptr;
  bool is_there = false;

  Lz4() {
    const SharedLibrary library("liblz4.so.1");
    is_there = library.find(create, "LZ4F_createDecompressionContext") &&
               library.find(free, "LZ4F_freeDecompressionContext") &&
               library.find(decompress, "LZ4F_decompress") && library.find(is_error, "LZ4F_isError") &&
               library.find(decompress_block, "LZ4_decompress_safe");
  }
  static const Lz4& library() {
    static const Lz4 lz4;
    return lz4;
  }
};

class Lz4Unpacker final : public Unpacker {
 public:
  explicit Lz4Unpacker(const Lz4& lz4) : lz4_(lz4) {
    if (lz4_.is_error(lz4_.create(&context_, LZ4F_VERSION)) != 0) context_ = nullptr;
  }
  ~Lz4Unpacker() override { lz4_.free(context_); }
  Lz4Unpacker(const Lz4Unpacker&) = delete;
  Lz4Unpacker& operator=(const Lz4Unpacker&) = delete;

  Step step(UnpackerFlow& flow) override {
    if (context_ == nullptr) return Step::kUnsupported;
    std::size_t in = flow.in.size();
    std::size_t out = flow.out.size();
    const std::size_t left = lz4_.decompress(context_, flow.out.data(), &out, flow.in.data(), &in, nullptr);
    if (lz4_.is_error(left) != 0) return Step::kDamaged;
    flow.advance(in, out);
    return left == 0 ? Step::kEnd : Step::kGoOn;
  }

 private:
  const Lz4& lz4_;
  LZ4F_dctx* context_ = nullptr;
};

/// A magic number, then blocks: a size of 4 bytes, and that many bytes of what 8 MiB (the last: fewer) are
/// packed to.
class Lz4LegacyUnpacker final : public Unpacker {
 public:
  explicit Lz4LegacyUnpacker(const Lz4& lz4) : lz4_(lz4) {}

  Step step(UnpackerFlow& flow) override {
    if (unpacked_at_ < unpacked_.size()) return give(flow);
    if (head_bytes_ < sizeof head_) {
      take(flow, reinterpret_cast<std::byte*>(&head_), sizeof head_, head_bytes_);
      if (head_bytes_ < sizeof head_) return Step::kGoOn;
      // The magic number of a next frame looks like a size that is too large.
      if (head_ == kMagic) {
        head_bytes_ = 0;
        return Step::kGoOn;
      }
      packed_.resize(is_size(head_) ? head_ : 0);
    }
    if (!is_size(head_)) return flow.in.empty() ? Step::kGoOn : Step::kDamaged;
    take(flow, packed_.data(), packed_.size(), packed_bytes_);
    if (packed_bytes_ < packed_.size()) return Step::kGoOn;
    unpacked_.resize(kBlockBytes);
    const int size = lz4_.decompress_block(reinterpret_cast<const char*>(packed_.data()),
                                           reinterpret_cast<char*>(unpacked_.data()),
                                           static_cast<int>(packed_.size()), kBlockBytes);
    if (size < 0) return Step::kDamaged;
    unpacked_.resize(static_cast<std::size_t>(size));
    unpacked_at_ = head_bytes_ = packed_bytes_ = 0;
    return give(flow);
  }

  /// Makefiles append the size of what was packed: 4 bytes in the place of a block's size.
  [[nodiscard]] bool can_end() const override {
    return unpacked_at_ == unpacked_.size() && packed_bytes_ == 0 &&
           (head_bytes_ == 0 || head_bytes_ == sizeof head_);
  }

 private:
  static constexpr std::uint32_t kMagic = 0x184c2102;
  static constexpr int kBlockBytes = 8 << 20;

  static bool is_size(std::uint32_t head) { return head <= LZ4_COMPRESSBOUND(kBlockBytes); }

  /// Fills `to` up to `size` bytes as far as the input goes; `filled` says how far it is.
  static void take(UnpackerFlow& flow, std::byte* to, std::size_t size, std::size_t& filled) {
    const std::size_t bytes = std::min(size - filled, flow.in.size());
    if (bytes != 0) std::memcpy(to + filled, flow.in.data(), bytes);
    filled += bytes;
    flow.advance(bytes, 0);
  }

  Step give(UnpackerFlow& flow) {
    const std::size_t bytes = std::min(unpacked_.size() - unpacked_at_, flow.out.size());
    if (bytes != 0) std::memcpy(flow.out.data(), unpacked_.data() + unpacked_at_, bytes);
    unpacked_at_ += bytes;
    flow.advance(0, bytes);
    return Step::kGoOn;
  }

  const Lz4& lz4_;
  std::uint32_t head_ = 0;
  std::size_t head_bytes_ = 0;
  std::vector<std::byte> packed_;
  std::size_t packed_bytes_ = 0;
  std::vector<std::byte> unpacked_;
  std::size_t unpacked_at_ = 0;
};

}  // namespace

std::unique_ptr<Unpacker> make_lz4_unpacker() {
  const Lz4& lz4 = Lz4::library();
  return lz4.is_there ? std::make_unique<Lz4Unpacker>(lz4) : nullptr;
}

std::unique_ptr<Unpacker> make_lz4_legacy_unpacker() {
  const Lz4& lz4 = Lz4::library();
  return lz4.is_there ? std::make_unique<Lz4LegacyUnpacker>(lz4) : nullptr;
}

}  // namespace gstage::hw
