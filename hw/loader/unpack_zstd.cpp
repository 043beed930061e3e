// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/zstd_library.h"
#include "hw/loader/unpacker.h"

namespace gstage::hw {
namespace {

class ZstdUnpacker final : public Unpacker {
 public:
  explicit ZstdUnpacker(const ZstdLibrary& zstd) : zstd_(zstd), stream_(zstd.create()) {}
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
  const ZstdLibrary& zstd_;
  ZSTD_DStream* stream_;
};

}  // namespace

std::unique_ptr<Unpacker> make_zstd_unpacker() {
  const ZstdLibrary& zstd = zstd_library();
  return zstd.is_there ? std::make_unique<ZstdUnpacker>(zstd) : nullptr;
}

}  // namespace gstage::hw
