// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "softmmu/base/result.h"
#include "system/options.h"

namespace gstage {

/// What `-numa help` prints.
std::string numa_help();
/// Refuses a `-numa` of a kind, or with a property, that is not there.
Status check_numa(const DeviceOptions& given);
/// All of `-numa`, once the whole command line is known.
Result<NumaOptions> read_numa(const Options& options);

}  // namespace gstage
