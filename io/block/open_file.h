// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "softmmu/base/result.h"
#include "io/block/file.h"
#include "io/block/options.h"

namespace gstage {

/// The files of one chain of images, the topmost first: one that comes a second time makes it a loop.
using FileChain = std::vector<std::pair<dev_t, ino_t>>;

/// A file of the host, opened and locked.
struct OpenedFile {
  std::shared_ptr<BlockFile> file;
  bool is_read_only = false;
};

/// Opens what a node of the driver file says and appends it to the chain. `what` is for messages.
Result<OpenedFile> open_block_file(const std::string& what, const BlockOptions& options, FileChain& chain);

/// A file without a name, in $TMPDIR or /var/tmp; gone when it is closed.
Result<std::shared_ptr<BlockFile>> open_temporary_file(const std::string& what);

/// The format that the first bytes look like: "raw" if like none.
Result<std::string> probe_format(const std::string& what, BlockFile& file, const std::string& name);

}  // namespace gstage
