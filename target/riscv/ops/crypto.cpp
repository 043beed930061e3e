// SPDX-License-Identifier: Apache-2.0
// AES and SM4 (ISA manual vol. I, "Scalar Cryptography Extensions": the instructions and their Sail
// functions).
#include <array>
#include <bit>

#include "target/riscv/ops/helpers.h"

namespace gstage::riscv {

namespace {

using Table = std::array<std::uint8_t, 256>;

// AES computes in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, chapter 4).
constexpr std::uint8_t times_x(std::uint8_t a) {
  return static_cast<std::uint8_t>((a << 1) ^ ((a & 0x80) != 0 ? 0x1b : 0));
}
constexpr std::uint8_t product(std::uint8_t a, unsigned b) {
  std::uint8_t result = 0;
  for (; b != 0; b >>= 1, a = times_x(a))
    if ((b & 1) != 0) result ^= a;
  return result;
}

/// The inverse, then the affine transformation (FIPS 197, SubBytes). 3 generates all of the field but zero,
/// and its powers run through the inverses backwards.
constexpr Table aes_forward_box() {
  Table box{};
  std::uint8_t power = 1;
  std::uint8_t inverse = 1;
  constexpr unsigned kInverseOfThree = 0xf6;
  do {
    std::uint8_t value = inverse;
    for (int turn = 1; turn <= 4; ++turn) value ^= std::rotl(inverse, turn);
    box[power] = value ^ 0x63;
    power = product(power, 3);
    inverse = product(inverse, kInverseOfThree);
  } while (power != 1);
  box[0] = 0x63;
  return box;
}
constexpr Table inverted(const Table& box) {
  Table inverse{};
  for (unsigned i = 0; i < box.size(); ++i) inverse[box[i]] = static_cast<std::uint8_t>(i);
  return inverse;
}
constexpr Table kAesForward = aes_forward_box();
constexpr Table kAesInverse = inverted(kAesForward);
static_assert(kAesForward[0x53] == 0xed && kAesInverse[0xed] == 0x53);

constexpr Table kSm4Box = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

constexpr std::uint8_t byte_of(std::uint64_t value, unsigned index) {
  return static_cast<std::uint8_t>(value >> 8 * index);
}

/// The first two columns after ShiftRows; the state's bytes 0–7 are in `low`, 8–15 in `high`.
std::uint64_t shift_rows(std::uint64_t low, std::uint64_t high, bool is_inverse) {
  static constexpr std::uint8_t kForward[] = {0, 5, 10, 15, 4, 9, 14, 3};
  static constexpr std::uint8_t kInverse[] = {0, 13, 10, 7, 4, 1, 14, 11};
  std::uint64_t result = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned from = (is_inverse ? kInverse : kForward)[i];
    result |= std::uint64_t{byte_of(from < 8 ? low : high, from & 7)} << 8 * i;
  }
  return result;
}

std::uint64_t substitute(const Table& box, std::uint64_t value) {
  std::uint64_t result = 0;
  for (unsigned i = 0; i < 8; ++i) result |= std::uint64_t{box[byte_of(value, i)]} << 8 * i;
  return result;
}

/// MixColumns of two columns. Row r takes `factors` starting at its own byte.
std::uint64_t mix_columns(std::uint64_t value, bool is_inverse) {
  static constexpr std::uint8_t kForward[] = {2, 3, 1, 1};
  static constexpr std::uint8_t kInverse[] = {14, 11, 13, 9};
  const std::uint8_t* const factors = is_inverse ? kInverse : kForward;
  std::uint64_t result = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned column = i & 4;
    std::uint8_t sum = 0;
    for (unsigned k = 0; k < 4; ++k) sum ^= product(byte_of(value, column + ((i + k) & 3)), factors[k]);
    result |= std::uint64_t{sum} << 8 * i;
  }
  return result;
}

std::uint64_t sign_extended(std::uint32_t value) {
  return static_cast<std::uint64_t>(static_cast<std::int32_t>(value));
}

}  // namespace

/// Bit 27 of the instruction: decryption; bit 26: with MixColumns.
std::uint64_t helper_aes64(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t raw, std::uint64_t) {
  const bool is_inverse = (raw >> 27 & 1) != 0;
  const std::uint64_t value =
      substitute(is_inverse ? kAesInverse : kAesForward, shift_rows(a, b, is_inverse));
  return (raw >> 26 & 1) != 0 ? mix_columns(value, is_inverse) : value;
}

std::uint64_t helper_aes64im(CpuCore*, std::uint64_t a, std::uint64_t, std::uint64_t, std::uint64_t) {
  return mix_columns(a, true);
}

std::uint64_t helper_aes64ks1i(CpuCore*, std::uint64_t a, std::uint64_t round, std::uint64_t, std::uint64_t) {
  // The last one is for AES-256's additional SubWord, which neither rotates nor adds a constant.
  static constexpr std::uint8_t kConstants[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20,
                                                0x40, 0x80, 0x1b, 0x36, 0};
  constexpr std::uint64_t kPlain = 10;
  auto word = static_cast<std::uint32_t>(a >> 32);
  if (round != kPlain) word = std::rotr(word, 8);
  word = static_cast<std::uint32_t>(substitute(kAesForward, word)) ^ kConstants[round];
  return std::uint64_t{word} << 32 | word;
}

/// Bits 31:30 of the instruction: which byte; bit 26: the key schedule.
std::uint64_t helper_sm4(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t raw, std::uint64_t) {
  const unsigned select = raw >> 30 & 3;
  const std::uint32_t x = kSm4Box[byte_of(b, select)];
  std::uint32_t y = x ^ x << 8 ^ x << 2 ^ x << 18 ^ (x & 0x3f) << 26 ^ (x & 0xc0) << 10;
  if ((raw >> 26 & 1) != 0) y = x ^ (x & 0x07) << 29 ^ (x & 0xfe) << 7 ^ (x & 0x01) << 23 ^ (x & 0xf8) << 13;
  return sign_extended(std::rotl(y, static_cast<int>(8 * select)) ^ static_cast<std::uint32_t>(a));
}

}  // namespace gstage::riscv
