// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "softmmu/base/result.h"

namespace gstage::hw {

/// The bytes of a packed file that are there, and the room for what comes out of them.
struct UnpackerFlow {
  std::span<const std::byte> in;
  std::span<std::byte> out;

  /// Drops from both what a step has used.
  void advance(std::size_t in_bytes, std::size_t out_bytes) {
    in = in.subspan(in_bytes);
    out = out.subspan(out_bytes);
  }
};

/// Unpacks one stream of one format.
class Unpacker {
 public:
  enum class Step {
    kGoOn,         ///< wants more bytes or more room; when neither helps, the file is truncated
    kEnd,          ///< the stream is complete
    kDamaged,      ///< this is not what the format allows
    kUnsupported,  ///< the format's library does not know a feature of the stream, or wants too much memory
  };

  virtual ~Unpacker() = default;
  /// Takes from `flow.in`, fills `flow.out`, and moves both on.
  virtual Step step(UnpackerFlow& flow) = 0;
  /// Whether the stream may end where the file does: for formats without a mark of the end.
  [[nodiscard]] virtual bool can_end() const { return false; }
};

/// Makers: null when the library is not installed.
using UnpackerMaker = std::unique_ptr<Unpacker> (*)();
std::unique_ptr<Unpacker> make_gzip_unpacker();        ///< RFC 1952
std::unique_ptr<Unpacker> make_zstd_unpacker();        ///< RFC 8878
std::unique_ptr<Unpacker> make_xz_unpacker();          ///< the .xz file format
std::unique_ptr<Unpacker> make_lzma_unpacker();        ///< LZMA_Alone, what was there before .xz
std::unique_ptr<Unpacker> make_lzip_unpacker();        ///< .lz
std::unique_ptr<Unpacker> make_bzip2_unpacker();       ///< .bz2
std::unique_ptr<Unpacker> make_lz4_unpacker();         ///< LZ4 frames
std::unique_ptr<Unpacker> make_lz4_legacy_unpacker();  ///< LZ4's older frames, which kernels are packed in

}  // namespace gstage::hw
