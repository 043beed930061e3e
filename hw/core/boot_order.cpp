// SPDX-License-Identifier: Apache-2.0
#include "hw/core/boot_order.h"

#include <map>

#include "softmmu/option_values.h"

namespace gstage::hw {

namespace {

/// A transport comes with its device, and that is what firmware boots from.
Device& innermost(Device& device) {
  for (const auto& bus : device.buses())
    if (!bus->devices().empty()) return innermost(*bus->devices().front());
  return device;
}

}  // namespace

Status set_boot_index(const std::string& what, Device& root, const DeviceOptions& given, Device& device) {
  constexpr std::uint64_t kLast = 0x7fffffff;
  const std::string* const text = given.find(boot_index_property().name);
  if (text == nullptr || *text == "-1") return Ok{};
  auto number = parse_number(what + ": bootindex", *text, 0, kLast);
  if (!number.ok()) return number.error();
  const auto index = static_cast<std::uint32_t>(*number);
  bool is_taken = false;
  for_each_device(root, [&](Device& other) { is_taken = is_taken || other.boot_index() == index; });
  if (is_taken)
    return error("%s: another device has bootindex=%u; give each one of its own", what.c_str(), index);
  innermost(device).set_boot_index(index);
  return Ok{};
}

std::string firmware_path(const Device& device) {
  std::string path;
  for (const Device* one = &device; one != nullptr;
       one = one->bus() == nullptr ? nullptr : one->bus()->owner())
    if (const std::string node = one->firmware_node(); !node.empty()) path.insert(0, "/" + node);
  return path;
}

std::vector<std::uint8_t> boot_order(Device& root, bool is_strict) {
  std::map<std::uint32_t, std::string> paths;
  for_each_device(root, [&](Device& device) {
    if (device.boot_index()) paths[*device.boot_index()] = firmware_path(device);
  });
  std::string text;
  for (const auto& [index, path] : paths) text += path + "\n";
  if (is_strict && !text.empty()) text += "HALT\n";
  // The NUL takes the place of the last line's end.
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  if (!bytes.empty()) bytes.back() = 0;
  return bytes;
}

}  // namespace gstage::hw
