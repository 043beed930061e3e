// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zstd.h>
#include <zstd_errors.h>

namespace gstage {

/// What is used of libzstd, which unpacks images of kernels and clusters of disks (SharedLibrary).
struct ZstdLibrary {
  decltype(ZSTD_createDStream)* create = nullptr;
  decltype(ZSTD_freeDStream)* free = nullptr;
  decltype(ZSTD_decompressStream)* decompress = nullptr;
  decltype(ZSTD_isError)* is_error = nullptr;
  decltype(ZSTD_getErrorCode)* error_code = nullptr;
  bool is_there = false;  ///< installed, with all of these
};

/// Opened by the first call. Any thread.
const ZstdLibrary& zstd_library();

}  // namespace gstage
