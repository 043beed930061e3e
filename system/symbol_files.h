// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "softmmu/base/result.h"
#include "system/options.h"

namespace gstage {

/// Reads the files of `-symbols` into riscv::program_symbols(). A file without symbols is an error.
Status load_symbols(const Options& options);

}  // namespace gstage
