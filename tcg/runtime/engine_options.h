// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace gstage {

/// `-accel`: translation to host code, or interpretation of the intermediate code.
enum class Accel : std::uint8_t { kJit, kInterp };

/// `-accel jit,regions=`: whether hot loops are compiled as a whole.
enum class Regions : std::uint8_t {
  kOff,
  kOn,     ///< those in which harts are found time and again
  kEager,  ///< every loop as soon as it is translated (for tests: slow)
};

namespace tcg {

/// How the engine is set up.
struct EngineOptions {
  Accel accel = Accel::kJit;
  std::size_t buffer_bytes = 0;  ///< `-accel jit,tb-size=MiB`; 0: default
  Regions regions = Regions::kOn;
};

}  // namespace tcg
}  // namespace gstage
