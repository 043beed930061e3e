// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include <bzlib.h>

#include "softmmu/base/shared_library.h"
#include "hw/loader/unpacker.h"

namespace gstage::hw {
namespace {

/// What is used of the library.
struct Bzip2 {
  decltype(BZ2_bzDecompressInit)* start = nullptr;
  decltype(BZ2_bzDecompress)* decompress = nullptr;
  decltype(BZ2_bzDecompressEnd)* end = nullptr;
  bool is_there = false;

  Bzip2() {
    const SharedLibrary library("libbz2.so.1.0");
    is_there = library.find(start, "BZ2_bzDecompressInit") && library.find(decompress, "BZ2_bzDecompress") &&
               library.find(end, "BZ2_bzDecompressEnd");
  }
};

class Bzip2Unpacker final : public Unpacker {
 public:
  explicit Bzip2Unpacker(const Bzip2& bzip2) : bzip2_(bzip2), started_(bzip2.start(&stream_, 0, 0)) {}
  ~Bzip2Unpacker() override { bzip2_.end(&stream_); }
  Bzip2Unpacker(const Bzip2Unpacker&) = delete;
  Bzip2Unpacker& operator=(const Bzip2Unpacker&) = delete;

  Step step(UnpackerFlow& flow) override {
    if (started_ != BZ_OK) return Step::kUnsupported;
    constexpr std::size_t kMost = std::numeric_limits<unsigned>::max();
    const std::size_t in = std::min(flow.in.size(), kMost);
    const std::size_t out = std::min(flow.out.size(), kMost);
    stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(flow.in.data()));
    stream_.avail_in = static_cast<unsigned>(in);
    stream_.next_out = reinterpret_cast<char*>(flow.out.data());
    stream_.avail_out = static_cast<unsigned>(out);
    const int result = bzip2_.decompress(&stream_);
    flow.advance(in - stream_.avail_in, out - stream_.avail_out);
    switch (result) {
      case BZ_STREAM_END: return Step::kEnd;
      case BZ_OK: return Step::kGoOn;
      case BZ_MEM_ERROR: return Step::kUnsupported;
      default: return Step::kDamaged;
    }
  }

 private:
  const Bzip2& bzip2_;
  bz_stream stream_{};
  int started_;
};

}  // namespace

std::unique_ptr<Unpacker> make_bzip2_unpacker() {
  static const Bzip2 bzip2;
  return bzip2.is_there ? std::make_unique<Bzip2Unpacker>(bzip2) : nullptr;
}

}  // namespace gstage::hw
