// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/machine_control.h"
#include "softmmu/mem/address_space.h"
#include "io/block/block.h"
#include "io/chardev.h"
#include "hw/core/hart_lines.h"

namespace gstage::hw {

/// Remembers what was asked of the machine last.
struct FakeControl final : MachineControl {
  std::atomic<MachineRequest> requested{MachineRequest::kNone};
  std::atomic<int> code{-1};
  void request(MachineRequest request, int exit_code) override {
    code = exit_code;
    requested = request;
  }
};

/// A back end that keeps what is written and gives what a test types.
class FakeChardev final : public Chardev {
 public:
  void write(std::span<const std::uint8_t> bytes) override {
    const std::lock_guard lock(mutex_);
    output_.append(bytes.begin(), bytes.end());
  }
  void attach(Receive receive, CanReceive can_receive) override {
    receive_ = std::move(receive);
    can_receive_ = std::move(can_receive);
  }
  void resume_input() override {
    ++resumes;
    deliver();
  }
  /// Gives the device as much as it takes; the rest waits for resume_input.
  void type(const std::string& text) {
    input_ += text;
    deliver();
  }
  std::string output() {
    const std::lock_guard lock(mutex_);
    return output_;
  }
  std::size_t waiting() const { return input_.size(); }
  const std::string& rest() const { return input_; }      ///< what waits
  void hold(const std::string& text) { input_ += text; }  ///< until the device asks for it
  bool is_attached() const { return receive_ != nullptr; }

  int resumes = 0;

 private:
  void deliver() {
    while (!input_.empty() && can_receive_) {
      const std::size_t room = std::min(can_receive_(), input_.size());
      if (room == 0) return;
      const std::string part = input_.substr(0, room);
      input_.erase(0, room);
      receive_({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()});
    }
  }
  std::mutex mutex_;
  std::string output_;
  std::string input_;
  Receive receive_;
  CanReceive can_receive_;
};

/// The wires of a hart.
class FakeLines final : public HartLines {
 public:
  void set_pending(unsigned mip_bit, bool is_high) override {
    if (is_high)
      levels_ |= 1u << mip_bit;
    else
      levels_ &= ~(1u << mip_bit);
  }
  bool is_high(unsigned mip_bit) const { return (levels_ >> mip_bit & 1) != 0; }

 private:
  std::atomic<std::uint32_t> levels_{0};
};

/// A disk in memory that records what was asked of it and fails on request.
class FakeDisk final : public BlockBackend {
 public:
  explicit FakeDisk(std::size_t size, bool is_read_only = false) : bytes(size), is_read_only_(is_read_only) {}
  std::uint64_t size() const override { return bytes.size(); }
  bool is_read_only() const override { return is_read_only_; }
  int read(std::uint64_t offset, std::span<std::byte> to) override {
    if (failure != 0) return failure;
    std::memcpy(to.data(), bytes.data() + offset, to.size());
    return 0;
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    if (gate) gate();
    if (failure != 0) return failure;
    std::memcpy(bytes.data() + offset, from.data(), from.size());
    unflushed = true;
    return 0;
  }
  int discard(std::uint64_t offset, std::uint64_t size) override {
    discarded = {offset, size};
    return failure;
  }
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    std::memset(bytes.data() + offset, 0, size);
    return failure;
  }
  int flush() override {
    ++flushes;
    unflushed = false;
    return failure;
  }

  std::vector<std::byte> bytes;
  std::atomic<int> failure{0};
  std::atomic<int> flushes{0};
  std::atomic<bool> unflushed{false};
  std::array<std::uint64_t, 2> discarded{};
  std::function<void()> gate;  ///< called within each write

 private:
  bool is_read_only_;
};

/// Waits up to a minute for something that another thread does.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 60000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

/// A device's register as a hart would read or write it; fails the test on an access fault.
inline std::uint64_t get(MmioHandler& device, std::uint64_t offset, unsigned size = 4) {
  std::uint64_t value = ~std::uint64_t{0};
  EXPECT_TRUE(device.mmio_read(offset, size, value)) << "at 0x" << std::hex << offset;
  return value;
}
inline void set(MmioHandler& device, std::uint64_t offset, std::uint64_t value, unsigned size = 4) {
  EXPECT_TRUE(device.mmio_write(offset, size, value)) << "at 0x" << std::hex << offset;
}

}  // namespace gstage::hw
