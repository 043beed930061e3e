// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "target/riscv/debug/debugger.h"
#include "target/riscv/inspect/memory.h"
#include "target/riscv/inspect/registers.h"
#include "hw/core/machine.h"
#include "system/gdb/target.h"
#include "system/run_state.h"

namespace gstage::gdb {

/// What a user of gdb has chosen by `monitor`.
struct Choices {
  riscv::World world{};         ///< whose addresses memory and breakpoints are about
  riscv::WorldFilter filter{};  ///< of breakpoints and watchpoints from now on
  riscv::StepMode step = riscv::StepMode::kIntoTraps;
  bool has_devices = false;  ///< memory reads and writes reach devices
};

/// The machine as gdb debugs it.
class MachineTarget final : public Target {
 public:
  /// Executes a line of the human monitor's language for a hart; what it prints.
  using Hmp = std::function<std::string(unsigned hart, const std::string& line)>;

  /// The machine has harts.
  MachineTarget(Machine& machine, RunState& run_state, Hmp hmp);
  ~MachineTarget() override;
  MachineTarget(const MachineTarget&) = delete;
  MachineTarget& operator=(const MachineTarget&) = delete;

  void listen(TargetListener* listener) override;
  [[nodiscard]] unsigned harts() const override { return static_cast<unsigned>(harts_.size()); }
  [[nodiscard]] bool is_running(unsigned hart) const override;
  void set_non_stop(bool is_non_stop) override;
  void resume(std::span<const Move> moves) override;
  void stop(unsigned hart, unsigned signal) override;
  std::string description() override;
  std::optional<std::string> read_register(unsigned hart, unsigned number) override;
  bool write_register(unsigned hart, unsigned number, const std::string& bytes) override;
  std::string read_memory(unsigned hart, std::uint64_t address, std::size_t size) override;
  bool write_memory(unsigned hart, std::uint64_t address, const std::string& bytes) override;
  std::string memory_map() override;
  std::string hart_text(unsigned hart) override;
  Status insert(const Point& point) override;
  void remove(const Point& point) override;
  void remove_all_points() override;
  std::string command(unsigned hart, const std::string& line) override;
  void kill() override;
  void restart() override;

  Choices& choices() { return choices_; }
  /// What the world's addresses are, for a hart; why they cannot be translated.
  Result<riscv::Regime> view(unsigned hart);

 private:
  /// Points are told apart by what gdb says of them.
  using PointKey = std::pair<PointKind, std::uint64_t>;
  /// What gdb's point is to the debugger. gdb takes points out when harts stop, or to step over them, and
  /// puts them in again, so this is remembered when they are out: until the user makes another choice, or
  /// harts go on without it.
  struct Meaning {
    riscv::AddressKind kind = riscv::AddressKind::kVirtual;
    riscv::WorldFilter filter{};
    std::uint64_t size = 0;
    bool is_set = false;
    unsigned removed_at = 0;  ///< the count of choices then
  };
  void stopped(const riscv::StopEvent& event);
  Stop stop_of(const riscv::StopEvent& event);
  void resume_all(std::span<const Move> moves);
  void forget_unused();
  Meaning meaning_now(const Point& point) const;
  void change(const PointKey& key, const Meaning& meaning, bool is_insert, Status& status);
  const riscv::Register* find(unsigned number) const;
  [[nodiscard]] bool wait_until_parked();

  /// What a hart is up to.
  struct HartState {
    bool is_parked = false;     ///< of harts that stop alone
    bool is_held = false;       ///< to stay while the others run
    unsigned signal = kSigint;  ///< what its next halt is told as
  };

  Machine& machine_;
  RunState& run_state_;
  const Hmp hmp_;
  riscv::Debugger& debugger_;
  std::vector<riscv::Hart*> harts_;
  std::vector<riscv::Register> registers_;
  std::vector<HartState> states_;
  TargetListener* listener_ = nullptr;
  unsigned subscription_ = 0;
  bool is_non_stop_ = false;
  bool are_parked_ = false;  ///< all harts, where they stop together
  Choices choices_;
  unsigned choice_count_ = 0;
  std::map<PointKey, Meaning> points_;
};

}  // namespace gstage::gdb
