// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "softmmu/base/result.h"

namespace gstage::gdb {

/// What Z and z packets set: the digit behind them.
enum class PointKind : std::uint8_t { kSoftware, kHardware, kWrite, kRead, kAccess };
inline constexpr unsigned kPointKinds = 5;
struct Point {
  PointKind kind = PointKind::kSoftware;
  std::uint64_t address = 0;
  std::uint64_t size = 0;  ///< bytes; of a breakpoint: of its instruction
};

/// What a hart is to do.
enum class Move : std::uint8_t { kStay, kContinue, kStep };

/// Signals as the protocol numbers them.
enum Signal : unsigned { kNoSignal = 0, kSigint = 2, kSigtrap = 5 };

/// Why a hart is stopped.
struct Stop {
  unsigned hart = 0;
  unsigned signal = kSigtrap;
  std::optional<PointKind> point{};  ///< what it met
  std::uint64_t address = 0;         ///< of a watchpoint: what was accessed
};

/// Who is told.
class TargetListener {
 public:
  virtual ~TargetListener() = default;
  /// The hart has stopped; where all stop together, all have.
  virtual void stopped(const Stop& stop) = 0;
};

/// What the server debugs: harts, numbered from 0. On the event loop's thread.
class Target {
 public:
  virtual ~Target() = default;
  /// Null: nobody is attached. What harts do meanwhile nobody is told.
  virtual void listen(TargetListener* listener) = 0;

  [[nodiscard]] virtual unsigned harts() const = 0;
  [[nodiscard]] virtual bool is_running(unsigned hart) const = 0;
  /// From now on each hart stops and goes on alone; else all stop when one does.
  virtual void set_non_stop(bool is_non_stop) = 0;
  /// Lets harts go, `moves` has one for each. Of harts that stop alone, those that are to stay are left as
  /// they are; else they stay while the others run. `stopped` follows.
  virtual void resume(std::span<const Move> moves) = 0;
  /// Stops a hart, or where all stop together all of them; `stopped` follows with the signal, unless the hart
  /// is stopped already.
  virtual void stop(unsigned hart, unsigned signal) = 0;

  /// The target description, an XML text.
  virtual std::string description() = 0;
  /// The bytes of a register, lowest first; nothing if there is none of this number.
  virtual std::optional<std::string> read_register(unsigned hart, unsigned number) = 0;
  virtual bool write_register(unsigned hart, unsigned number, const std::string& bytes) = 0;
  /// As many bytes as can be read.
  virtual std::string read_memory(unsigned hart, std::uint64_t address, std::size_t size) = 0;
  virtual bool write_memory(unsigned hart, std::uint64_t address, const std::string& bytes) = 0;
  /// The map of memory, an XML text.
  virtual std::string memory_map() = 0;
  /// What the list of threads says of a hart.
  virtual std::string hart_text(unsigned hart) = 0;

  virtual Status insert(const Point& point) = 0;
  virtual void remove(const Point& point) = 0;
  virtual void remove_all_points() = 0;

  /// Executes what was typed after "monitor"; what it answers.
  virtual std::string command(unsigned hart, const std::string& line) = 0;
  /// The machine ends.
  virtual void kill() = 0;
  /// The machine as at power-on, stopped. Expects that it is stopped.
  virtual void restart() = 0;
};

}  // namespace gstage::gdb
