// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/virtio_mmio.h"

#include <utility>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "hw/core/visitor.h"
#include "hw/virtio/virtio_bus.h"

namespace gstage::hw {
namespace {

constexpr std::uint32_t kMagic = 0x74726976;
constexpr std::uint32_t kVersion = 2;
/// What the reference board answers; small guests compare it.
constexpr std::uint32_t kVendor = 0x554d4551;
constexpr std::uint64_t kNotifyOffset = 0x50;
constexpr std::uint64_t kConfigOffset = 0x100;

}  // namespace

std::span<const Register<VirtioMmio>> VirtioMmio::registers() {
  using V = VirtioMmio;
  // The rows of a request's path come first.
  static constexpr Register<V> kTable[] = {
      {kNotifyOffset, 4, "QueueNotify", nullptr, &V::write_queue_notify},
      {0x060, 4, "InterruptStatus", &V::read_interrupt_status, nullptr},
      {0x064, 4, "InterruptACK", nullptr, &V::write_interrupt_ack},
      {0x000, 4, "identity", &V::read_identity, nullptr, 4},
      {0x010, 4, "DeviceFeatures", &V::read_device_features, nullptr},
      {0x014, 4, "DeviceFeaturesSel", nullptr, &V::write_device_features_select},
      {0x020, 4, "DriverFeatures", nullptr, &V::write_driver_features},
      {0x024, 4, "DriverFeaturesSel", nullptr, &V::write_driver_features_select},
      {0x030, 4, "QueueSel", nullptr, &V::write_queue_select},
      {0x034, 4, "QueueSizeMax", &V::read_queue_size_max, nullptr},
      {0x038, 4, "QueueSize", nullptr, &V::write_queue_size},
      {0x044, 4, "QueueReady", &V::read_queue_ready, &V::write_queue_ready},
      {0x070, 4, "Status", &V::read_status, &V::write_status},
      {0x080, 4, "QueueDesc", nullptr, &V::write_descriptors, 2},
      {0x090, 4, "QueueDriver", nullptr, &V::write_driver_area, 2},
      {0x0a0, 4, "QueueDevice", nullptr, &V::write_device_area, 2},
      {0x0ac, 4, "SHMSel", nullptr, &V::write_shm_select},
      {0x0b0, 4, "SHMLen/SHMBase", &V::read_shm, nullptr, 4},
      {0x0c0, 4, "QueueReset", &V::read_queue_reset, &V::write_queue_reset},
      {0x0fc, 4, "ConfigGeneration", &V::read_config_generation, nullptr},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

VirtioMmio::VirtioMmio(VirtioParts parts, IrqLine irq, const std::string& bus_name)
    : irq_(std::move(irq)), core_(parts.memory, parts.workers, *this) {
  Bus& bus = add_bus(std::make_unique<VirtioBus>(bus_name, core_));
  if (parts.device != nullptr) CHECK(bus.plug(std::move(parts.device)).ok());
}

std::string VirtioMmio::firmware_node() const {
  return format("virtio-mmio@%016llx", static_cast<unsigned long long>(place().base));
}

void VirtioMmio::reset() {
  const std::lock_guard lock(mutex_);
  core_.reset();
  state_ = State{};
}

bool VirtioMmio::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  const std::lock_guard lock(mutex_);
  if (offset < kConfigOffset) return dispatch().read(offset, size, value);
  value = core_.read_config(static_cast<std::uint32_t>(offset - kConfigOffset), size);
  return true;
}

bool VirtioMmio::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  // Without the lock, so that harts with a queue each do not wait for each other.
  if (offset == kNotifyOffset && size == 4) return write_queue_notify({}, value), true;
  const std::lock_guard lock(mutex_);
  if (offset < kConfigOffset) return dispatch().write(offset, size, value);
  core_.write_config(static_cast<std::uint32_t>(offset - kConfigOffset), size, value);
  return true;
}

bool VirtioMmio::interrupt(unsigned /*source*/) {
  irq_.raise();
  return false;
}

std::uint64_t VirtioMmio::read_identity(Access access) {
  const std::uint32_t values[] = {kMagic, kVersion, core_.device_id(), kVendor};
  return values[access.index];
}

std::uint64_t VirtioMmio::read_device_features(Access) {
  return feature_word(core_.offered_features(), state_.device_features_select);
}
void VirtioMmio::write_device_features_select(Access, std::uint64_t value) {
  state_.device_features_select = static_cast<std::uint32_t>(value);
}
void VirtioMmio::write_driver_features(Access, std::uint64_t value) {
  core_.set_driver_features(state_.driver_features_select, static_cast<std::uint32_t>(value));
}
void VirtioMmio::write_driver_features_select(Access, std::uint64_t value) {
  state_.driver_features_select = static_cast<std::uint32_t>(value);
}

void VirtioMmio::write_queue_select(Access, std::uint64_t value) {
  state_.queue_select = static_cast<std::uint32_t>(value);
}
std::uint64_t VirtioMmio::read_queue_size_max(Access) { return core_.max_queue_size(state_.queue_select); }
void VirtioMmio::write_queue_size(Access, std::uint64_t value) {
  core_.set_queue_size(state_.queue_select, value);
}
std::uint64_t VirtioMmio::read_queue_ready(Access) { return core_.is_enabled(state_.queue_select) ? 1 : 0; }
void VirtioMmio::write_queue_ready(Access, std::uint64_t value) {
  (value & 1) != 0 ? core_.enable_queue(state_.queue_select) : core_.disable_queue(state_.queue_select);
}

/// The queue is in the lower half, also where the upper one says how far the driver is.
void VirtioMmio::write_queue_notify(Access, std::uint64_t value) {
  core_.notify(static_cast<std::uint32_t>(value & 0xffff));
}

std::uint64_t VirtioMmio::read_interrupt_status(Access) { return core_.causes(); }
void VirtioMmio::write_interrupt_ack(Access, std::uint64_t value) {
  core_.acknowledge(static_cast<std::uint32_t>(value));
}

std::uint64_t VirtioMmio::read_status(Access) { return core_.status(); }
void VirtioMmio::write_status(Access, std::uint64_t value) {
  if (value == 0) state_ = State{};
  core_.set_status(static_cast<std::uint32_t>(value));
}

void VirtioMmio::write_descriptors(Access access, std::uint64_t value) {
  core_.set_area(state_.queue_select, &QueueSetup::descriptors, access.index,
                 static_cast<std::uint32_t>(value));
}
void VirtioMmio::write_driver_area(Access access, std::uint64_t value) {
  core_.set_area(state_.queue_select, &QueueSetup::driver_area, access.index,
                 static_cast<std::uint32_t>(value));
}
void VirtioMmio::write_device_area(Access access, std::uint64_t value) {
  core_.set_area(state_.queue_select, &QueueSetup::device_area, access.index,
                 static_cast<std::uint32_t>(value));
}

/// No device has shared memory: the length and the base of each region are -1.
void VirtioMmio::write_shm_select(Access, std::uint64_t) {}
std::uint64_t VirtioMmio::read_shm(Access) { return 0xffffffff; }

/// A reset is complete before the write returns.
std::uint64_t VirtioMmio::read_queue_reset(Access) { return 0; }
void VirtioMmio::write_queue_reset(Access, std::uint64_t value) {
  if ((value & 1) != 0) core_.reset_queue(state_.queue_select);
}

std::uint64_t VirtioMmio::read_config_generation(Access) { return core_.config_generation(); }

void VirtioMmio::describe(FdtBuilder& fdt) const {
  const auto node = fdt.node("virtio_mmio", place().base);
  describe_irq(fdt, place());
  fdt.wide_cells("reg", {place().base, place().size});
  fdt.string("compatible", "virtio,mmio");
}

void VirtioMmio::visit(Visitor& visitor) {
  visitor.field("device_features_select", state_.device_features_select);
  visitor.field("driver_features_select", state_.driver_features_select);
  visitor.field("queue_select", state_.queue_select);
  core_.visit(visitor);
}

}  // namespace gstage::hw
