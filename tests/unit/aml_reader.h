// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/unit/acpi_firmware.h"

namespace gstage::hw::acpi {

/// Reads the objects of a definition block: scopes, devices, names and methods. What it does not know, and
/// lengths that do not fit, fail the test.
class AmlReader {
 public:
  /// `table` with its header.
  explicit AmlReader(Octets table);
  /// The code of each name's value, and of each method's statements, by path: "_SB_.COM0._HID".
  [[nodiscard]] const std::map<std::string, Octets>& objects() const { return objects_; }
  [[nodiscard]] bool has(const std::string& path) const { return objects_.count(path) != 0; }
  /// The value of a name that is an integer.
  [[nodiscard]] std::uint64_t integer(const std::string& path) const;
  /// Of one that is a text.
  [[nodiscard]] std::string text(const std::string& path) const;
  /// Of one that is a buffer.
  [[nodiscard]] Octets buffer(const std::string& path) const;

 private:
  void read_objects(std::size_t end, const std::string& scope);
  void read_named(const std::string& scope);
  void read_block(const std::string& scope, bool is_method);
  std::string read_name();
  /// PkgLength: the end of what it is the length of.
  std::size_t read_end();
  void skip_value();
  std::uint8_t next();
  [[nodiscard]] Octets code(const std::string& path) const;

  const Octets table_;
  std::size_t at_ = 36;
  std::map<std::string, Octets> objects_;
};

}  // namespace gstage::hw::acpi
