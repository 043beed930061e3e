// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/chardev.h"

namespace gstage {

/// `base`, and all that is written to it goes into the file `path` as well, whoever is at the far end. The
/// file is made anew, or continued.
Result<std::shared_ptr<Chardev>> make_log_chardev(std::shared_ptr<Chardev> base, const std::string& path,
                                                  bool appends);

}  // namespace gstage
