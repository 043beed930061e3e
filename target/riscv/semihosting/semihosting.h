// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "softmmu/base/result.h"
#include "softmmu/machine_control.h"
#include "target/riscv/semihosting/console.h"
#include "target/riscv/semihosting/files.h"
#include "target/riscv/semihosting/memory.h"
#include "target/riscv/semihosting/options.h"

namespace gstage::riscv {

/// Semihosting: a program asks services of the host by an `ebreak` between two instructions that do nothing
/// (RISC-V Semihosting specification; the calls are those of Arm's). One object for all harts of a machine.
class Semihosting {
 public:
  /// `control` is asked for the end of the machine, and outlives the object.
  static Result<std::unique_ptr<Semihosting>> make(const SemihostingOptions& options,
                                                   MachineControl& control);

  /// Looks at the `ebreak` at `pc`. Nothing when it is an ordinary one, for which the hart takes the
  /// exception. Otherwise where the hart goes on: behind the call, or there again because it is not done yet.
  /// Own thread, with the registers in `hart`.
  std::optional<Vaddr> call(Hart& hart, Vaddr pc);

 private:
  /// One call of one hart.
  struct Call {
    Hart& hart;
    CallerMemory memory;
    std::uint64_t parameter;
    std::uint64_t words[4];  ///< of the parameter block, as many as the call has
  };
  /// What goes into a0; nothing: the hart shall come again.
  using Answer = std::optional<std::int64_t>;
  struct Row {
    std::uint64_t number;
    unsigned words;
    Answer (Semihosting::*run)(Call& call);
  };
  static const Row kRows[];

  Semihosting(const SemihostingOptions& options, MachineControl& control, std::unique_ptr<HostFolder> folder);

  Answer open(Call& call);
  Answer close(Call& call);
  Answer write_character(Call& call);
  Answer write_text(Call& call);
  Answer write(Call& call);
  Answer read(Call& call);
  Answer read_character(Call& call);
  Answer is_error(Call& call);
  Answer is_terminal(Call& call);
  Answer seek(Call& call);
  Answer length(Call& call);
  Answer temporary_name(Call& call);
  Answer remove(Call& call);
  Answer rename(Call& call);
  Answer clock(Call& call);
  Answer time(Call& call);
  Answer system(Call& call);
  Answer last_error(Call& call);
  Answer command_line(Call& call);
  Answer heap_info(Call& call);
  Answer exit(Call& call);
  Answer elapsed(Call& call);
  Answer tick_frequency(Call& call);

  Answer dispatch(Hart& hart);
  /// -1, and SYS_ERRNO's answer from now on.
  Answer fail(int error);
  /// The result of a file operation as calls that know 0 or more and -1 answer it.
  Answer plain(std::int64_t result);

  MachineControl& control_;
  const bool has_userspace_;
  const std::string command_line_;
  SemihostingConsole console_;
  std::mutex mutex_;  ///< of what follows
  SemihostingFiles files_;
  int errno_ = 0;
};

}  // namespace gstage::riscv
