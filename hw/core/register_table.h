// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include "softmmu/base/log.h"
#include "softmmu/mem/address_space.h"

namespace gstage::hw {

/// What a register's function learns of an access besides the value.
struct Access {
  unsigned index = 0;  ///< which of the row's registers
  unsigned size = 0;   ///< bytes of the access; equals the width except for ports
};

/// One row of a device's register table: a register, or `count` like ones, `stride` bytes apart.
template <class Device>
struct Register {
  std::uint64_t offset;  ///< of the first, bytes from the device's base
  unsigned width;        ///< bytes: 1, 2, 4 or 8
  const char* name;
  std::uint64_t (Device::*read)(Access);         ///< null: write-only (reads as 0)
  void (Device::*write)(Access, std::uint64_t);  ///< null: read-only
  unsigned count = 1;
  unsigned stride = 0;   ///< 0: the width
  unsigned sizes = 0;    ///< sum of the access sizes accepted; 0: the width alone
  bool is_port = false;  ///< an access of any accepted size at the first byte means the whole register

  [[nodiscard]] constexpr unsigned step() const { return stride == 0 ? width : stride; }
  [[nodiscard]] constexpr unsigned accepted() const { return sizes == 0 ? width : sizes; }
  [[nodiscard]] constexpr std::uint64_t end() const {
    return offset + std::uint64_t{step()} * (count - 1) + width;
  }
  [[nodiscard]] constexpr bool holds(std::uint64_t at) const {
    return at >= offset && at < end() && (at - offset) % step() < width;
  }
};

/// Whether two rows share a byte. Rows that interleave must have the same stride.
template <class Device>
constexpr bool rows_collide(const Register<Device>& a, const Register<Device>& b) {
  if (a.end() <= b.offset || b.end() <= a.offset) return false;
  if (a.step() != b.step()) return true;
  const std::uint64_t low = a.offset % a.step();
  const std::uint64_t other = b.offset % b.step();
  return low < other + b.width && other < low + a.width;
}

/// What every table must satisfy: naturally aligned, no row empty, no two rows on the same byte.
template <class Device, std::size_t N>
constexpr bool is_well_formed(const Register<Device> (&table)[N]) {
  for (std::size_t i = 0; i < N; ++i) {
    const auto& row = table[i];
    if (row.count == 0 || row.offset % row.width != 0 || row.step() % row.width != 0) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (rows_collide(row, table[j])) return false;
  }
  return true;
}

/// Logs a guest's access that no register takes.
void log_bad_access(const char* device, const char* what, std::uint64_t offset, unsigned size);

/// The one dispatcher of all register tables. It enforces width and alignment, merges narrow accesses to wide
/// registers, and answers holes with zero and a logged guest error. An access of a size that the register
/// does not take is an access fault on the bus.
template <class Device>
class RegisterDispatch {
 public:
  using Row = Register<Device>;

  /// `name` is for messages. The caller holds the device's lock.
  RegisterDispatch(Device& device, std::span<const Row> table, const char* name)
      : device_(device), table_(table), name_(name) {}

  /// False is an access fault.
  bool read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
    value = 0;
    const Row* row = find(offset);
    if (row == nullptr) return log_bad_access(name_, "read of no register", offset, size), true;
    if (!accepts(*row, offset, size)) return log_bad_access(name_, row->name, offset, size), false;
    if (row->read == nullptr)
      return log_bad_access(name_, "read of a write-only register", offset, size), true;
    const Access access{index(*row, offset), size};
    value = ((device_.*row->read)(access) >> shift(*row, offset)) & mask(size);
    return true;
  }

  /// False is an access fault.
  bool write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    const Row* row = find(offset);
    if (row == nullptr) return log_bad_access(name_, "write of no register", offset, size), true;
    if (!accepts(*row, offset, size)) return log_bad_access(name_, row->name, offset, size), false;
    if (row->write == nullptr)
      return log_bad_access(name_, "write of a read-only register", offset, size), true;
    const Access access{index(*row, offset), size};
    value &= mask(size);
    if (!row->is_port && size < row->width) {
      const unsigned at = shift(*row, offset);
      const std::uint64_t old = row->read != nullptr ? (device_.*row->read)(access) : 0;
      value = (old & ~(mask(size) << at)) | (value << at);
    }
    (device_.*row->write)(access, value);
    return true;
  }

 private:
  const Row* find(std::uint64_t offset) const {
    for (const Row& row : table_)
      if (row.holds(offset)) return &row;
    return nullptr;
  }
  static bool accepts(const Row& row, std::uint64_t offset, unsigned size) {
    const std::uint64_t within = (offset - row.offset) % row.step();
    if ((row.accepted() & size) == 0 || offset % size != 0) return false;
    return row.is_port ? within == 0 : within + size <= row.width;
  }
  static unsigned index(const Row& row, std::uint64_t offset) {
    return static_cast<unsigned>((offset - row.offset) / row.step());
  }
  static unsigned shift(const Row& row, std::uint64_t offset) {
    return static_cast<unsigned>((offset - row.offset) % row.step()) * 8;
  }
  static std::uint64_t mask(unsigned size) {
    return size >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (size * 8)) - 1;
  }

  Device& device_;
  std::span<const Row> table_;
  const char* name_;
};

/// A device that consists of a register table and one lock. `Derived` provides `static
/// std::span<const Register<Derived>> registers()` and `static constexpr const char* kName`.
///
/// Lock order, for all of hw/: device → interrupt controller → hart. A device may raise its line while it
/// holds its own lock; nothing on the right ever calls to the left.
template <class Derived>
class RegisterDevice : public MmioHandler {
 public:
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override {
    const std::lock_guard lock(mutex_);
    return dispatch().read(offset, size, value);
  }
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override {
    const std::lock_guard lock(mutex_);
    return dispatch().write(offset, size, value);
  }

 protected:
  RegisterDispatch<Derived> dispatch() {
    return {static_cast<Derived&>(*this), Derived::registers(), Derived::kName};
  }
  std::mutex mutex_;
};

}  // namespace gstage::hw
