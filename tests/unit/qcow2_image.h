// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/block/qcow2/qcow2.h"

#include "tests/unit/memory_file.h"

namespace gstage::qcow2 {

/// What kind of image a test wants.
struct ImageShape {
  std::uint32_t version = 3;
  unsigned cluster_bits = 16;
  unsigned refcount_order = 4;
  std::uint64_t size = 1 << 20;
  std::string backing_name{};
  std::string backing_format{};
  std::uint8_t compression = 0;
  bool is_almost_full = false;  ///< the refcount table's last blocks are the first that have free clusters
};

/// An empty image of the shape, made after the specification alone.
std::vector<std::byte> make_image(const ImageShape& shape);

/// What a look at all tables of an image finds, by the specification and not by the code under test.
struct ImageCheck {
  std::string damage;       ///< the first thing that is wrong; empty: nothing
  std::uint64_t leaks = 0;  ///< clusters that are counted more often than referred to
  std::uint64_t used = 0;   ///< clusters that are referred to
};
ImageCheck check_image(const std::vector<std::byte>& bytes);

/// A number of the image at that offset.
std::uint64_t number_at(const std::vector<std::byte>& bytes, std::uint64_t offset, unsigned size);
/// Likewise.
void put_number(std::vector<std::byte>& bytes, std::uint64_t offset, unsigned size, std::uint64_t value);
/// Adds `more` to the count of a cluster, whose block is there.
void add_count(std::vector<std::byte>& bytes, std::uint64_t cluster, int more);
/// Where the L2 entry of a byte of the disk is, whose table is there.
std::uint64_t l2_entry_place(const std::vector<std::byte>& bytes, std::uint64_t disk_offset);

/// A disk as a test wants it, of which few tables stay in memory if that is said.
struct OpenAs {
  std::shared_ptr<BlockBackend> backing{};
  bool is_read_only = false;
  bool has_few_tables = false;
};
std::shared_ptr<BlockBackend> open_image_as(std::shared_ptr<BlockFile> file, const OpenAs& as);
/// The disk in the image, opened; null, and a line that says why, where it is refused.
std::shared_ptr<BlockBackend> open_image(std::shared_ptr<BlockFile> file,
                                         std::shared_ptr<BlockBackend> backing = {},
                                         bool is_read_only = false);
/// Why the image is refused; empty: it is not.
std::string refusal_of(std::vector<std::byte> bytes, bool is_read_only = false);

}  // namespace gstage::qcow2
