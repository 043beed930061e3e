// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "hw/loader/unpacker.h"

namespace gstage::hw {

/// A kind of file that is no flat image, whatever its bytes would do as code, and how it is told: a packed
/// file or a container.
struct FileKind {
  const char* name;    ///< "a zstd file"
  std::size_t offset;  ///< where the magic bytes are
  std::string_view magic;
  UnpackerMaker unpacker;    ///< null: it cannot be read, and the user has to do this:
  const char* advice;        ///< "unpack it with unzstd"
  const char* package = "";  ///< that has the unpacker's library
};

/// As many bytes of a file as it takes to tell its kind.
inline constexpr std::size_t kFileKindBytes = 1024;

/// The kind of the file that begins with these bytes, or null: an executable, or a flat image.
const FileKind* find_file_kind(std::span<const std::byte> head);
/// The refusal of a file of a kind that cannot be read. `name` is the file's, for the message.
Error refuse_file_kind(const std::string& name, const FileKind& kind);

}  // namespace gstage::hw
