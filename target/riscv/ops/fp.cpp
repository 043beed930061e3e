// SPDX-License-Identifier: Apache-2.0
// Singles and doubles (ISA manual vol. I, "F" and "D" chapters).
#include "target/riscv/ops/fp_common.h"

namespace gstage::riscv {

using namespace fp_ops;  // NOLINT: the file's own vocabulary

std::uint64_t helper_fadd_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::add>(core, a, b, raw);
}
std::uint64_t helper_fsub_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::sub>(core, a, b, raw);
}
std::uint64_t helper_fmul_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::mul>(core, a, b, raw);
}
std::uint64_t helper_fdiv_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::div>(core, a, b, raw);
}
std::uint64_t helper_fsqrt_s(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                             std::uint64_t) {
  return square_root<kSingle>(core, a, raw);
}
std::uint64_t helper_fma_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                           std::uint64_t raw) {
  return fused<kSingle>(core, {a, b, c}, raw);
}
std::uint64_t helper_fcvt_int_s(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return to_int<kSingle>(core, a, raw);
}
std::uint64_t helper_fcvt_s_int(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return from_int<kSingle>(core, a, raw);
}
std::uint64_t helper_fmin_s(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number(kSingle, a, b, {.wants_larger = false, .keeps_nan = false});
}
std::uint64_t helper_fmax_s(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number(kSingle, a, b, {.wants_larger = true, .keeps_nan = false});
}
std::uint64_t helper_fclass_s(CpuCore*, std::uint64_t a, std::uint64_t, std::uint64_t, std::uint64_t) {
  return classify<kSingle>(a);
}
std::uint64_t helper_fadd_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::add>(core, a, b, raw);
}
std::uint64_t helper_fsub_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::sub>(core, a, b, raw);
}
std::uint64_t helper_fmul_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::mul>(core, a, b, raw);
}
std::uint64_t helper_fdiv_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::div>(core, a, b, raw);
}
std::uint64_t helper_fsqrt_d(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                             std::uint64_t) {
  return square_root<kDouble>(core, a, raw);
}
std::uint64_t helper_fma_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                           std::uint64_t raw) {
  return fused<kDouble>(core, {a, b, c}, raw);
}
std::uint64_t helper_fcvt_int_d(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return to_int<kDouble>(core, a, raw);
}
std::uint64_t helper_fcvt_d_int(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return from_int<kDouble>(core, a, raw);
}
std::uint64_t helper_fmin_d(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number(kDouble, a, b, {.wants_larger = false, .keeps_nan = false});
}
std::uint64_t helper_fmax_d(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number(kDouble, a, b, {.wants_larger = true, .keeps_nan = false});
}
std::uint64_t helper_fclass_d(CpuCore*, std::uint64_t a, std::uint64_t, std::uint64_t, std::uint64_t) {
  return classify<kDouble>(a);
}
std::uint64_t helper_fcvt_s_d(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                              std::uint64_t) {
  return rounded(core, raw,
                 [&](Env& env) { return kSingle.box(soft_float::convert(env, kDouble, kSingle, a)); });
}

}  // namespace gstage::riscv
