// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "softmmu/base/result.h"
#include "softmmu/property_rows.h"

namespace gstage {

/// How values of a type are written on the command line: the type of a property is that of the member that
/// holds it. Specialised beside the types that are more than these here. `parse` leaves `to` alone when it
/// answers false.
template <class T>
struct PropertyCodec;

/// on, true, yes, y; off, false, no, n.
template <>
struct PropertyCodec<bool> {
  static constexpr const char* kForm = "on|off";
  static bool parse(const std::string& text, const PropertyRow& row, bool& to);
  static std::string show(bool value) { return value ? "on" : "off"; }
};

/// A switch that may be left to the device.
enum class OnOffAuto : std::uint8_t { kAuto, kOn, kOff };
/// The words of a switch, and auto.
template <>
struct PropertyCodec<OnOffAuto> {
  static constexpr const char* kForm = "on|off|auto";
  static bool parse(const std::string& text, const PropertyRow& row, OnOffAuto& to);
  static std::string show(OnOffAuto value);
};

/// Anything.
template <>
struct PropertyCodec<std::string> {
  static constexpr const char* kForm = "TEXT";
  static bool parse(const std::string& text, const PropertyRow& row, std::string& to);
  static std::string show(const std::string& value) { return value; }
};

/// A number as `parse_property_number` reads it, within the row's bounds. False: it is none.
bool parse_bounded(const std::string& text, const PropertyRow& row, std::uint64_t& to);

/// Unsigned numbers, decimal, 0x hexadecimal or with a suffix K, M, G, T (powers of 1024).
template <std::unsigned_integral T>
requires(!std::same_as<T, bool>) struct PropertyCodec<T> {
  static constexpr const char* kForm = "N";
  static bool parse(const std::string& text, const PropertyRow& row, T& to) {
    std::uint64_t value = 0;
    if (!parse_bounded(text, row, value)) return false;
    to = static_cast<T>(value);
    return true;
  }
  static std::string show(T value) { return std::to_string(value); }
};

namespace property_detail {

template <class M>
struct MemberOf;
template <class O, class T>
struct MemberOf<T O::*> {
  using Object = O;
  using Type = T;
};

/// One address a type: rows of one type of options are never applied to another.
template <class O>
inline constexpr char kTag = 0;

template <auto kMember>
bool set(const PropertyRow& row, const std::string& text, void* options) {
  using Member = MemberOf<decltype(kMember)>;
  auto& object = *static_cast<typename Member::Object*>(options);
  return PropertyCodec<typename Member::Type>::parse(text, row, object.*kMember);
}

template <auto kMember>
std::string show(const void* options) {
  using Member = MemberOf<decltype(kMember)>;
  return PropertyCodec<typename Member::Type>::show(
      static_cast<const typename Member::Object*>(options)->*kMember);
}

template <auto kMember>
constexpr std::uint64_t most() {
  using Type = typename MemberOf<decltype(kMember)>::Type;
  if constexpr (std::unsigned_integral<Type> && !std::same_as<Type, bool>)
    return static_cast<Type>(~Type{0});
  else
    return 0;
}

}  // namespace property_detail

/// Bounds of a number, both included.
struct PropertyBounds {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

/// The row of a property that the member holds; `form` is what it takes, as help shows it.
template <auto kMember>
constexpr PropertyRow property(const char* name, const char* form, const char* help,
                               PropertyBounds bounds = {}) {
  using Object = typename property_detail::MemberOf<decltype(kMember)>::Object;
  PropertyRow row{name, form, help};
  row.set = property_detail::set<kMember>;
  row.show = property_detail::show<kMember>;
  row.options_type = &property_detail::kTag<Object>;
  row.least = bounds.least;
  row.most = bounds.most != 0 ? bounds.most : property_detail::most<kMember>();
  return row;
}
/// The same with the form of the member's type.
template <auto kMember>
constexpr PropertyRow property(const char* name, const char* help, PropertyBounds bounds = {}) {
  using Type = typename property_detail::MemberOf<decltype(kMember)>::Type;
  return property<kMember>(name, PropertyCodec<Type>::kForm, help, bounds);
}

/// The part of `read_properties` that knows no type; `type` is the tag of what `options` is.
Status read_properties_into(const std::string& what, PropertyRows rows, const DeviceOptions& given,
                            void* options, const void* type);

/// Sets the members of `options` whose rows are among `rows` and that `given` names; the last one counts.
/// Refuses a value that the member cannot have. `what` is for messages: "-device virtio-rng-pci".
template <class O>
Status read_properties(const std::string& what, PropertyRows rows, const DeviceOptions& given, O& options) {
  return read_properties_into(what, rows, given, &options, &property_detail::kTag<O>);
}

/// A number, decimal, 0x hexadecimal or with a suffix K, M, G, T (either case, powers of 1024), of 64 bits.
Result<std::uint64_t> parse_property_number(const std::string& text);

}  // namespace gstage
