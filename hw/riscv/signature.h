// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "softmmu/mem/address_space.h"
#include "hw/core/machine.h"
#include "hw/riscv/image_file.h"

namespace gstage::hw {

/// `-signature`: what an architecture test leaves in memory between its symbols `begin_signature` and
/// `end_signature`, written at the end of the machine as the tests' framework compares it: `granularity`
/// bytes a line, as one hexadecimal number.
class Signature {
 public:
  /// Finds the range in the first of the files that has it, and makes the output file. `memory` outlives the
  /// object.
  static Result<std::unique_ptr<Signature>> plan(const SignatureOptions& options,
                                                 std::span<const std::shared_ptr<ImageFile>> files,
                                                 const AddressSpace& memory);
  ~Signature();
  Signature(const Signature&) = delete;
  Signature& operator=(const Signature&) = delete;

  /// Replaces what is in the file.
  Status write();

 private:
  Signature(const SignatureOptions& options, const AddressSpace& memory)
      : options_(options), memory_(memory) {}

  const SignatureOptions options_;
  const AddressSpace& memory_;
  Paddr begin_;
  std::uint64_t size_ = 0;
  int fd_ = -1;
};

}  // namespace gstage::hw
