// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <immintrin.h>

#include "softmmu/cpu.h"

namespace gstage::tcg::interp {

/// The hart's MXCSR is the host's, while this lives.
class GuestFloat {
 public:
  explicit GuestFloat(CpuCore& core) : core_(core), host_(_mm_getcsr()) { _mm_setcsr(core.mxcsr); }
  ~GuestFloat() {
    core_.mxcsr = _mm_getcsr();
    _mm_setcsr(host_);
  }
  GuestFloat(const GuestFloat&) = delete;
  GuestFloat& operator=(const GuestFloat&) = delete;

 private:
  CpuCore& core_;
  std::uint32_t host_;
};

}  // namespace gstage::tcg::interp
