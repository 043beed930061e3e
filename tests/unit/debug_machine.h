// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "target/riscv/cpu.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/debug/debugger.h"
#include "target/riscv/hart.h"
#include "target/riscv/trap/mode.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"
#include "system/machine_requests.h"

namespace gstage::riscv {

/// Instructions.
namespace rv {
constexpr std::uint32_t i(std::int32_t imm, unsigned rs1, unsigned f3, unsigned rd, unsigned op) {
  return static_cast<std::uint32_t>(imm) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}
constexpr std::uint32_t s(std::int32_t imm, unsigned rs2, unsigned rs1, unsigned f3, unsigned op) {
  const auto u = static_cast<std::uint32_t>(imm);
  return (u >> 5 & 127) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (u & 31) << 7 | op;
}
constexpr std::uint32_t addi(unsigned rd, unsigned rs1, std::int32_t imm) { return i(imm, rs1, 0, rd, 0x13); }
constexpr std::uint32_t lb(unsigned rd, unsigned rs1, std::int32_t imm) { return i(imm, rs1, 0, rd, 0x03); }
constexpr std::uint32_t ld(unsigned rd, unsigned rs1, std::int32_t imm) { return i(imm, rs1, 3, rd, 0x03); }
constexpr std::uint32_t fld(unsigned rd, unsigned rs1, std::int32_t imm) { return i(imm, rs1, 3, rd, 0x07); }
constexpr std::uint32_t sb(unsigned rs2, unsigned rs1, std::int32_t imm) { return s(imm, rs2, rs1, 0, 0x23); }
constexpr std::uint32_t sd(unsigned rs2, unsigned rs1, std::int32_t imm) { return s(imm, rs2, rs1, 3, 0x23); }
constexpr std::uint32_t sw(unsigned rs2, unsigned rs1, std::int32_t imm) { return s(imm, rs2, rs1, 2, 0x23); }
constexpr std::uint32_t fsd(unsigned rs2, unsigned rs1, std::int32_t imm) {
  return s(imm, rs2, rs1, 3, 0x27);
}
constexpr std::uint32_t bne(unsigned rs1, unsigned rs2, std::int32_t to) {
  const auto u = static_cast<std::uint32_t>(to);
  return (u >> 12 & 1) << 31 | (u >> 5 & 63) << 25 | rs2 << 20 | rs1 << 15 | 1 << 12 | (u >> 1 & 15) << 8 |
         (u >> 11 & 1) << 7 | 0x63;
}
constexpr std::uint32_t jal(unsigned rd, std::int32_t to) {
  const auto u = static_cast<std::uint32_t>(to);
  return (u >> 20 & 1) << 31 | (u >> 1 & 1023) << 21 | (u >> 11 & 1) << 20 | (u >> 12 & 255) << 12 | rd << 7 |
         0x6f;
}
constexpr std::uint32_t jalr(unsigned rd, unsigned rs1) { return i(0, rs1, 0, rd, 0x67); }
constexpr std::uint32_t csrrw(unsigned rd, unsigned csr, unsigned rs1) {
  return i(static_cast<std::int32_t>(csr), rs1, 1, rd, 0x73);
}
constexpr std::uint32_t csrrs(unsigned rd, unsigned csr, unsigned rs1) {
  return i(static_cast<std::int32_t>(csr), rs1, 2, rd, 0x73);
}
constexpr std::uint32_t amo(unsigned f5, unsigned rd, unsigned rs1, unsigned rs2) {
  return f5 << 27 | rs2 << 20 | rs1 << 15 | 3 << 12 | rd << 7 | 0x2f;
}
constexpr std::uint32_t amoadd(unsigned rd, unsigned rs1, unsigned rs2) { return amo(0, rd, rs1, rs2); }
constexpr std::uint32_t lr(unsigned rd, unsigned rs1) { return amo(2, rd, rs1, 0); }
constexpr std::uint32_t sc(unsigned rd, unsigned rs1, unsigned rs2) { return amo(3, rd, rs1, rs2); }
constexpr std::uint32_t cbo_zero(unsigned rs1) { return i(4, rs1, 2, 0, 0x0f); }
constexpr std::uint32_t cbo_clean(unsigned rs1) { return i(1, rs1, 2, 0, 0x0f); }
constexpr std::uint32_t hlv(unsigned rd, unsigned rs1) { return 0x6c004073 | rs1 << 15 | rd << 7; }
constexpr std::uint32_t hsv(unsigned rs2, unsigned rs1) { return 0x6e004073 | rs2 << 20 | rs1 << 15; }
inline constexpr std::uint32_t kNop = 0x13;
inline constexpr std::uint32_t kEcall = 0x73;
inline constexpr std::uint32_t kSret = 0x10200073;
inline constexpr std::uint32_t kMret = 0x30200073;
inline constexpr std::uint32_t kWfi = 0x10500073;
inline constexpr std::uint32_t kFenceI = 0x100f;
inline constexpr std::uint32_t kSelf = 0x6f;  ///< jumps to itself
}  // namespace rv

/// An engine that programs run on.
struct DebugEngine {
  const char* name;
  Accel accel;
  Regions regions;
};
inline constexpr DebugEngine kDebugEngines[] = {{"interp", Accel::kInterp, Regions::kOff},
                                                {"jit", Accel::kJit, Regions::kOff},
                                                {"eager", Accel::kJit, Regions::kEager}};

/// Harts with RAM alone, every extension, open PMP.
class DebugMachine final : public Machine {
 public:
  static constexpr std::uint64_t kRam = 0x8000'0000;
  static constexpr std::uint64_t kRamBytes = 4 << 20;
  static constexpr std::uint64_t kCode = kRam + 0x1000;
  static constexpr std::uint64_t kHandler = kRam + 0x8000;
  static constexpr std::uint64_t kData = kRam + 0x20000;
  static constexpr std::uint64_t kTables = kRam + 0x100000;

  DebugMachine(const DebugEngine& engine, unsigned harts, MachineControl& control) {
    EXPECT_TRUE(memory_.add_ram("ram", Paddr{kRam}, kRamBytes).ok());
    memory_.seal();
    CpuConfig config = max_config();
    CpuSetup setup{&memory_, &clock_, &time_, &timers_, &control, config, kCode};
    setup.harts = harts;
    setup.engine.accel = engine.accel;
    setup.engine.regions = engine.regions;
    setup.engine.buffer_bytes = 32 << 20;
    auto made = make_cpus(setup);
    EXPECT_TRUE(made.ok());
    harts_ = std::move(*made);
    restart();
  }

  void restart() {
    for (unsigned n = 0; n < harts_->count(); ++n) {
      harts_->cpu(n).reset();
      Hart& h = hart(n);
      csr_poke(h, 0x3b0, ~std::uint64_t{0} >> 10);  // pmpaddr0: everything
      csr_poke(h, 0x3a0, 0x1f);
      csr_poke(h, 0x305, kHandler);  // mtvec
      csr_poke(h, 0x30a, 0xf0);      // menvcfg: cache blocks
      csr_poke(h, 0x300, 3 << 13);   // mstatus.FS
    }
  }

  std::vector<Cpu*> cpus() override {
    std::vector<Cpu*> all;
    for (unsigned n = 0; n < harts_->count(); ++n) all.push_back(&harts_->cpu(n));
    return all;
  }
  CpuCluster* harts() override { return harts_.get(); }
  AddressSpace& memory() override { return memory_; }
  Clock& clock() override { return clock_; }
  hw::Device& devices() override { return root_; }
  [[nodiscard]] const std::vector<std::byte>& device_tree() const override { return tree_; }
  void reset() override {
    restart();
    ++resets;
  }

  Hart& hart(unsigned n = 0) { return harts_->cpu(n).hart(); }
  Debugger& debugger() { return harts_->debugger(); }
  void write(std::uint64_t at, std::initializer_list<std::uint32_t> words) {
    for (const std::uint32_t word : words) {
      memory_.write(Paddr{at}, &word, sizeof word);
      at += sizeof word;
    }
  }
  void write64(std::uint64_t at, std::uint64_t value) { memory_.write(Paddr{at}, &value, sizeof value); }
  std::uint64_t read64(std::uint64_t at) {
    std::uint64_t value = 0;
    memory_.read(Paddr{at}, &value, sizeof value);
    return value;
  }

  std::atomic<int> resets{0};

 private:
  struct Root final : hw::Device {
    [[nodiscard]] const char* driver() const override { return "none"; }
  } root_;
  std::vector<std::byte> tree_;
  AddressSpace memory_;
  Clock clock_;
  TimeCounter time_{clock_};
  TimerThread timers_{clock_};
  std::unique_ptr<CpuCluster> harts_;
};

/// One hart that the test's own thread runs until it stops.
class DebugTest : public testing::TestWithParam<DebugEngine> {
 protected:
  static constexpr std::uint64_t kRam = DebugMachine::kRam;
  static constexpr std::uint64_t kCode = DebugMachine::kCode;
  static constexpr std::uint64_t kHandler = DebugMachine::kHandler;
  static constexpr std::uint64_t kData = DebugMachine::kData;
  static constexpr std::uint64_t kTables = DebugMachine::kTables;
  static constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;

  DebugTest() : machine(GetParam(), 1, requests) {
    debugger().on_stop([this](const StopEvent& event) {
      event_ = event;
      return answer;
    });
  }

  Debugger& debugger() { return machine.debugger(); }
  Hart& hart() { return machine.hart(); }
  std::uint64_t& x(unsigned n) { return hart().x[n]; }
  std::uint64_t& pc() { return hart().core.pc; }

  /// Lets the hart go until it stops. Nothing: it did not within the time that a test may take at most.
  std::optional<StopEvent> go() {
    event_.reset();
    hart().core.attention.fetch_and(~std::uint32_t{kAttendStop});
    std::mutex mutex;
    std::condition_variable changed;
    bool is_done = false;
    std::thread guard([&] {
      std::unique_lock lock(mutex);
      if (changed.wait_for(lock, std::chrono::seconds(20), [&] { return is_done; })) return;
      machine.harts()->cpu(0).kick(kAttendStop);
    });
    machine.harts()->cpu(0).run();
    {
      const std::lock_guard lock(mutex);
      is_done = true;
    }
    changed.notify_all();
    guard.join();
    return event_;
  }
  /// As text: "breakpoint 80001008".
  std::string go_on() {
    static constexpr const char* kNames[] = {"breakpoint", "watchpoint", "step", "halted"};
    const std::optional<StopEvent> event = go();
    if (!event) return "nothing";
    char text[64];
    std::snprintf(text, sizeof text, "%s %llx", kNames[static_cast<unsigned>(event->cause)],
                  static_cast<unsigned long long>(event->address));
    return text;
  }
  std::string step(StepMode mode = StepMode::kIntoTraps) {
    debugger().step(0, mode);
    return go_on();
  }
  void break_at(std::uint64_t address, const WorldFilter& filter = {},
                AddressKind kind = AddressKind::kVirtual) {
    EXPECT_TRUE(debugger().insert(Breakpoint{kind, address, filter}).ok());
  }
  void watch(std::uint64_t address, std::uint64_t size, WatchKind kind, const WorldFilter& filter = {},
             AddressKind space = AddressKind::kVirtual) {
    EXPECT_TRUE(debugger().insert(Watchpoint{space, address, size, kind, filter}).ok());
  }
  static std::string at(const char* what, std::uint64_t address) {
    char text[64];
    std::snprintf(text, sizeof text, "%s %llx", what, static_cast<unsigned long long>(address));
    return text;
  }

  /// Maps RAM at its own address by one leaf of 1 GiB, and nothing else, for satp and vsatp; the root's page
  /// is at `kTables` + `offset`.
  std::uint64_t map_all(std::uint64_t offset, bool is_user) {
    const std::uint64_t root = kTables + offset;
    machine.write64(root + 8 * (kRam >> 30), kRam >> 12 << 10 | 0xcf | (is_user ? 0x10 : 0));
    return root >> 12;
  }
  /// Enters a mode with RAM mapped at its own address: hgatp with the VMID where V=1, satp or vsatp with the
  /// ASID.
  void enter(Privilege privilege, bool v, std::uint64_t vmid, std::uint64_t asid) {
    set_mode(hart(), kMachine, false);
    const std::uint64_t root = map_all(0, privilege == kUser);
    csr_poke(hart(), v ? 0x280 : 0x180, kSv39 | asid << 44 | root);
    csr_poke(hart(), 0x680, kSv39 | vmid << 44 | map_all(0x10000, true));
    set_mode(hart(), privilege, v);
  }

  MachineRequests requests;
  DebugMachine machine;
  Debugger::Answer answer = Debugger::Answer::kReported;

 private:
  std::optional<StopEvent> event_;
};

inline std::string name_of_engine(const testing::TestParamInfo<DebugEngine>& info) { return info.param.name; }

}  // namespace gstage::riscv
