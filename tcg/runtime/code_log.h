// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "softmmu/base/result.h"

namespace gstage::tcg {

/// What `-perfmap` and `-jitdump` ask for, one a program, as the log's items are. Set before machines are
/// made.
struct CodeLogWants {
  bool perf_map = false;
  bool jitdump = false;
};
/// The program's.
CodeLogWants& code_log_wants();

/// Tells profilers what generated code is: a perf map (the kernel's
/// tools/perf/Documentation/jit-interface.txt) and a jitdump (jitdump-specification.txt in the same folder).
/// Files are opened when it is made.
class CodeLog {
 public:
  /// Null when neither is asked for.
  static Result<std::unique_ptr<CodeLog>> make(const CodeLogWants& wants);
  ~CodeLog();
  CodeLog(const CodeLog&) = delete;
  CodeLog& operator=(const CodeLog&) = delete;

  /// There is code now at its bytes' addresses, as harts run it. One caller at a time.
  void add(const std::string& name, std::span<const std::uint8_t> code);

 private:
  CodeLog() = default;
  Status open_map();
  Status open_dump();

  int map_ = -1;
  int dump_ = -1;
  void* marker_ = nullptr;  ///< the mapping by which perf finds the dump
  std::uint64_t index_ = 0;
};

}  // namespace gstage::tcg
