// SPDX-License-Identifier: Apache-2.0
#include "hw/core/fdt_builder.h"

#include <cstdio>

#include <libfdt.h>

#include "softmmu/base/check.h"

namespace gstage::hw {
namespace {

constexpr std::size_t kFirstSize = 16 << 10;

std::uint32_t big_endian(std::uint32_t v) { return cpu_to_fdt32(v); }

}  // namespace

template <class Step>
void FdtBuilder::write(Step step) {
  int status = step(static_cast<void*>(buffer_.data()));
  while (status == -FDT_ERR_NOSPACE) {
    std::vector<std::byte> larger(buffer_.size() * 2);
    CHECK(fdt_resize(buffer_.data(), larger.data(), static_cast<int>(larger.size())) == 0);
    buffer_ = std::move(larger);
    status = step(static_cast<void*>(buffer_.data()));
  }
  CHECK(status == 0);
}

FdtBuilder::FdtBuilder() : buffer_(kFirstSize) {
  CHECK(fdt_create(buffer_.data(), static_cast<int>(buffer_.size())) == 0);
  write([](void* fdt) { return fdt_finish_reservemap(fdt); });
}

FdtBuilder::Node FdtBuilder::node(const std::string& name) {
  write([&](void* fdt) { return fdt_begin_node(fdt, name.c_str()); });
  return Node(*this);
}

FdtBuilder::Node FdtBuilder::node(const std::string& name, std::uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof text, "@%llx", static_cast<unsigned long long>(address));
  return node(name + text);
}

void FdtBuilder::end_node() {
  write([](void* fdt) { return fdt_end_node(fdt); });
}

void FdtBuilder::property(const char* name, const void* data, std::size_t size) {
  write([&](void* fdt) { return fdt_property(fdt, name, data, static_cast<int>(size)); });
}

void FdtBuilder::empty(const char* name) { property(name, "", 0); }

void FdtBuilder::string(const char* name, std::string_view value) {
  const std::string terminated(value);
  property(name, terminated.c_str(), terminated.size() + 1);
}

void FdtBuilder::strings(const char* name, std::span<const std::string> values) {
  std::string all;
  for (const std::string& value : values) all.append(value).push_back('\0');
  property(name, all.data(), all.size());
}

void FdtBuilder::cell(const char* name, std::uint32_t value) { cells(name, {value}); }

void FdtBuilder::cells(const char* name, std::span<const std::uint32_t> values) {
  std::vector<std::uint32_t> converted;
  converted.reserve(values.size());
  for (const std::uint32_t value : values) converted.push_back(big_endian(value));
  property(name, converted.data(), converted.size() * sizeof(std::uint32_t));
}

void FdtBuilder::cells(const char* name, std::initializer_list<std::uint32_t> values) {
  cells(name, std::span<const std::uint32_t>(values.begin(), values.size()));
}

void FdtBuilder::wide_cells(const char* name, std::initializer_list<std::uint64_t> values) {
  std::vector<std::uint32_t> halves;
  for (const std::uint64_t value : values) {
    halves.push_back(static_cast<std::uint32_t>(value >> 32));
    halves.push_back(static_cast<std::uint32_t>(value));
  }
  cells(name, halves);
}

void FdtBuilder::bytes(const char* name, std::span<const std::byte> value) {
  property(name, value.data(), value.size());
}

std::vector<std::byte> FdtBuilder::finish() {
  write([](void* fdt) { return fdt_finish(fdt); });
  buffer_.resize(fdt_totalsize(buffer_.data()));
  return std::move(buffer_);
}

}  // namespace gstage::hw
