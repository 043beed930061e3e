// SPDX-License-Identifier: Apache-2.0
// virtio-scsi behind its transport, with a disk and a drive of discs; and commands that reach the units by a
// shorter way, so that an input need not make a ring for each.
#include <cstring>

#include "softmmu/base/check.h"
#include "hw/virtio/scsi.h"

#include "tests/fuzz/memory_disk.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/virtio_guest.h"

namespace gstage::fuzz {
namespace {

constexpr unsigned kQueues = 3;
constexpr std::uint64_t kRam = 0x8000'0000, kRamSize = 64 << 10, kHalf = kRamSize / 2;

class Machine {
 public:
  Machine() {
    CHECK(memory_.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory_.seal();
    auto device = std::make_unique<hw::VirtioScsi>(hw::VirtioScsiOptions{});
    bus_ = &device->units();
    hw::ScsiUnitOptions options;
    options.serial = "serial";
    add(disk_, options);
    options.kind = hw::ScsiKind::kCd;
    options.logical_block = options.physical_block = 2048;
    add(disc_, options);
    guest_ = std::make_unique<VirtioGuest>(std::move(device), kQueues, [this](Input& input) { step(input); });
  }
  void run(Input& input) {
    disk_->behave(false, false);
    disc_->behave(true, false);
    guest_->run(input);
  }

 private:
  void add(std::shared_ptr<BlockBackend> medium, const hw::ScsiUnitOptions& options) {
    CHECK(bus_->plug(std::make_unique<hw::ScsiDevice>(std::move(medium), options, hw::ScsiDevice::Place{}))
              .ok());
  }
  void step(Input& input) {
    constexpr std::size_t kCdb = 16, kMostOut = 256;
    const auto where = input.take<std::uint8_t>();
    if (where == 0xff) return disk_->behave(input.flag(), input.flag());
    request_.memory = &memory_;
    request_.to_unit.clear();
    request_.to_guest.clear();
    add_buffer(request_.to_unit, 0, input.below(kHalf), where);
    add_buffer(request_.to_guest, kHalf, input.below(kHalf), where);
    request_.begin(input.take_bytes(kCdb));
    const auto out = input.take_bytes(input.below(kMostOut));
    static_cast<void>(memory_.write(Paddr{kRam}, out.data(), out.size()));
    static_cast<void>(bus_->execute(
        {static_cast<std::uint8_t>(where & 1), static_cast<std::uint16_t>(where >> 7)}, request_));
    CHECK(request_.moved <= hw::total_bytes(request_.to_unit) + hw::total_bytes(request_.to_guest));
  }
  /// In one element or two.
  void add_buffer(hw::BufferElements& to, std::uint64_t at, std::uint64_t size, std::uint8_t how) {
    const std::uint64_t first = (how & 2) != 0 ? size / 3 : 0;
    std::byte* const host = memory_.host(Paddr{kRam + at});
    if (first != 0) to.push_back({host, static_cast<std::uint32_t>(first), Paddr{kRam + at}});
    if (size == first) return;
    to.push_back({host + first, static_cast<std::uint32_t>(size - first), Paddr{kRam + at + first}});
  }

  AddressSpace memory_;
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::shared_ptr<MemoryDisk> disc_ = std::make_shared<MemoryDisk>();
  hw::ScsiBus* bus_ = nullptr;
  std::unique_ptr<VirtioGuest> guest_;
  hw::ScsiRequest request_;
};

void run(Input& input) {
  static Machine machine;
  machine.run(input);
}

const Registration registration("virtio_scsi", run);

}  // namespace
}  // namespace gstage::fuzz
