// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include <zlib.h>

#include "softmmu/base/check.h"
#include "hw/loader/unpacker.h"

namespace gstage::hw {
namespace {

constexpr int kGzipWindowBits = 15 + 16;  // the largest window, gzip header expected

class GzipUnpacker final : public Unpacker {
 public:
  GzipUnpacker() { CHECK(inflateInit2(&stream_, kGzipWindowBits) == Z_OK); }
  ~GzipUnpacker() override { inflateEnd(&stream_); }
  GzipUnpacker(const GzipUnpacker&) = delete;
  GzipUnpacker& operator=(const GzipUnpacker&) = delete;

  Step step(UnpackerFlow& flow) override {
    constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
    const std::size_t in = std::min(flow.in.size(), kMost);
    const std::size_t out = std::min(flow.out.size(), kMost);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(flow.in.data()));
    stream_.avail_in = static_cast<uInt>(in);
    stream_.next_out = reinterpret_cast<Bytef*>(flow.out.data());
    stream_.avail_out = static_cast<uInt>(out);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    flow.advance(in - stream_.avail_in, out - stream_.avail_out);
    switch (result) {
      case Z_STREAM_END: return Step::kEnd;
      case Z_OK:
      case Z_BUF_ERROR: return Step::kGoOn;
      default: return Step::kDamaged;
    }
  }

 private:
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Unpacker> make_gzip_unpacker() { return std::make_unique<GzipUnpacker>(); }

}  // namespace gstage::hw
