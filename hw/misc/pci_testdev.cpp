// SPDX-License-Identifier: Apache-2.0
#include "hw/misc/pci_testdev.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "hw/core/visitor.h"
#include "hw/pci/pci_properties.h"

namespace gstage::hw {
namespace {

constexpr PciIds kIds{.vendor = 0x1b36, .device = 0x0005, .class_code = 0x00ff00};

/// What software finds at the bars' beginning, little-endian.
struct Header {
  std::uint8_t test;
  std::uint8_t width;
  std::uint8_t pad[2];
  std::uint32_t offset;  ///< where to store
  std::uint32_t data;    ///< what
  std::uint32_t count;   ///< how often it was
  char name[48];
};

/// A test: a store of a byte. The names are those of the ways by which a hypervisor may be told of it.
struct Test {
  const char* name;
  std::uint8_t data;
  bool is_any_data;  ///< all values count
};
constexpr Test kTests[] = {
    {"no-eventfd", 0xfa, true}, {"wildcard-eventfd", 0xce, true}, {"datamatch-eventfd", 0xfa, false}};
static_assert(std::size(kTests) == PciTestDevice::kTestCount);

/// The second half of each bar has a byte for each test.
std::uint32_t offset_of(unsigned test) {
  const std::uint64_t bytes =
      test < PciTestDevice::kTestCount ? PciTestDevice::kMemoryBytes : std::uint64_t{PciTestDevice::kIoBytes};
  return static_cast<std::uint32_t>(bytes / 2) + test;
}

struct TestDeviceProperties {
  std::uint64_t membar = 0;
};
constexpr PropertyRow kProperties[] = {
    property<&TestDeviceProperties::membar>("membar", "bytes of a bar that nothing is behind; 0: none"),
    missing_property("membar-backed"),
};

Result<std::unique_ptr<Device>> create(const DeviceRequest& request) {
  TestDeviceProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  if (given.membar != 0 && (!std::has_single_bit(given.membar) || given.membar < 16))
    return error("%s: membar= is a power of two from 16 on, or 0", request.what.c_str());
  auto device = std::make_unique<PciTestDevice>(given.membar);
  if (Status status = read_pci_properties(request, *device); !status.ok()) return status.error();
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace

PciTestDevice::PciTestDevice(std::uint64_t membar) : PciFunction(kIds) {
  add_bar(0, kMemoryBytes, PciBarKind::kMemory32, memory_);
  add_bar(1, kIoBytes, PciBarKind::kIo, io_);
  if (membar != 0) add_bar(2, membar, PciBarKind::kMemory64Prefetchable, nothing_);
}

bool PciTestDevice::read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  const std::lock_guard lock(mutex_);
  Header header{};
  if (state_.test != kNoTest) {
    const Test& test = kTests[state_.test % kTestCount];
    header.test = static_cast<std::uint8_t>(state_.test);
    header.width = 1;
    header.offset = offset_of(state_.test);
    header.data = test.data;
    header.count = state_.count;
    std::snprintf(header.name, sizeof header.name, "%s-%s", state_.test < kTestCount ? "mmio" : "portio",
                  test.name);
  }
  value = 0;
  if (offset < sizeof header)
    std::memcpy(&value, reinterpret_cast<const char*>(&header) + offset,
                std::min<std::uint64_t>(size, sizeof header - offset));
  return true;
}

bool PciTestDevice::write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value) {
  const std::lock_guard lock(mutex_);
  const auto byte = static_cast<std::uint8_t>(value);
  if (offset == 0) {
    state_ = State{byte < kTestCount ? bar * kTestCount + byte : kNoTest};
    return true;
  }
  const bool is_asked = state_.test != kNoTest && state_.test / kTestCount == bar && size == 1 &&
                        offset == offset_of(state_.test);
  if (!is_asked) return true;
  const Test& test = kTests[state_.test % kTestCount];
  if (test.is_any_data || byte == test.data) ++state_.count;
  return true;
}

void PciTestDevice::reset_function() {
  const std::lock_guard lock(mutex_);
  state_ = State{};
}

void PciTestDevice::visit(Visitor& visitor) {
  PciFunction::visit(visitor);
  const std::lock_guard lock(mutex_);
  visitor.field("test", state_.test, kNoTest);
  visitor.field("count", state_.count);
}

Driver pci_test_driver() {
  return {"pci-testdev",
          "bars that tests of PCI store to",
          PciBus::kKind,
          {pci_properties(), kProperties},
          create};
}

}  // namespace gstage::hw
