// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gstage::hw {

class Device;

/// What a machine's devices are in: the bytes of each field by its name, which begins with the device's path.
using SavedState = std::map<std::string, std::vector<std::byte>>;

/// Walks over the fields of a device (Device::visit), which names each field once: the same walk saves and
/// loads. A saved state is compared and printed as what it is, a map.
class Visitor {
 public:
  /// Saves into `to`, or loads what `from` has; a field that it lacks keeps its value (that of reset).
  static Visitor saver(SavedState& to) { return Visitor(&to, nullptr); }
  static Visitor loader(const SavedState& from) { return Visitor(nullptr, &from); }

  [[nodiscard]] bool is_loading() const { return from_ != nullptr; }

  /// A number, a flag, an enumeration, or a plain structure without padding of them.
  template <class T>
  requires(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>) void field(const char* name, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t flag = value ? 1 : 0;
      bytes(name, &flag, sizeof flag);
      value = flag != 0;
    } else {
      static_assert(std::has_unique_object_representations_v<T>,
                    "name the fields one by one: padding has no value");
      bytes(name, &value, sizeof value);
    }
  }
  /// A number or an enumeration that is at most `most`: more is not loaded.
  template <class T>
  void field(const char* name, T& value, std::type_identity_t<T> most) {
    T loaded = value;
    field(name, loaded);
    if (loaded <= most) value = loaded;
  }
  template <class T>
  void field(const char* name, std::atomic<T>& value) {
    T plain = value.load();
    field(name, plain);
    if (is_loading()) value.store(plain);
  }
  /// Memory of the device's own.
  void block(const char* name, std::span<std::uint8_t> memory) { bytes(name, memory.data(), memory.size()); }
  /// A vector or a deque. Its length is part of the state; more than `most` elements are not loaded.
  template <class List>
  void list(const char* name, List& values, std::size_t most) {
    using T = typename List::value_type;
    static_assert(std::has_unique_object_representations_v<T>);
    std::vector<T> plain(values.begin(), values.end());
    std::vector<std::byte> raw(plain.size() * sizeof(T));
    if (!plain.empty()) std::memcpy(raw.data(), plain.data(), raw.size());
    sized(name, raw);
    if (!is_loading() || raw.size() / sizeof(T) > most) return;
    plain.resize(raw.size() / sizeof(T));
    if (!plain.empty()) std::memcpy(plain.data(), raw.data(), plain.size() * sizeof(T));
    values.assign(plain.begin(), plain.end());
  }
  /// `walk(visitor)` names the fields of a part; their names begin with `name`.
  template <class Walk>
  void part(const std::string& name, Walk&& walk) {
    const std::size_t length = prefix_.size();
    prefix_ += name + ".";
    std::forward<Walk>(walk)(*this);
    prefix_.resize(length);
  }
  /// Parts that are alike: `walk(visitor, part)` for each. How many there are is not loaded.
  template <class Parts, class Walk>
  void each(const std::string& name, Parts& parts, Walk&& walk) {
    unsigned number = 0;
    for (auto& one : parts)
      part(name + "." + std::to_string(number++), [&](Visitor& visitor) { walk(visitor, one); });
  }

 private:
  friend void visit_devices(Device& root, Visitor& visitor);
  Visitor(SavedState* to, const SavedState* from) : to_(to), from_(from) {}
  void bytes(const char* name, void* data, std::size_t size);
  void sized(const char* name, std::vector<std::byte>& data);

  SavedState* to_;
  const SavedState* from_;
  std::string prefix_;
};

/// Saves or loads a device and everything below it. After loading, each device's `restored` is called once
/// all fields are there, what a device is on before the device.
void visit_devices(Device& root, Visitor& visitor);

/// The names of fields that differ or that one of the two lacks.
std::vector<std::string> differences(const SavedState& a, const SavedState& b);

}  // namespace gstage::hw
