// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/ops/fence_operands.h"
#include "target/riscv/trans/translator.h"

// Cache blocks (Zicbom, Zicboz), waiting (Zawrs), may-be operations (Zimop), fine-grained fences (Svinval).

namespace gstage::riscv {

bool Translator::cache_block(const ArgsR2& args, CacheBlockOp op) {
  ir_.call(k_cache_block, {x(args.rs1), ir_.const_(static_cast<std::int64_t>(op)), raw_bits()});
  return true;
}
bool Translator::cbo_inval(const ArgsR2& args) { return cache_block(args, CacheBlockOp::kInvalidate); }
bool Translator::cbo_clean(const ArgsR2& args) { return cache_block(args, CacheBlockOp::kClean); }
bool Translator::cbo_flush(const ArgsR2& args) { return cache_block(args, CacheBlockOp::kClean); }
bool Translator::cbo_zero(const ArgsR2& args) { return cache_block(args, CacheBlockOp::kZero); }

bool Translator::wrs_nto(const ArgsNone&) {
  ir_.call(k_wait_reservation, {raw_bits(), ir_.const_(1)});
  return true;
}
bool Translator::wrs_sto(const ArgsNone&) {
  ir_.call(k_wait_reservation, {raw_bits(), ir_.const_(0)});
  return true;
}

// Nothing redefines them here: they write zero.
bool Translator::mop_r(const ArgsMopR& args) {
  set_x(args.rd, ir_.const_(0));
  return true;
}
bool Translator::mop_rr(const ArgsMopRR& args) {
  set_x(args.rd, ir_.const_(0));
  return true;
}

// Invalidations take effect at once, so that the fences around them have nothing left to order; the sanitizer
// looks for them. Neither TVM nor VTVM concerns those fences ("Svinval" chapter).
bool Translator::sinval_vma(const ArgsVma& args) { return supervisor_fence(args, kFenceIsSinval); }
bool Translator::hinval_vvma(const ArgsVma& args) {
  return hypervisor_fence(args, k_hfence_vvma, kFenceIsSinval);
}
bool Translator::hinval_gvma(const ArgsVma& args) {
  return hypervisor_fence(args, k_hfence_gvma, kFenceIsSinval);
}
bool Translator::sinval_fence(bool is_after) {
  if (privilege() == kUser) return is_virtual() && virtual_instruction();
  ir_.call(k_sinval_fence, {ir_.const_(is_after ? 1 : 0)});
  return true;
}
bool Translator::sfence_w_inval(const ArgsNone&) { return sinval_fence(false); }
bool Translator::sfence_inval_ir(const ArgsNone&) { return sinval_fence(true); }

}  // namespace gstage::riscv
