// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hw/acpi/bytes.h"

/// ACPI Machine Language (ACPI 6.6, chapter 20), as an expression: each function makes one term, and what a
/// term holds are its arguments, so that a description reads as its ASL does (chapter 19).
namespace gstage::hw::acpi::aml {

/// Code of AML: an object, an expression or a statement.
struct Term {
  Bytes code;
};
using Terms = std::vector<Term>;

// Data (section 20.2.3).

/// In as few bytes as it takes.
Term integer(std::uint64_t value);
Term text(std::string_view value);
Term buffer(const Bytes& bytes);
/// At most 255 elements.
Term package(const Terms& elements);
/// `EISAID ("PNP0A08")`: three letters and four hexadecimal digits.
Term eisa_id(std::string_view id);
/// `ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766")`.
Term uuid(std::string_view text);

// Names (section 20.2.2): segments of one to four characters, separated by dots; a backslash at the beginning
// is the root.

/// A reference to the object of that name.
Term reference(std::string_view path);
Term name(std::string_view path, const Term& value);
Term scope(std::string_view path, const Terms& objects);
Term device(std::string_view path, const Terms& objects);
/// A control method, which one thread at a time executes; `arguments` are 0 to 7.
Term method(std::string_view path, unsigned arguments, const Terms& statements);

// Statements and expressions (section 20.2.5).

/// `ArgN`, N to 6.
Term argument(unsigned number);
/// `LocalN`, N to 7.
Term local(unsigned number);
/// `CreateDWordField (source, offset, name)`.
Term create_dword_field(const Term& source, std::uint64_t offset, std::string_view path);
Term store(const Term& value, const Term& target);
/// `target = left & right`.
Term store_and(const Term& left, const Term& right, const Term& target);
/// `target = left | right`.
Term store_or(const Term& left, const Term& right, const Term& target);
Term equal(const Term& left, const Term& right);
Term not_equal(const Term& left, const Term& right);
Term if_(const Term& condition, const Terms& statements);
/// Behind an `if_`.
Term else_(const Terms& statements);
Term return_(const Term& value);

}  // namespace gstage::hw::acpi::aml
