// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/zstd_library.h"

#include "softmmu/base/shared_library.h"

namespace gstage {

const ZstdLibrary& zstd_library() {
  static const ZstdLibrary opened = [] {
    const SharedLibrary library("libzstd.so.1");
    ZstdLibrary zstd;
    zstd.is_there =
        library.find(zstd.create, "ZSTD_createDStream") && library.find(zstd.free, "ZSTD_freeDStream") &&
        library.find(zstd.decompress, "ZSTD_decompressStream") &&
        library.find(zstd.is_error, "ZSTD_isError") && library.find(zstd.error_code, "ZSTD_getErrorCode");
    return zstd;
  }();
  return opened;
}

}  // namespace gstage
