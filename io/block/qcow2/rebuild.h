// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "softmmu/base/result.h"
#include "io/block/qcow2/qcow2.h"

namespace gstage::qcow2 {

/// Counts anew who refers to which cluster of an image that was not closed (its dirty bit is set), writes the
/// counts and clears the bit. `header` is what the image has then. `name` is for messages.
Status rebuild_refcounts(BlockFile& file, Header& header, const std::string& name);

}  // namespace gstage::qcow2
