// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// RV64A, Zabha and Zacas (ISA manual vol. I, "Zalrsc", "Zaamo", "Zabha" and "Zacas" chapters). The IR's
// atomics are sequentially consistent, so that aq and rl ask for nothing more.

namespace gstage::riscv {

using tcg::MemKind;
using tcg::Rmw;

bool Translator::load_reserved(const ArgsAmo& args, MemKind kind) {
  set_x(args.rd, ir_.load_reserved(x(args.rs1), kind));
  return true;
}

// Permission to write is needed even where the store would fail.
bool Translator::store_conditional(const ArgsAmo& args, MemKind kind) {
  const Value address = x(args.rs1);
  const Value host = ir_.atomic_host(address, kind);
  set_x(args.rd, ir_.store_conditional(host, address, x(args.rs2), kind));
  return true;
}

bool Translator::amo(const ArgsAmo& args, Rmw rmw, MemKind kind) {
  const Value host = ir_.atomic_host(x(args.rs1), kind);
  set_x(args.rd, ir_.atomic_rmw(host, x(args.rs2), static_cast<std::int64_t>(rmw), kind));
  return true;
}

bool Translator::compare_and_swap(const ArgsAmo& args, MemKind kind) {
  const Value host = ir_.atomic_host(x(args.rs1), kind);
  set_x(args.rd, ir_.atomic_cas(host, x(args.rd), x(args.rs2), kind));
  return true;
}
bool Translator::amocas_q(const ArgsAmo& args) {
  ir_.call(k_amocas_q, {x(args.rs1), raw_bits()});
  return true;
}

bool Translator::lr_w(const ArgsAmo& args) { return load_reserved(args, MemKind::s32); }
bool Translator::sc_w(const ArgsAmo& args) { return store_conditional(args, MemKind::s32); }
bool Translator::amoswap_w(const ArgsAmo& args) { return amo(args, Rmw::swap, MemKind::s32); }
bool Translator::amoadd_w(const ArgsAmo& args) { return amo(args, Rmw::add, MemKind::s32); }
bool Translator::amoxor_w(const ArgsAmo& args) { return amo(args, Rmw::xor_, MemKind::s32); }
bool Translator::amoand_w(const ArgsAmo& args) { return amo(args, Rmw::and_, MemKind::s32); }
bool Translator::amoor_w(const ArgsAmo& args) { return amo(args, Rmw::or_, MemKind::s32); }
bool Translator::amomin_w(const ArgsAmo& args) { return amo(args, Rmw::min, MemKind::s32); }
bool Translator::amomax_w(const ArgsAmo& args) { return amo(args, Rmw::max, MemKind::s32); }
bool Translator::amominu_w(const ArgsAmo& args) { return amo(args, Rmw::minu, MemKind::s32); }
bool Translator::amomaxu_w(const ArgsAmo& args) { return amo(args, Rmw::maxu, MemKind::s32); }

bool Translator::lr_d(const ArgsAmo& args) { return load_reserved(args, MemKind::u64); }
bool Translator::sc_d(const ArgsAmo& args) { return store_conditional(args, MemKind::u64); }
bool Translator::amoswap_d(const ArgsAmo& args) { return amo(args, Rmw::swap, MemKind::u64); }
bool Translator::amoadd_d(const ArgsAmo& args) { return amo(args, Rmw::add, MemKind::u64); }
bool Translator::amoxor_d(const ArgsAmo& args) { return amo(args, Rmw::xor_, MemKind::u64); }
bool Translator::amoand_d(const ArgsAmo& args) { return amo(args, Rmw::and_, MemKind::u64); }
bool Translator::amoor_d(const ArgsAmo& args) { return amo(args, Rmw::or_, MemKind::u64); }
bool Translator::amomin_d(const ArgsAmo& args) { return amo(args, Rmw::min, MemKind::u64); }
bool Translator::amomax_d(const ArgsAmo& args) { return amo(args, Rmw::max, MemKind::u64); }
bool Translator::amominu_d(const ArgsAmo& args) { return amo(args, Rmw::minu, MemKind::u64); }
bool Translator::amomaxu_d(const ArgsAmo& args) { return amo(args, Rmw::maxu, MemKind::u64); }

bool Translator::amoswap_b(const ArgsAmo& args) { return amo(args, Rmw::swap, MemKind::s8); }
bool Translator::amoadd_b(const ArgsAmo& args) { return amo(args, Rmw::add, MemKind::s8); }
bool Translator::amoxor_b(const ArgsAmo& args) { return amo(args, Rmw::xor_, MemKind::s8); }
bool Translator::amoand_b(const ArgsAmo& args) { return amo(args, Rmw::and_, MemKind::s8); }
bool Translator::amoor_b(const ArgsAmo& args) { return amo(args, Rmw::or_, MemKind::s8); }
bool Translator::amomin_b(const ArgsAmo& args) { return amo(args, Rmw::min, MemKind::s8); }
bool Translator::amomax_b(const ArgsAmo& args) { return amo(args, Rmw::max, MemKind::s8); }
bool Translator::amominu_b(const ArgsAmo& args) { return amo(args, Rmw::minu, MemKind::s8); }
bool Translator::amomaxu_b(const ArgsAmo& args) { return amo(args, Rmw::maxu, MemKind::s8); }

bool Translator::amoswap_h(const ArgsAmo& args) { return amo(args, Rmw::swap, MemKind::s16); }
bool Translator::amoadd_h(const ArgsAmo& args) { return amo(args, Rmw::add, MemKind::s16); }
bool Translator::amoxor_h(const ArgsAmo& args) { return amo(args, Rmw::xor_, MemKind::s16); }
bool Translator::amoand_h(const ArgsAmo& args) { return amo(args, Rmw::and_, MemKind::s16); }
bool Translator::amoor_h(const ArgsAmo& args) { return amo(args, Rmw::or_, MemKind::s16); }
bool Translator::amomin_h(const ArgsAmo& args) { return amo(args, Rmw::min, MemKind::s16); }
bool Translator::amomax_h(const ArgsAmo& args) { return amo(args, Rmw::max, MemKind::s16); }
bool Translator::amominu_h(const ArgsAmo& args) { return amo(args, Rmw::minu, MemKind::s16); }
bool Translator::amomaxu_h(const ArgsAmo& args) { return amo(args, Rmw::maxu, MemKind::s16); }

bool Translator::amocas_b(const ArgsAmo& args) { return compare_and_swap(args, MemKind::s8); }
bool Translator::amocas_h(const ArgsAmo& args) { return compare_and_swap(args, MemKind::s16); }
bool Translator::amocas_w(const ArgsAmo& args) { return compare_and_swap(args, MemKind::s32); }
bool Translator::amocas_d(const ArgsAmo& args) { return compare_and_swap(args, MemKind::u64); }

}  // namespace gstage::riscv
