// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage {

/// What a line of the log is about: an instruction of a hart in a world.
struct LogSubject {
  std::uint64_t pc = 0;
  unsigned hart = 0;
  bool v = false;     ///< in a guest
  unsigned vmid = 0;  ///< of the guest; counts under v alone
};

/// Which of the lines that are about instructions are wanted (`-dfilter`). Of several values of one kind one
/// must hold, of the kinds that are named all.
class LogFilter {
 public:
  /// Adds "START..END", "START+SIZE", "START-SIZE" (the bytes before START), "hart=N", "v=0|1", "vmid=N",
  /// separated by commas. Numbers as in C. An Error says what is wrong.
  Status add(const std::string& list);

  [[nodiscard]] bool empty() const { return ranges_.empty() && worlds_.empty(); }
  /// Whether the address is in a range, or there is none.
  [[nodiscard]] bool has_address(std::uint64_t address) const;
  [[nodiscard]] bool has(const LogSubject& subject) const;

 private:
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };
  enum class Kind : std::uint8_t { kHart, kVirtual, kVmid };
  struct World {
    Kind kind;
    std::uint64_t value;
  };

  Status add_item(const std::string& item);
  [[nodiscard]] bool has_world(Kind kind, std::optional<std::uint64_t> value) const;

  std::vector<Range> ranges_;
  std::vector<World> worlds_;
};

/// Whether `-d exec` shows registers, too (`-d cpu`). Set before the harts start.
bool& log_shows_registers();

/// The program's filter. Changed before the harts start; then only read, by any thread.
LogFilter& log_filter();

}  // namespace gstage
