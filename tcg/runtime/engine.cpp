// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/engine.h"

#include "tcg/runtime/interp_engine.h"
#if defined(__x86_64__)
#include "tcg/runtime/jit_engine.h"
#endif

namespace gstage::tcg {

Result<std::unique_ptr<Engine>> Engine::make(Guest& guest, AddressSpace& memory, Exclusive& exclusive,
                                             const EngineOptions& options) {
  if (options.accel == Accel::kInterp)
    return std::unique_ptr<Engine>(
        std::make_unique<InterpEngine>(guest, memory, exclusive, options.buffer_bytes));
#if defined(__x86_64__)
  auto buffer = CodeBuffer::make(options.buffer_bytes);
  if (!buffer) return buffer.error();
  auto log = CodeLog::make(code_log_wants());
  if (!log) return log.error();
  auto engine = std::make_unique<JitEngine>(guest, memory, exclusive, std::move(*buffer),
                                            x86_64::detect_host(), options.regions);
  engine->set_code_log(std::move(*log));
  return std::unique_ptr<Engine>(std::move(engine));
#else
  return error("-accel jit needs an x86-64 host; use -accel interp");
#endif
}

}  // namespace gstage::tcg
