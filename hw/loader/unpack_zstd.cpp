// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>
#include <zstd_errors.h>

#include "softmmu/base/shared_library.h"
#include "hw/loader/unpacker.h"

namespace gstage::hw {
namespace {

/// What is used of the library.
struct Zstd {
  decltype(ZSTD_createDStream)* create = nullptr;
  decltype(ZSTD_freeDStream)* free = nullptr;
  decltype(ZSTD_decompressStream)* decompress = nullptr;
  decltype(ZSTD_isError)* is_error = nullptr;
  decltype(ZSTD_getErrorCode)* error_code = nullptr;
  bool is_there = false;

  Zstd() {
    const SharedLibrary library("libzstd.so.1");
    is_there = library.find(create, "ZSTD_createDStream") && library.find(free, "ZSTD_freeDStream") &&
               library.find(decompress, "ZSTD_decompressStream") && library.find(is_error, "ZSTD_isError") &&
               library.find(error_code, "ZSTD_getErrorCode");
  }
};

class ZstdUnpacker final : public Unpacker {
 public:
  explicit ZstdUnpacker(const Zstd& zstd) : zstd_(zstd), stream_(zstd.create()) {}
  ~ZstdUnpacker() override { zstd_.free(stream_); }
  ZstdUnpacker(const ZstdUnpacker&) = delete;
  ZstdUnpacker& operator=(const ZstdUnpacker&) = delete;

  Step step(UnpackerFlow& flow) override {
    if (stream_ == nullptr) return Step::kUnsupported;
    ZSTD_inBuffer in{flow.in.data(), flow.in.size(), 0};
    ZSTD_outBuffer out{flow.out.data(), flow.out.size(), 0};
    const std::size_t left = zstd_.decompress(stream_, &out, &in);
    flow.advance(in.pos, out.pos);
    if (left == 0) return Step::kEnd;
    if (zstd_.is_error(left) == 0) return Step::kGoOn;
    switch (zstd_.error_code(left)) {
      case ZSTD_error_memory_allocation:
      case ZSTD_error_frameParameter_windowTooLarge:
      case ZSTD_error_dictionary_wrong:
      case ZSTD_error_version_unsupported: return Step::kUnsupported;
      default: return Step::kDamaged;
    }
  }

 private:
  const Zstd& zstd_;
  ZSTD_DStream* stream_;
};

}  // namespace

std::unique_ptr<Unpacker> make_zstd_unpacker() {
  static const Zstd zstd;
  return zstd.is_there ? std::make_unique<ZstdUnpacker>(zstd) : nullptr;
}

}  // namespace gstage::hw
