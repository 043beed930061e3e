// SPDX-License-Identifier: Apache-2.0
#include "hw/acpi/aml.h"

#include "softmmu/base/check.h"

namespace gstage::hw::acpi::aml {
namespace {

/// Section 20.3, "AML Byte Stream Byte Values".
enum Opcode : std::uint8_t {
  kZeroOp = 0x00,
  kOneOp = 0x01,
  kNameOp = 0x08,
  kBytePrefix = 0x0a,
  kWordPrefix = 0x0b,
  kDWordPrefix = 0x0c,
  kStringPrefix = 0x0d,
  kQWordPrefix = 0x0e,
  kScopeOp = 0x10,
  kBufferOp = 0x11,
  kPackageOp = 0x12,
  kMethodOp = 0x14,
  kDualNamePrefix = 0x2e,
  kMultiNamePrefix = 0x2f,
  kExtOpPrefix = 0x5b,
  kRootChar = '\\',
  kLocal0Op = 0x60,
  kArg0Op = 0x68,
  kStoreOp = 0x70,
  kAndOp = 0x7b,
  kOrOp = 0x7d,
  kDeviceOp = 0x82,  ///< behind ExtOpPrefix
  kCreateDWordFieldOp = 0x8a,
  kLnotOp = 0x92,
  kLequalOp = 0x93,
  kIfOp = 0xa0,
  kElseOp = 0xa1,
  kReturnOp = 0xa4,
};

Bytes join(const Terms& terms) {
  Bytes all;
  for (const Term& term : terms) all.append(term.code);
  return all;
}

/// PkgLength (section 20.2.4), which counts its own bytes too, and the contents: one byte up to 63, else four
/// bits in the first byte, which says how many follow with eight bits each.
Bytes sized(const Bytes& contents) {
  if (contents.size() + 1 <= 0x3f) return Bytes().u8(contents.size() + 1).append(contents);
  unsigned more = 1;
  while ((contents.size() + 1 + more) >> (4 + 8 * more) != 0) ++more;
  CHECK(more <= 3);
  const std::size_t total = contents.size() + 1 + more;
  return Bytes().u8(more << 6 | (total & 0xf)).number(total >> 4, more).append(contents);
}

/// NameString.
Bytes name_string(std::string_view path) {
  Bytes name;
  if (!path.empty() && path.front() == kRootChar) {
    name.u8(kRootChar);
    path.remove_prefix(1);
  }
  Bytes segments;
  unsigned count = 0;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('.'));
    CHECK(!segment.empty() && segment.size() <= 4);
    segments.text(segment, 4, '_');
    ++count;
    path.remove_prefix(segment.size() == path.size() ? path.size() : segment.size() + 1);
  }
  if (count == 0) name.u8(0);
  if (count == 2) name.u8(kDualNamePrefix);
  if (count > 2) name.u8(kMultiNamePrefix).u8(count);
  return name.append(segments);
}

unsigned hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  return static_cast<unsigned>((digit | 0x20) - 'a' + 10) & 0xf;
}

unsigned hex_byte(std::string_view digits) { return hex_digit(digits[0]) << 4 | hex_digit(digits[1]); }

Term binary(Opcode opcode, const Term& left, const Term& right) {
  return {Bytes{opcode}.append(left.code).append(right.code)};
}

}  // namespace

Term integer(std::uint64_t value) {
  if (value == 0) return {{kZeroOp}};
  if (value == 1) return {{kOneOp}};
  if (value <= 0xff) return {Bytes{kBytePrefix}.u8(value)};
  if (value <= 0xffff) return {Bytes{kWordPrefix}.u16(value)};
  if (value <= 0xffff'ffff) return {Bytes{kDWordPrefix}.u32(value)};
  return {Bytes{kQWordPrefix}.u64(value)};
}

Term text(std::string_view value) { return {Bytes{kStringPrefix}.text(value, value.size() + 1)}; }

Term buffer(const Bytes& bytes) {
  return {Bytes{kBufferOp}.append(sized(Bytes(integer(bytes.size()).code).append(bytes)))};
}

Term package(const Terms& elements) {
  CHECK(elements.size() <= 0xff);
  return {Bytes{kPackageOp}.append(sized(Bytes().u8(elements.size()).append(join(elements))))};
}

/// Section 19.6.37, "EISAID": letters of five bits and the digits, the first byte most significant, stored as
/// a little-endian integer whose bytes are swapped.
Term eisa_id(std::string_view id) {
  CHECK(id.size() == 7);
  const auto letter = [id](unsigned index) { return static_cast<unsigned>(id[index] - '@') & 0x1f; };
  const unsigned letters = letter(0) << 10 | letter(1) << 5 | letter(2);
  return {Bytes{kDWordPrefix}
              .u8(letters >> 8)
              .u8(letters)
              .u8(hex_byte(id.substr(3, 2)))
              .u8(hex_byte(id.substr(5, 2)))};
}

/// Section 19.6.142, "ToUUID": in which order the buffer has the digits.
Term uuid(std::string_view digits) {
  constexpr unsigned kOrder[] = {6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};
  CHECK(digits.size() == 36);
  Bytes bytes;
  for (const unsigned at : kOrder) bytes.u8(hex_byte(digits.substr(at, 2)));
  return buffer(bytes);
}

Term reference(std::string_view path) { return {name_string(path)}; }

Term name(std::string_view path, const Term& value) {
  return {Bytes{kNameOp}.append(name_string(path)).append(value.code)};
}

Term scope(std::string_view path, const Terms& objects) {
  return {Bytes{kScopeOp}.append(sized(name_string(path).append(join(objects))))};
}

Term device(std::string_view path, const Terms& objects) {
  return {Bytes{kExtOpPrefix, kDeviceOp}.append(sized(name_string(path).append(join(objects))))};
}

Term method(std::string_view path, unsigned arguments, const Terms& statements) {
  CHECK(arguments <= 7);
  constexpr unsigned kSerialized = 1u << 3;
  return {
      Bytes{kMethodOp}.append(sized(name_string(path).u8(arguments | kSerialized).append(join(statements))))};
}

Term argument(unsigned number) {
  CHECK(number <= 6);
  return {Bytes().u8(kArg0Op + number)};
}

Term local(unsigned number) {
  CHECK(number <= 7);
  return {Bytes().u8(kLocal0Op + number)};
}

Term create_dword_field(const Term& source, std::uint64_t offset, std::string_view path) {
  return {
      Bytes{kCreateDWordFieldOp}.append(source.code).append(integer(offset).code).append(name_string(path))};
}

Term store(const Term& value, const Term& target) { return binary(kStoreOp, value, target); }

Term store_and(const Term& left, const Term& right, const Term& target) {
  return {binary(kAndOp, left, right).code.append(target.code)};
}

Term store_or(const Term& left, const Term& right, const Term& target) {
  return {binary(kOrOp, left, right).code.append(target.code)};
}

Term equal(const Term& left, const Term& right) { return binary(kLequalOp, left, right); }

Term not_equal(const Term& left, const Term& right) {
  return {Bytes{kLnotOp}.append(equal(left, right).code)};
}

Term if_(const Term& condition, const Terms& statements) {
  return {Bytes{kIfOp}.append(sized(Bytes(condition.code).append(join(statements))))};
}

Term else_(const Terms& statements) { return {Bytes{kElseOp}.append(sized(join(statements)))}; }

Term return_(const Term& value) { return {Bytes{kReturnOp}.append(value.code)}; }

}  // namespace gstage::hw::acpi::aml
