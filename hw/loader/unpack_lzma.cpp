// SPDX-License-Identifier: Apache-2.0
#include <lzma.h>

#include "softmmu/base/shared_library.h"
#include "hw/loader/unpacker.h"

namespace gstage::hw {
namespace {

/// For the dictionary: xz -9 makes one of 64 MiB, the format has them up to 4 GiB.
constexpr std::uint64_t kMemoryLimit = 256 << 20;

/// What is used of the library.
struct Lzma {
  decltype(lzma_stream_decoder)* start_xz = nullptr;
  decltype(lzma_alone_decoder)* start_alone = nullptr;
  decltype(lzma_lzip_decoder)* start_lzip = nullptr;
  decltype(lzma_code)* code = nullptr;
  decltype(lzma_end)* end = nullptr;
  bool is_there = false;

  Lzma() {
    const SharedLibrary library("liblzma.so.5");
    is_there = library.find(start_xz, "lzma_stream_decoder") &&
               library.find(start_alone, "lzma_alone_decoder") &&
               library.find(start_lzip, "lzma_lzip_decoder") && library.find(code, "lzma_code") &&
               library.find(end, "lzma_end");
  }
  static const Lzma& library() {
    static const Lzma lzma;
    return lzma;
  }
};

/// Its three formats differ in how they start.
class LzmaUnpacker final : public Unpacker {
 public:
  explicit LzmaUnpacker(const Lzma& lzma) : lzma_(lzma) {}
  ~LzmaUnpacker() override { lzma_.end(&stream_); }
  LzmaUnpacker(const LzmaUnpacker&) = delete;
  LzmaUnpacker& operator=(const LzmaUnpacker&) = delete;

  void start_xz() { started_ = lzma_.start_xz(&stream_, kMemoryLimit, 0); }
  void start_alone() { started_ = lzma_.start_alone(&stream_, kMemoryLimit); }
  void start_lzip() { started_ = lzma_.start_lzip(&stream_, kMemoryLimit, 0); }

  Step step(UnpackerFlow& flow) override {
    if (started_ != LZMA_OK) return Step::kUnsupported;
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(flow.in.data());
    stream_.avail_in = flow.in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(flow.out.data());
    stream_.avail_out = flow.out.size();
    const lzma_ret result = lzma_.code(&stream_, LZMA_RUN);
    flow.advance(flow.in.size() - stream_.avail_in, flow.out.size() - stream_.avail_out);
    switch (result) {
      case LZMA_STREAM_END: return Step::kEnd;
      case LZMA_OK:
      case LZMA_BUF_ERROR:
      case LZMA_NO_CHECK:
      case LZMA_UNSUPPORTED_CHECK:
      case LZMA_GET_CHECK: return Step::kGoOn;
      case LZMA_OPTIONS_ERROR:
      case LZMA_MEM_ERROR:
      case LZMA_MEMLIMIT_ERROR: return Step::kUnsupported;
      default: return Step::kDamaged;
    }
  }

 private:
  const Lzma& lzma_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret started_ = LZMA_OK;
};

std::unique_ptr<Unpacker> make(void (LzmaUnpacker::*start)()) {
  const Lzma& lzma = Lzma::library();
  if (!lzma.is_there) return nullptr;
  auto unpacker = std::make_unique<LzmaUnpacker>(lzma);
  (unpacker.get()->*start)();
  return unpacker;
}

}  // namespace

std::unique_ptr<Unpacker> make_xz_unpacker() { return make(&LzmaUnpacker::start_xz); }
std::unique_ptr<Unpacker> make_lzma_unpacker() { return make(&LzmaUnpacker::start_alone); }
std::unique_ptr<Unpacker> make_lzip_unpacker() { return make(&LzmaUnpacker::start_lzip); }

}  // namespace gstage::hw
