// SPDX-License-Identifier: Apache-2.0
#include "io/block/qcow2/decompress.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <zlib.h>

#include "softmmu/base/zstd_library.h"

namespace gstage::qcow2 {

namespace {

// Both fill `to`, and leave alone what is behind their data in `from`.

bool inflate_all(std::span<const std::byte> from, std::span<std::byte> to) {
  z_stream stream{};
  constexpr int kRawWindowBits = -15;  // no header of zlib's
  if (inflateInit2(&stream, kRawWindowBits) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<Bytef*>(to.data());
  stream.avail_out = static_cast<uInt>(to.size());
  const int result = inflate(&stream, Z_FINISH);
  // Whoever packed it need not have ended the stream once the cluster was full.
  const bool is_full =
      stream.avail_out == 0 && (result == Z_STREAM_END || result == Z_BUF_ERROR || result == Z_OK);
  inflateEnd(&stream);
  return is_full;
}

bool unzstd_all(std::span<const std::byte> from, std::span<std::byte> to) {
  ZSTD_DStream* const stream = zstd_library().create();
  if (stream == nullptr) return false;
  ZSTD_inBuffer in{from.data(), from.size(), 0};
  ZSTD_outBuffer out{to.data(), to.size(), 0};
  bool is_going = true;
  while (is_going && out.pos < out.size) {
    const std::size_t in_before = in.pos;
    const std::size_t out_before = out.pos;
    const std::size_t left = zstd_library().decompress(stream, &out, &in);
    is_going = zstd_library().is_error(left) == 0 && (in.pos != in_before || out.pos != out_before);
  }
  zstd_library().free(stream);
  return out.pos == out.size;
}

}  // namespace

bool Decompressor::is_there() const { return header_.compression == 0 || zstd_library().is_there; }

int Decompressor::read(const Mapped& mapped, std::uint64_t from, std::span<std::byte> to) {
  Slot& slot = slots_[mapped.host / 512 % slots_.size()];
  const std::lock_guard lock(slot.mutex);
  if (slot.host != mapped.host || slot.bytes.empty()) {
    slot.host = 0;
    if (const int failure = unpack(mapped, slot.bytes); failure != 0) return failure;
    slot.host = mapped.host;
  }
  if (!to.empty()) std::memcpy(to.data(), slot.bytes.data() + from, to.size());
  return 0;
}

int Decompressor::unpack(const Mapped& mapped, std::vector<std::byte>& to) {
  std::vector<std::byte> packed(mapped.bytes);
  if (const int failure = file_.read(mapped.host, packed); failure != 0) return failure;
  to.resize(header_.cluster_size());
  const bool is_whole = header_.compression == 0 ? inflate_all(packed, to) : unzstd_all(packed, to);
  if (is_whole) return 0;
  to.clear();
  return EIO;
}

}  // namespace gstage::qcow2
