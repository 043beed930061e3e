// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// RV64M (ISA manual vol. I, "M" chapter). The IR's division has RISC-V's results for zero and overflow.

namespace gstage::riscv {

using tcg::Builder;

bool Translator::mul(const ArgsR& args) { return compute(args, &Builder::mul); }
bool Translator::mulh(const ArgsR& args) { return compute(args, &Builder::mulh); }
bool Translator::mulhsu(const ArgsR& args) { return compute(args, &Builder::mulhsu); }
bool Translator::mulhu(const ArgsR& args) { return compute(args, &Builder::mulhu); }
bool Translator::div(const ArgsR& args) { return compute(args, &Builder::div); }
bool Translator::divu(const ArgsR& args) { return compute(args, &Builder::divu); }
bool Translator::rem(const ArgsR& args) { return compute(args, &Builder::rem); }
bool Translator::remu(const ArgsR& args) { return compute(args, &Builder::remu); }
bool Translator::mulw(const ArgsR& args) { return compute(args, &Builder::mulw); }
bool Translator::divw(const ArgsR& args) { return compute(args, &Builder::divw); }
bool Translator::divuw(const ArgsR& args) { return compute(args, &Builder::divuw); }
bool Translator::remw(const ArgsR& args) { return compute(args, &Builder::remw); }
bool Translator::remuw(const ArgsR& args) { return compute(args, &Builder::remuw); }

}  // namespace gstage::riscv
