// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "softmmu/base/check.h"
#include "hw/core/hart_lines.h"

namespace gstage::fuzz {

/// Two harts' interrupt wires that lead nowhere.
class Wires {
 public:
  static constexpr unsigned kHarts = 2;
  std::vector<hw::HartLines*> lines() { return {&lines_[0], &lines_[1]}; }

 private:
  class Lines final : public hw::HartLines {
   public:
    void set_pending(unsigned mip_bit, bool) override { CHECK(mip_bit < 64); }
  };
  std::array<Lines, kHarts> lines_;
};

}  // namespace gstage::fuzz
