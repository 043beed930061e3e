// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/virtio_pci.h"

#include <algorithm>
#include <array>
#include <utility>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "hw/core/visitor.h"
#include "hw/pci/pci_registers.h"
#include "hw/virtio/virtio_bus.h"
#include "hw/virtio/virtio_pci_kind.h"

namespace gstage::hw {
namespace {

constexpr unsigned kMsixBar = 1;
constexpr unsigned kBar = 4;
constexpr std::uint64_t kBarBytes = 0x4000;
constexpr unsigned kNotifyMultiplier = 4;
constexpr std::uint16_t kNoVector = 0xffff;
/// The pages of the BAR, which are the structures' types less one (4.1.4).
enum Page : std::uint64_t { kCommon, kIsr, kDevice, kNotify };
constexpr std::uint32_t kPageBytes = 0x1000;

/// Offsets within a structure's capability. A window has its data behind it, which the fields point at.
enum CapabilityField : std::uint16_t { kType = 3, kCapBar = 4, kOffset = 8, kLength = 12, kData = 16 };
constexpr std::uint32_t kWindowType = 5;
constexpr PciConfigRow kWindow[] = {
    {2, 1, "length of the capability", 20}, {kType, 1, "type", kWindowType}, {kCapBar, 1, "bar", 0, 0xff},
    {kOffset, 4, "offset", 0, ~0u},         {kLength, 4, "length", 0, ~0u},  {kData, 4, "data", 0, ~0u},
};

}  // namespace

std::span<const Register<VirtioPci>> VirtioPci::registers() {
  using V = VirtioPci;
  static constexpr Register<V> kTable[] = {
      {0x00, 4, "device/driver_feature_select", &V::read_features_select, &V::write_features_select, 2, 8},
      {0x04, 4, "device/driver_feature", &V::read_features, &V::write_features, 2, 8},
      {0x10, 2, "config_msix_vector", &V::read_config_vector, &V::write_config_vector},
      {0x12, 2, "num_queues", &V::read_queue_count, nullptr},
      {0x14, 1, "device_status", &V::read_status, &V::write_status},
      {0x15, 1, "config_generation", &V::read_config_generation, nullptr},
      {0x16, 2, "queue_select", &V::read_queue_select, &V::write_queue_select},
      {0x18, 2, "queue_size", &V::read_queue_size, &V::write_queue_size},
      {0x1a, 2, "queue_msix_vector", &V::read_queue_vector, &V::write_queue_vector},
      {0x1c, 2, "queue_enable", &V::read_queue_enable, &V::write_queue_enable},
      {0x1e, 2, "queue_notify_off", &V::read_queue_select, nullptr},
      {0x20, 4, "queue_desc/driver/device", &V::read_area, &V::write_area, 6},
      {0x38, 2, "queue_notif_config_data", &V::read_zero, nullptr},
      {0x3a, 2, "queue_reset", &V::read_zero, &V::write_queue_reset},
      {0x3c, 2, "admin_queue_index/num", &V::read_zero, nullptr, 2},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

VirtioPci::VirtioPci(VirtioParts parts, unsigned vectors)
    : PciFunction(pci_ids(parts.device->virtio_id())), core_(parts.memory, parts.workers, *this) {
  Bus& bus = add_bus(std::make_unique<VirtioBus>("virtio-bus", core_));
  CHECK(bus.plug(std::move(parts.device)).ok());
  queue_vectors_ = std::vector<Vector>(core_.queue_count());
  forget_vectors();
  for (const Page page : {kCommon, kIsr, kDevice, kNotify}) {
    // Device configuration is type 4 and notifications are 2, behind the first.
    constexpr std::array<std::uint8_t, 4> kTypes = {1, 3, 4, 2};
    const auto size = static_cast<std::uint8_t>(page == kNotify ? 20 : 16);
    const PciConfigRow rows[] = {
        {2, 1, "length of the capability", size},
        {kType, 1, "type", kTypes[page]},
        {kCapBar, 1, "bar", kBar},
        {kOffset, 4, "offset", static_cast<std::uint32_t>(page) * kPageBytes},
        {kLength, 4, "length", kPageBytes},
        {kData, 4, "notify_off_multiplier", kNotifyMultiplier},
    };
    add_capability(pci::kCapVendor, size, std::span(rows).first(page == kNotify ? 6 : 5));
  }
  window_at_ = add_capability(pci::kCapVendor, 20, kWindow);
  add_bar(kBar, kBarBytes, PciBarKind::kMemory64Prefetchable, *this);
  if (vectors == kDefaultVectors) vectors = default_vectors(core_.device_id(), core_.queue_count());
  if (vectors != 0) add_msix(kMsixBar, vectors);
  add_express();
  add_power();
  use_pin();
}

const char* VirtioPci::driver() const { return pci_kind(core_.device_id()).driver; }

bool VirtioPci::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  const std::uint64_t page = offset / kPageBytes;
  const std::uint64_t within = offset % kPageBytes;
  value = 0;
  if (page == kIsr && within == 0) value = core_.acknowledge(~0u);
  if (page == kIsr || page == kNotify) return true;
  const std::lock_guard lock(mutex_);
  if (page == kCommon) return dispatch().read(within, size, value);
  value = core_.read_config(static_cast<std::uint32_t>(within), size);
  return true;
}

bool VirtioPci::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  const std::uint64_t page = offset / kPageBytes;
  const std::uint64_t within = offset % kPageBytes;
  // Without the lock, so that harts with a queue each do not wait for each other.
  if (page == kNotify) core_.notify(static_cast<std::uint32_t>(within / kNotifyMultiplier));
  if (page == kNotify || page == kIsr) return true;
  const std::lock_guard lock(mutex_);
  if (page == kCommon) return dispatch().write(within, size, value);
  core_.write_config(static_cast<std::uint32_t>(within), size, value);
  return true;
}

bool VirtioPci::interrupt(unsigned source) {
  if (!has_messages()) return intx().set(true), false;
  msix()->notify(source == kConfigSource ? config_vector_ : queue_vectors_[source]);
  return true;
}

void VirtioPci::set_line(bool is_high) { intx().set(is_high && !has_messages()); }

bool VirtioPci::is_bus_master() const { return bus_master(); }

void VirtioPci::reset_function() {
  const std::lock_guard lock(mutex_);
  core_.reset();
  state_ = State{};
  forget_vectors();
}

/// Whoever serves a queue holds its lock as long as he does, and sees before the next buffer that the bus is
/// gone.
void VirtioPci::master_changed(bool is_enabled) {
  if (is_enabled) return core_.refresh();
  for (unsigned queue = 0; queue < core_.queue_count(); ++queue)
    const std::lock_guard lock(core_.queue_mutex(queue));
}

void VirtioPci::forget_vectors() {
  config_vector_ = kNoVector;
  for (Vector& vector : queue_vectors_) vector = kNoVector;
}

bool VirtioPci::is_window_access(unsigned offset, unsigned size) {
  const unsigned data = window_at_ + kData;
  if (offset >= data + 4 || offset + size <= data) return false;
  const std::uint64_t at = space().read(window_at_ + kOffset, 4);
  const std::uint32_t length = space().read(window_at_ + kLength, 4);
  const bool is_sound = (length == 1 || length == 2 || length == 4) && at % length == 0 && at < kBarBytes;
  if (is_sound && space().read(window_at_ + kCapBar, 1) == kBar) return true;
  log_line(Log::kGuestErrors, "virtio-pci: the window in configuration space shows nothing");
  return false;
}

void VirtioPci::config_reading(unsigned offset, unsigned size) {
  if (!is_window_access(offset, size)) return;
  std::uint64_t value = 0;
  mmio_read(space().read(window_at_ + kOffset, 4), space().read(window_at_ + kLength, 4), value);
  space().set(window_at_ + kData, 4, static_cast<std::uint32_t>(value));
}

void VirtioPci::config_written(unsigned offset, unsigned size) {
  if (is_window_access(offset, size)) {
    const std::uint32_t length = space().read(window_at_ + kLength, 4);
    const std::uint32_t value = space().read(window_at_ + kData, 4);
    mmio_write(space().read(window_at_ + kOffset, 4), length,
               length == 4 ? value : value & ((1u << length * 8) - 1));
  }
  // MSI-X may have been switched.
  core_.refresh();
}

void VirtioPci::write_features_select(Access access, std::uint64_t value) {
  state_.features_select[access.index] = static_cast<std::uint32_t>(value);
}
std::uint64_t VirtioPci::read_features(Access access) {
  return feature_word(access.index == 0 ? core_.offered_features() : core_.features(),
                      state_.features_select[access.index]);
}
void VirtioPci::write_features(Access access, std::uint64_t value) {
  if (access.index == 1)
    core_.set_driver_features(state_.features_select[1], static_cast<std::uint32_t>(value));
}

std::uint16_t VirtioPci::valid_vector(std::uint64_t vector) {
  return msix() != nullptr && vector < msix()->vectors() ? static_cast<std::uint16_t>(vector) : kNoVector;
}
void VirtioPci::write_config_vector(Access, std::uint64_t value) { config_vector_ = valid_vector(value); }
std::uint64_t VirtioPci::read_queue_vector(Access) {
  return state_.queue_select < queue_vectors_.size() ? queue_vectors_[state_.queue_select].load() : kNoVector;
}
void VirtioPci::write_queue_vector(Access, std::uint64_t value) {
  if (state_.queue_select < queue_vectors_.size()) queue_vectors_[state_.queue_select] = valid_vector(value);
}

void VirtioPci::write_status(Access, std::uint64_t value) {
  if (value == 0) {
    state_ = State{};
    forget_vectors();
  }
  core_.set_status(static_cast<std::uint32_t>(value));
}

void VirtioPci::write_queue_select(Access, std::uint64_t value) {
  state_.queue_select = static_cast<std::uint16_t>(value);
}
void VirtioPci::write_queue_size(Access, std::uint64_t value) {
  core_.set_queue_size(state_.queue_select, value);
}
/// Writing 0 is forbidden to drivers (4.1.4.3.2), and does nothing.
void VirtioPci::write_queue_enable(Access, std::uint64_t value) {
  if (value == 1) core_.enable_queue(state_.queue_select);
}

namespace {
constexpr std::uint64_t QueueSetup::*kAreas[] = {&QueueSetup::descriptors, &QueueSetup::driver_area,
                                                 &QueueSetup::device_area};
}  // namespace
std::uint64_t VirtioPci::read_area(Access access) {
  return core_.setup(state_.queue_select).*kAreas[access.index / 2] >> (access.index % 2 * 32);
}
void VirtioPci::write_area(Access access, std::uint64_t value) {
  core_.set_area(state_.queue_select, kAreas[access.index / 2], access.index % 2,
                 static_cast<std::uint32_t>(value));
}

/// A reset is complete before the write returns.
void VirtioPci::write_queue_reset(Access, std::uint64_t value) {
  if (value == 1) core_.reset_queue(state_.queue_select);
}

void VirtioPci::visit(Visitor& visitor) {
  PciFunction::visit(visitor);
  visitor.field("device_features_select", state_.features_select[0]);
  visitor.field("driver_features_select", state_.features_select[1]);
  visitor.field("queue_select", state_.queue_select);
  visitor.field("config_vector", config_vector_);
  for (unsigned queue = 0; queue < queue_vectors_.size(); ++queue)
    visitor.field(format("queue_vector%u", queue).c_str(), queue_vectors_[queue]);
  core_.visit(visitor);
}

void VirtioPci::restored() {
  PciFunction::restored();
  core_.restored();
}

}  // namespace gstage::hw
