// SPDX-License-Identifier: Apache-2.0
// Operations that are the same in several formats (ISA manual vol. I, "F", "D" and "Zfh" chapters).
#include "target/riscv/ops/fp_common.h"

namespace gstage::riscv {

using namespace fp_ops;  // NOLINT: the file's own vocabulary

#define FP_HELPER(name, format, ...)                                                              \
  std::uint64_t helper_##name([[maybe_unused]] CpuCore* core, std::uint64_t a,                    \
                              [[maybe_unused]] std::uint64_t b, [[maybe_unused]] std::uint64_t c, \
                              [[maybe_unused]] std::uint64_t d) {                                 \
    static constexpr const soft_float::Format& kFormat = format;                                  \
    return __VA_ARGS__;                                                                           \
  }
#define FP_SD(name, ...)                    \
  FP_HELPER(name##_s, kSingle, __VA_ARGS__) \
  FP_HELPER(name##_d, kDouble, __VA_ARGS__)
#define FP_SDH(name, ...)  \
  FP_SD(name, __VA_ARGS__) \
  FP_HELPER(name##_h, kHalf, __VA_ARGS__)
#include "target/riscv/ops/fp_operations.inc"
#undef FP_SDH
#undef FP_SD
#undef FP_HELPER

std::uint64_t helper_fcvt_s_d(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                              std::uint64_t) {
  return rounded(core, raw,
                 [&](Env& env) { return kSingle.box(soft_float::convert(env, kDouble, kSingle, a)); });
}

}  // namespace gstage::riscv
