// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/aml_reader.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace gstage::hw::acpi {
namespace {

enum : std::uint8_t {
  kZero = 0x00,
  kOne = 0x01,
  kName = 0x08,
  kByte = 0x0a,
  kWord = 0x0b,
  kDWord = 0x0c,
  kString = 0x0d,
  kQWord = 0x0e,
  kScope = 0x10,
  kBuffer = 0x11,
  kPackage = 0x12,
  kMethod = 0x14,
  kDualName = 0x2e,
  kMultiName = 0x2f,
  kExtended = 0x5b,
  kDevice = 0x82,
};

}  // namespace

AmlReader::AmlReader(Octets table) : table_(std::move(table)) {
  EXPECT_EQ(number_at(table_, 4, 4), table_.size());
  read_objects(table_.size(), "");
}

std::uint8_t AmlReader::next() {
  EXPECT_LT(at_, table_.size());
  return at_ < table_.size() ? table_[at_++] : 0;
}

std::size_t AmlReader::read_end() {
  const std::size_t start = at_;
  const std::uint8_t first = next();
  const unsigned more = first >> 6;
  std::size_t length = more == 0 ? first & 0x3f : first & 0xf;
  for (unsigned i = 0; i < more; ++i) length |= std::size_t{next()} << (4 + 8 * i);
  EXPECT_LE(start + length, table_.size());
  EXPECT_GE(start + length, at_);
  return std::min(std::max(start + length, at_), table_.size());
}

std::string AmlReader::read_name() {
  std::string name;
  unsigned segments = 1;
  if (table_.at(at_) == '\\') ++at_;
  if (table_.at(at_) == kDualName) {
    ++at_;
    segments = 2;
  } else if (table_.at(at_) == kMultiName) {
    ++at_;
    segments = next();
  }
  for (unsigned i = 0; i < segments; ++i) {
    if (i != 0) name += '.';
    for (unsigned character = 0; character < 4; ++character) name += static_cast<char>(next());
  }
  return name;
}

void AmlReader::skip_value() {
  const std::uint8_t opcode = next();
  switch (opcode) {
    case kZero:
    case kOne: return;
    case kByte: at_ += 1; return;
    case kWord: at_ += 2; return;
    case kDWord: at_ += 4; return;
    case kQWord: at_ += 8; return;
    case kString:
      while (next() != 0) continue;
      return;
    case kBuffer:
    case kPackage: {
      const std::size_t end = read_end();
      if (opcode == kPackage) {
        unsigned elements = next();
        for (; at_ < end; --elements) skip_value();
        EXPECT_EQ(elements, 0u);
      }
      at_ = end;
      return;
    }
    default:  // a reference
      --at_;
      EXPECT_TRUE((opcode >= 'A' && opcode <= 'Z') || opcode == '_') << "value 0x" << std::hex << +opcode;
      read_name();
  }
}

void AmlReader::read_block(const std::string& scope, bool is_method) {
  const std::size_t end = read_end();
  const std::string path = scope + read_name();
  if (is_method)
    objects_[path] = {table_.begin() + static_cast<long>(at_), table_.begin() + static_cast<long>(end)};
  else
    read_objects(end, path + ".");
  EXPECT_LE(at_, end);
  at_ = end;
}

void AmlReader::read_named(const std::string& scope) {
  const std::string path = scope + read_name();
  const std::size_t start = at_;
  skip_value();
  ASSERT_LE(at_, table_.size());
  EXPECT_EQ(objects_.count(path), 0u) << path << " twice";
  objects_[path] = {table_.begin() + static_cast<long>(start), table_.begin() + static_cast<long>(at_)};
}

void AmlReader::read_objects(std::size_t end, const std::string& scope) {
  while (at_ < end && !testing::Test::HasFatalFailure()) {
    std::uint8_t opcode = next();
    if (opcode == kExtended) {
      opcode = next();
      ASSERT_EQ(opcode, kDevice);
    }
    if (opcode == kName)
      read_named(scope);
    else if (opcode == kScope || opcode == kDevice || opcode == kMethod)
      read_block(scope, opcode == kMethod);
    else
      FAIL() << "object 0x" << std::hex << +opcode << " at " << at_;
  }
  EXPECT_EQ(at_, end);
}

Octets AmlReader::code(const std::string& path) const {
  const auto object = objects_.find(path);
  EXPECT_NE(object, objects_.end()) << path;
  return object == objects_.end() ? Octets{0} : object->second;
}

std::uint64_t AmlReader::integer(const std::string& path) const {
  const Octets value = code(path);
  if (value.size() == 1) return value[0];
  EXPECT_TRUE(value[0] == kByte || (value[0] >= kWord && value[0] <= kQWord && value[0] != kString));
  return number_at(value, 1, static_cast<unsigned>(value.size() - 1));
}

std::string AmlReader::text(const std::string& path) const {
  const Octets value = code(path);
  EXPECT_EQ(value[0], kString) << path;
  return {value.begin() + 1, value.end() - 1};
}

Octets AmlReader::buffer(const std::string& path) const {
  const Octets value = code(path);
  EXPECT_EQ(value.at(0), kBuffer) << path;
  const unsigned prefix = 2 + (value.at(1) >> 6);
  const unsigned size = value.at(prefix) == kByte ? 1 : value.at(prefix) == kWord ? 2 : 0;
  EXPECT_EQ(number_at(value, prefix + 1, size), value.size() - prefix - 1 - size);
  return {value.begin() + prefix + 1 + size, value.end()};
}

}  // namespace gstage::hw::acpi
