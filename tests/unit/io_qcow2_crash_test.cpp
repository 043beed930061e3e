// SPDX-License-Identifier: Apache-2.0
// What is left of an image when its writer dies, at any moment.
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/qcow2_image.h"

namespace gstage::qcow2 {
namespace {

using Bytes = std::vector<std::byte>;
using Step = MemoryFile::Step;

constexpr std::uint64_t kUnit = 512;

struct Case {
  ImageShape shape;
  bool is_backed;
  bool has_few_tables;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << "version " << c.shape.version << ", cluster 2^" << c.shape.cluster_bits << ", refcounts 2^"
       << c.shape.refcount_order << (c.is_backed ? ", backed" : "");
}

/// The life of a disk: what each 512 bytes were, from which step of the file's log on, and when a flush
/// ended.
class Life {
 public:
  Life(const Case& c, unsigned seed) : case_(c), seed_(seed), before_(make_image(c.shape)) {
    if (c.is_backed) {
      backing_ = open_image(std::make_shared<MemoryFile>(make_image({.size = c.shape.size / 2})));
      EXPECT_EQ(backing_->write(0, Bytes(c.shape.size / 2, std::byte{0xbb})), 0);
    }
    past_.resize(c.shape.size / kUnit);
    for (std::size_t i = 0; i < past_.size(); ++i)
      past_[i].push_back({0, c.is_backed && i < past_.size() / 2 ? std::byte{0xbb} : std::byte{0}});
  }

  void live(unsigned steps) {
    const auto file = std::make_shared<MemoryFile>(before_);
    file->logs = true;
    {
      const auto disk = open_image_as(file, {backing_, false, case_.has_few_tables});
      std::mt19937_64 random(seed_);
      for (unsigned i = 0; i < steps; ++i) step(*disk, *file, random);
    }
    log_ = file->log;
  }

  /// The file after the first `cut` steps; of those that no sync covers, the ones that `keeps` says.
  template <class Keeps>
  Bytes file_at(std::size_t cut, Keeps keeps) const {
    std::size_t synced = 0;
    for (std::size_t i = 0; i < cut; ++i)
      if (log_[i].kind == Step::Kind::kSync) synced = i;
    MemoryFile file(before_);
    for (std::size_t i = 0; i < cut; ++i)
      if (i < synced || keeps(i)) file.apply(log_[i]);
    return file.bytes;
  }

  /// What is wrong with the disk in the file; empty: everything that was flushed before the cut is there, and
  /// what was not is as it was then or as it became later.
  std::string look_at(const Bytes& bytes, std::size_t cut) const {
    const ImageCheck check = check_image(bytes);
    if (!check.damage.empty()) return check.damage;
    const auto disk = open_image(std::make_shared<MemoryFile>(bytes), backing_);
    if (disk == nullptr) return "the image is refused";
    std::size_t flushed = 0;
    for (const std::size_t end : flush_ends_)
      if (end <= cut) flushed = end;
    Bytes all(disk->size());
    if (disk->read(0, all) != 0) return "the disk cannot be read";
    for (std::size_t i = 0; i < past_.size(); ++i)
      if (!may_be(past_[i], std::span(all).subspan(i * kUnit, kUnit), flushed))
        return "unit " + std::to_string(i) + " is neither what was flushed nor what came later";
    return "";
  }

  std::size_t log_size() const { return log_.size(); }
  std::size_t flushes() const { return flush_ends_.size(); }

 private:
  struct Was {
    std::size_t since;  ///< steps of the log that were there when it was written
    std::byte value;
  };

  void step(BlockBackend& disk, const MemoryFile& file, std::mt19937_64& random) {
    const std::uint64_t units = past_.size();
    const std::uint64_t first = random() % units;
    const std::uint64_t count = std::min(random() % (random() % 5 == 0 ? 64 : 6) + 1, units - first);
    const std::uint64_t kind = random() % 10;
    const auto value = static_cast<std::byte>(random() % 255 + 1);
    const std::size_t now = file.log.size();
    if (kind < 6) {
      ASSERT_EQ(disk.write(first * kUnit, Bytes(count * kUnit, value)), 0);
      for (std::uint64_t i = 0; i < count; ++i) past_[first + i].push_back({now, value});
    } else if (kind < 8) {
      const bool is_discard = kind == 7;
      ASSERT_EQ(is_discard ? disk.discard(first * kUnit, count * kUnit)
                           : disk.write_zeroes(first * kUnit, count * kUnit),
                0);
      Bytes got(count * kUnit);
      ASSERT_EQ(disk.read(first * kUnit, got), 0);
      for (std::uint64_t i = 0; i < count; ++i) past_[first + i].push_back({now, got[i * kUnit]});
    } else {
      ASSERT_EQ(disk.flush(), 0);
      flush_ends_.push_back(file.log.size());
    }
  }

  static bool may_be(const std::vector<Was>& past, std::span<const std::byte> unit, std::size_t flushed) {
    // The last one that the flush covers, and all after it.
    std::size_t first = 0;
    for (std::size_t i = 0; i < past.size(); ++i)
      if (past[i].since < flushed) first = i;
    for (std::size_t i = first; i < past.size(); ++i)
      if (std::all_of(unit.begin(), unit.end(), [&](std::byte b) { return b == past[i].value; })) return true;
    return false;
  }

  const Case case_;
  const unsigned seed_;
  const Bytes before_;
  std::shared_ptr<BlockBackend> backing_;
  std::vector<std::vector<Was>> past_;
  std::vector<std::size_t> flush_ends_;
  std::vector<Step> log_;
};

class Qcow2Crash : public ::testing::TestWithParam<Case> {};

constexpr unsigned kLives = 3;
constexpr unsigned kSteps = 30;

TEST_P(Qcow2Crash, OfTheProgramLeavesWhatWasFlushed) {
  for (unsigned seed = 1; seed <= kLives; ++seed) {
    Life life(GetParam(), seed);
    life.live(kSteps);
    // The host lives on and has all that was written.
    for (std::size_t cut = 0; cut <= life.log_size(); ++cut) {
      const Bytes bytes = life.file_at(cut, [](std::size_t) { return true; });
      ASSERT_EQ(life.look_at(bytes, cut), "") << "after " << cut << " steps of " << life.log_size();
    }
  }
}

TEST_P(Qcow2Crash, OfTheHostLeavesWhatWasFlushed) {
  for (unsigned seed = 1; seed <= kLives; ++seed) {
    Life life(GetParam(), seed);
    life.live(kSteps);
    std::mt19937_64 random(seed);
    for (std::size_t cut = 0; cut <= life.log_size(); ++cut) {
      // Of what was not synced any part may be there: nothing, or some.
      const std::uint64_t chance = random() % 4;
      const Bytes bytes = life.file_at(cut, [&](std::size_t) { return random() % 4 < chance; });
      ASSERT_EQ(life.look_at(bytes, cut), "") << "after " << cut << " steps of " << life.log_size();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Qcow2Crash,
    ::testing::Values(
        Case{{.version = 3, .cluster_bits = 12, .size = 256 << 10}, false, false},
        Case{{.version = 3, .cluster_bits = 12, .size = 256 << 10}, true, true},
        Case{{.version = 2, .cluster_bits = 12, .size = 256 << 10}, true, false},
        Case{{.version = 3, .cluster_bits = 9, .refcount_order = 6, .size = 128 << 10}, false, true},
        Case{
            {.version = 3, .cluster_bits = 9, .refcount_order = 6, .size = 256 << 10, .is_almost_full = true},
            false,
            false},
        Case{{.version = 3, .cluster_bits = 9, .refcount_order = 1, .size = 128 << 10}, true, true},
        Case{{.version = 3, .cluster_bits = 16, .size = 1 << 20}, true, false}));

}  // namespace
}  // namespace gstage::qcow2
