// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace gstage::riscv {

/// The models that `-cpu` can name, in the order of its help.
std::vector<std::string> cpu_model_names();

}  // namespace gstage::riscv
