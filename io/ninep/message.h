// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace gstage::ninep {

/// Types of requests; the answer's is one more (intro(5) of Plan 9, 9P2000.L).
enum Type : std::uint8_t {
  kRlerror = 7,
  kTstatfs = 8,
  kTlopen = 12,
  kTlcreate = 14,
  kTsymlink = 16,
  kTmknod = 18,
  kTrename = 20,
  kTreadlink = 22,
  kTgetattr = 24,
  kTsetattr = 26,
  kTxattrwalk = 30,
  kTxattrcreate = 32,
  kTreaddir = 40,
  kTfsync = 50,
  kTlock = 52,
  kTgetlock = 54,
  kTlink = 70,
  kTmkdir = 72,
  kTrenameat = 74,
  kTunlinkat = 76,
  kTversion = 100,
  kTauth = 102,
  kTattach = 104,
  kTflush = 108,
  kTwalk = 110,
  kTread = 116,
  kTwrite = 118,
  kTclunk = 120,
  kTremove = 122,
};

/// size[4] type[1] tag[2]
constexpr std::size_t kHeaderBytes = 7;

/// What the server answers where a file is named.
struct Qid {
  enum Kind : std::uint8_t { kFile = 0, kLink = 2, kFolder = 0x80 };
  std::uint8_t type = 0;
  std::uint32_t version = 0;
  std::uint64_t path = 0;
};

/// Takes a request apart. What is not there is zero, and `is_whole` false afterwards.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  template <class T>
  T take() {
    static_assert(std::is_unsigned_v<T>);
    T value = 0;
    const std::span<const std::uint8_t> from = data(sizeof value);
    if (from.size() == sizeof value) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  std::string text() {
    const auto from = data(take<std::uint16_t>());
    return {from.begin(), from.end()};
  }
  std::span<const std::uint8_t> data(std::size_t size) {
    is_whole_ = is_whole_ && size <= bytes_.size();
    if (!is_whole_) return {};
    const auto part = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return part;
  }
  /// Nothing that was taken was missing.
  [[nodiscard]] bool is_whole() const { return is_whole_; }

 private:
  std::span<const std::uint8_t> bytes_;
  bool is_whole_ = true;
};

/// Puts an answer together. What has no room is left out, and `is_whole` false afterwards.
class Writer {
 public:
  explicit Writer(std::span<std::uint8_t> to) : to_(to) {}

  template <class T>
  void put(T value) {
    static_assert(std::is_unsigned_v<T>);
    if (const auto room = take(sizeof value); !room.empty()) std::memcpy(room.data(), &value, sizeof value);
  }
  void put(const Qid& qid) {
    put(qid.type);
    put(qid.version);
    put(qid.path);
  }
  void text(std::string_view text) {
    put(static_cast<std::uint16_t>(text.size()));
    if (const auto room = take(text.size()); !room.empty())
      std::memcpy(room.data(), text.data(), text.size());
  }
  /// Room that the caller fills; empty: there is not so much.
  std::span<std::uint8_t> take(std::size_t size) {
    is_whole_ = is_whole_ && size <= to_.size() - at_;
    if (!is_whole_) return {};
    at_ += size;
    return to_.subspan(at_ - size, size);
  }
  /// Goes back to an earlier place.
  void rewind(std::size_t at) {
    at_ = std::min(at, to_.size());
    is_whole_ = true;
  }
  template <class T>
  void put_at(std::size_t at, T value) {
    std::memcpy(to_.data() + at, &value, sizeof value);
  }
  [[nodiscard]] std::size_t size() const { return at_; }
  [[nodiscard]] std::size_t room() const { return to_.size() - at_; }
  [[nodiscard]] bool is_whole() const { return is_whole_; }

 private:
  std::span<std::uint8_t> to_;
  std::size_t at_ = 0;
  bool is_whole_ = true;
};

}  // namespace gstage::ninep
