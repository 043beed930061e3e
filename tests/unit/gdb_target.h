// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "system/gdb/target.h"

namespace gstage::gdb {

/// A target of numbers: two harts with 33 registers, 256 bytes of memory at 0x1000. A hart that goes runs
/// until somebody stops it, or says that it stopped.
class FakeTarget final : public Target {
 public:
  explicit FakeTarget(unsigned harts = 2)
      : running(harts), registers(harts, std::vector<std::uint64_t>(33)) {}

  void listen(TargetListener* to) override { listener = to; }
  [[nodiscard]] unsigned harts() const override { return static_cast<unsigned>(running.size()); }
  [[nodiscard]] bool is_running(unsigned hart) const override { return running[hart]; }
  void set_non_stop(bool is_on) override { is_non_stop = is_on; }
  void resume(std::span<const Move> wanted) override {
    moves.assign(wanted.begin(), wanted.end());
    for (unsigned hart = 0; hart < harts(); ++hart)
      if (wanted[hart] != Move::kStay || !is_non_stop) running[hart] = true;
  }
  void stop(unsigned hart, unsigned signal) override {
    if (running[hart]) has_stopped({hart, signal});
  }
  /// As hardware would tell of it.
  void has_stopped(const Stop& stop) {
    if (is_non_stop)
      running[stop.hart] = false;
    else
      running.assign(harts(), false);
    if (listener != nullptr) listener->stopped(stop);
  }

  std::string description() override { return "<target>" + std::string(300, ' ') + "}*#$</target>"; }
  std::optional<std::string> read_register(unsigned hart, unsigned number) override {
    if (number >= registers[hart].size()) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(&registers[hart][number]), 8);
  }
  bool write_register(unsigned hart, unsigned number, const std::string& bytes) override {
    if (number >= registers[hart].size() || bytes.size() != 8) return false;
    bytes.copy(reinterpret_cast<char*>(&registers[hart][number]), 8);
    return true;
  }
  std::string read_memory(unsigned, std::uint64_t address, std::size_t size) override {
    return address - kBase < memory.size() ? memory.substr(address - kBase, size) : "";
  }
  bool write_memory(unsigned, std::uint64_t address, const std::string& bytes) override {
    if (address - kBase >= memory.size() || bytes.size() > memory.size() - (address - kBase)) return false;
    memory.replace(address - kBase, bytes.size(), bytes);
    return true;
  }
  std::string memory_map() override { return "<memory-map/>"; }
  std::string hart_text(unsigned hart) override { return hart == 0 ? "M" : "VS <1>"; }
  Status insert(const Point& point) override {
    if ((point.address & 1) != 0) return error("odd");
    points.insert({static_cast<unsigned>(point.kind), point.address});
    return Ok{};
  }
  void remove(const Point& point) override {
    points.erase({static_cast<unsigned>(point.kind), point.address});
  }
  void remove_all_points() override { points.clear(); }
  std::string command(unsigned, const std::string& line) override { return "did " + line + "\n"; }
  void kill() override { is_killed = true; }
  void restart() override { ++restarts; }

  static constexpr std::uint64_t kBase = 0x1000;
  TargetListener* listener = nullptr;
  bool is_non_stop = false;
  bool is_killed = false;
  unsigned restarts = 0;
  std::vector<bool> running;
  std::vector<Move> moves;
  std::vector<std::vector<std::uint64_t>> registers;
  std::string memory = std::string(256, '\x11');
  std::set<std::pair<unsigned, std::uint64_t>> points;
};

}  // namespace gstage::gdb
