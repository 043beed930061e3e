// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace gstage::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// Makes inputs of inputs, blindly: the same seed makes the same ones.
class Mutator {
 public:
  /// `seeds` is not empty and outlives the object.
  Mutator(const std::vector<Bytes>& seeds, std::uint64_t seed) : seeds_(seeds), random_(seed) {}

  /// The next input, of at most kMaxBytes.
  Bytes next();

  static constexpr std::size_t kMaxBytes = 2048;

 private:
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  void change(Bytes& bytes);
  void overwrite(Bytes& bytes);
  void insert(Bytes& bytes);
  void erase(Bytes& bytes);
  void splice(Bytes& bytes);

  const std::vector<Bytes>& seeds_;
  std::mt19937_64 random_;
};

}  // namespace gstage::fuzz
