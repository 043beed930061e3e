// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/debug/debugger.h"

#include <algorithm>

#include "softmmu/base/check.h"

namespace gstage::riscv {

Debugger::Debugger(unsigned harts, Kick kick) : kick_(std::move(kick)), steps_(harts) {}

/// Under the lock. The harts copy what is new for themselves, so that none waits for another.
void Debugger::changed() {
  ++points_.version;
  version_.fetch_add(1, std::memory_order_release);
}

template <class Point>
Status Debugger::insert_into(std::vector<Point>& points, const Point& point) {
  {
    const std::lock_guard lock(mutex_);
    points.push_back(point);
    ++points_.insertions;
    changed();
  }
  for (unsigned hart = 0; hart < steps_.size(); ++hart) kick_(hart);
  return Ok{};
}

template <class Point>
void Debugger::remove_from(std::vector<Point>& points, const Point& point) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find(points.begin(), points.end(), point);
    if (found == points.end()) return;
    points.erase(found);
    changed();
  }
  for (unsigned hart = 0; hart < steps_.size(); ++hart) kick_(hart);
}

Status Debugger::insert(const Breakpoint& breakpoint) {
  if ((breakpoint.address & 1) != 0)
    return error("no instruction begins at the odd address 0x%llx: give an even one",
                 static_cast<unsigned long long>(breakpoint.address));
  return insert_into(points_.breakpoints, breakpoint);
}

Status Debugger::insert(const Watchpoint& watchpoint) {
  if (watchpoint.size == 0) return error("a watchpoint of 0 bytes sees nothing: give it at least 1");
  if (watchpoint.address + (watchpoint.size - 1) < watchpoint.address)
    return error("a watchpoint of 0x%llx bytes at 0x%llx goes past the last address: give it fewer",
                 static_cast<unsigned long long>(watchpoint.size),
                 static_cast<unsigned long long>(watchpoint.address));
  return insert_into(points_.watchpoints, watchpoint);
}

void Debugger::remove(const Breakpoint& breakpoint) { remove_from(points_.breakpoints, breakpoint); }
void Debugger::remove(const Watchpoint& watchpoint) { remove_from(points_.watchpoints, watchpoint); }

void Debugger::remove_all() {
  {
    const std::lock_guard lock(mutex_);
    points_.breakpoints.clear();
    points_.watchpoints.clear();
    changed();
  }
  for (unsigned hart = 0; hart < steps_.size(); ++hart) kick_(hart);
}

void Debugger::step(unsigned hart, StepMode mode) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(hart < steps_.size());
    steps_[hart] = {steps_[hart].number + 1, mode};
    version_.fetch_add(1, std::memory_order_release);
  }
  kick_(hart);
}

void Debugger::forget_step(unsigned hart) {
  const std::lock_guard lock(mutex_);
  CHECK(hart < steps_.size());
  if (!steps_[hart].mode) return;
  steps_[hart] = {steps_[hart].number + 1, std::nullopt};
  version_.fetch_add(1, std::memory_order_release);
}

void Debugger::copy(unsigned hart, Points& points, Step& step) const {
  const std::lock_guard lock(mutex_);
  if (points.version != points_.version) points = points_;
  step = steps_[hart];
}

std::optional<Debugger::Answer> Debugger::report(const StopEvent& event) {
  if (!on_stop_) return std::nullopt;
  return on_stop_(event);
}

}  // namespace gstage::riscv
