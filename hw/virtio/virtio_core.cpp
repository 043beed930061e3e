// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/virtio_core.h"

#include <array>
#include <cinttypes>
#include <cstring>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "softmmu/base/trace.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

enum DeviceStatus : std::uint32_t {
  kDriverOk = 4,
  kFeaturesOk = 8,
  kNeedsReset = 64,
  kDriverBits = 0x8f,  ///< ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, FAILED
};

}  // namespace

VirtioCore::~VirtioCore() {
  // The device is gone: nobody wakes a queue.
  for (const auto& slot : queues_) workers_.drain(*slot);
}

void VirtioCore::plug(VirtioDevice& device) {
  device_ = &device;
  for (unsigned index = 0; index < kMaxQueues && device.max_queue_size(index) != 0; ++index)
    queues_.push_back(std::make_unique<QueueSlot>(*this, index, device.max_queue_size(index)));
  memory_.add_agent();
  device.attach(*this);
}

void VirtioCore::unplug() {
  is_up_ = false;
  for (const auto& slot : queues_) disable_queue(slot->index);
}

std::uint64_t VirtioCore::offered_features() const {
  return device_ == nullptr ? 0 : device_->features() | device_->ring_features();
}

void VirtioCore::set_driver_features(std::uint32_t word, std::uint32_t value) {
  if ((status_ & kFeaturesOk) != 0 || word > 1) return;
  const std::uint64_t mask = std::uint64_t{0xffffffff} << (word * 32);
  driver_features_ = (driver_features_ & ~mask) | std::uint64_t{value} << (word * 32);
}

std::uint32_t VirtioCore::status() const { return status_ | (is_broken_ ? std::uint32_t{kNeedsReset} : 0); }

void VirtioCore::set_status(std::uint32_t value) {
  trace(TraceEvent::virtio_status, device_id(), value);
  if (value == 0) return reset();
  std::uint32_t wanted = value & kDriverBits;
  const std::uint32_t added = wanted & ~status_;
  if ((added & kFeaturesOk) != 0 && (features() & ~offered_features()) != 0) {
    // Virtio 1.3, 3.1.1 step 6: refuse by leaving the bit clear.
    // A driver that leaves VERSION_1 out is taken: it uses this transport's registers and little-endian
    // rings, and for the devices here the layouts of the time before are the same ("Legacy Interface" of
    // each).
    log_line(Log::kGuestErrors, "virtio device %u: the driver's features 0x%" PRIx64 " are refused",
             device_id(), features());
    wanted &= ~std::uint32_t{kFeaturesOk};
  }
  status_ = wanted;
  if (device_ == nullptr) return;
  if ((added & wanted & kFeaturesOk) != 0) device_->negotiated();
  if ((added & kDriverOk) != 0) device_->started();
  is_up_ = (wanted & kDriverOk) != 0;
  if ((added & kDriverOk) == 0) return;
  if ((wanted & kFeaturesOk) == 0) return fail(0, "DRIVER_OK without FEATURES_OK");
  for (const auto& slot : queues_) wake(slot->index);
}

void VirtioCore::reset() {
  is_up_ = false;
  for (const auto& slot : queues_) disable_queue(slot->index);
  status_ = 0;
  driver_features_ = 0;
  config_generation_ = 0;
  is_broken_ = false;
  if (device_ != nullptr) device_->reset();
  acknowledge(~0u);
}

std::uint16_t VirtioCore::max_queue_size(std::uint32_t index) const {
  return index < queue_count() ? device_->max_queue_size(index) : 0;
}

const QueueSetup& VirtioCore::setup(std::uint32_t index) const {
  static constexpr QueueSetup kNone;
  return index < queue_count() ? queues_[index]->setup : kNone;
}

bool VirtioCore::is_enabled(std::uint32_t index) const {
  return index < queue_count() && queues_[index]->is_enabled;
}

VirtioCore::QueueSlot* VirtioCore::configurable(std::uint32_t index) {
  if (index < queue_count() && !is_enabled(index)) return queues_[index].get();
  log_line(Log::kGuestErrors, "virtio device %u: queue %u is configured but %s", device_id(), index,
           index < queue_count() ? "already in use" : "does not exist");
  return nullptr;
}

void VirtioCore::set_queue_size(std::uint32_t index, std::uint64_t size) {
  QueueSlot* const slot = configurable(index);
  if (slot == nullptr) return;
  if (size == 0 || size > device_->max_queue_size(index))
    return fail(index, "the queue's size is out of range");
  slot->setup.size = static_cast<std::uint16_t>(size);
}

void VirtioCore::set_area(std::uint32_t index, std::uint64_t QueueSetup::*area, unsigned half,
                          std::uint32_t value) {
  QueueSlot* const slot = configurable(index);
  if (slot == nullptr) return;
  std::uint64_t& address = slot->setup.*area;
  const std::uint64_t wide = value;
  address = half == 0 ? (address & ~std::uint64_t{0xffffffff}) | wide : (address & 0xffffffff) | wide << 32;
}

void VirtioCore::enable_queue(std::uint32_t index) {
  if (index >= queue_count() || is_enabled(index)) return;
  QueueSlot& slot = *queues_[index];
  {
    const std::lock_guard lock(slot.mutex);
    const char* const wrong = slot.queue.start(memory_, slot.setup, features());
    if (wrong != nullptr) return fail(index, wrong);
    slot.is_enabled = true;
  }
  // A queue that comes back after a reset of its own: the device may have waited for it.
  wake(index);
}

void VirtioCore::disable_queue(std::uint32_t index) {
  if (index >= queue_count()) return;
  QueueSlot& slot = *queues_[index];
  slot.is_enabled = false;
  device_->hurry(true);
  const std::lock_guard lock(slot.mutex);
  device_->hurry(false);
  slot.queue.stop();
  slot.setup = QueueSetup{device_->max_queue_size(index)};
}

void VirtioCore::reset_queue(std::uint32_t index) {
  if ((features() & kRingReset) == 0)
    return log_line(Log::kGuestErrors, "virtio device %u: queue reset without the feature", device_id());
  disable_queue(index);
}

std::uint64_t VirtioCore::read_config(std::uint32_t offset, unsigned size) {
  std::array<std::uint8_t, 8> bytes{};
  if (device_ != nullptr) device_->read_config(offset, {bytes.data(), size});
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void VirtioCore::write_config(std::uint32_t offset, unsigned size, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  if (device_ != nullptr) device_->write_config(offset, {bytes.data(), size});
}

void VirtioCore::notify(std::uint32_t index) {
  trace(TraceEvent::virtio_notify, device_id(), index);
  if (index < queue_count() && is_live(index)) {
    if (!queues_[index]->serve_at_once()) wake(index);
    return;
  }
  log_line(Log::kGuestErrors, "virtio device %u: notification of queue %u, which is not in use", device_id(),
           index);
}

void VirtioCore::wake(unsigned index) {
  if (is_live(index) && !device_->wake_own(index)) workers_.post(*queues_[index]);
}

bool VirtioCore::QueueSlot::serve_at_once() {
  VirtioDevice& device = *core.device_;
  if (!device.can_serve_at_once(index)) return false;
  // A worker that is at it goes on with it.
  const std::unique_lock lock(mutex, std::try_to_lock);
  return lock.owns_lock() && core.is_served(index) && device.serve_at_once(index);
}

bool VirtioCore::is_live(unsigned index) const { return is_up_ && !is_broken_ && queues_[index]->is_enabled; }

bool VirtioCore::is_served(unsigned index) const { return is_live(index) && transport_.is_bus_master(); }

void VirtioCore::serve_queue(unsigned index) {
  QueueSlot& slot = *queues_[index];
  const std::lock_guard lock(slot.mutex);
  while (is_served(slot.index)) {
    // As long as somebody looks by himself, the driver need not tell.
    slot.queue.disable_notifications();
    if (device_->serve(slot.index) == Served::kLater) return;
    if (!is_live(slot.index) || !slot.queue.enable_notifications()) return;
  }
}

bool VirtioCore::pop(unsigned index, Chain& chain) {
  // Without access to memory what is offered waits; `refresh` goes on with it.
  if (!is_served(index)) return false;
  Queue& taken = queue(index);
  const Queue::Next next = taken.pop(chain);
  if (next == Queue::Next::kBroken) fail(index, taken.why());
  return next == Queue::Next::kChain;
}

void VirtioCore::notify_used(unsigned index) {
  if (queue(index).must_interrupt()) raise(kUsedBuffer, index);
}

void VirtioCore::notify_config() {
  ++config_generation_;
  if (is_up_) raise(kConfigChange, VirtioTransport::kConfigSource);
}

void VirtioCore::fail(unsigned index, const char* why) {
  log_line(Log::kGuestErrors, "virtio device %u, queue %u: %s; the device needs a reset", device_id(), index,
           why);
  is_broken_ = true;
  // Virtio 1.3, 2.1.2: a driver that is up is told by a configuration change.
  if (is_up_) raise(kConfigChange, VirtioTransport::kConfigSource);
}

void VirtioCore::raise(Cause cause, unsigned source) {
  trace(TraceEvent::virtio_interrupt, device_id(), source);
  const std::lock_guard lock(interrupt_mutex_);
  // A reset ends with `acknowledge`: what came before is forgotten there, and what comes behind it ends here.
  if (!is_up_) return;
  causes_ |= cause;
  // Where a message tells of a used buffer, nobody looks at the register (Virtio 1.3, 4.1.4.5).
  if (transport_.interrupt(source)) causes_ &= ~std::uint32_t{kUsedBuffer};
}

std::uint32_t VirtioCore::acknowledge(std::uint32_t causes) {
  const std::lock_guard lock(interrupt_mutex_);
  const std::uint32_t old = causes_.fetch_and(~causes);
  transport_.set_line((old & ~causes) != 0);
  return old;
}

void VirtioCore::refresh() {
  {
    const std::lock_guard lock(interrupt_mutex_);
    transport_.set_line(causes_ != 0);
  }
  for (const auto& slot : queues_) wake(slot->index);
}

void VirtioCore::visit(Visitor& visitor) {
  // So nothing is under way that the state does not show.
  workers_.drain();
  visitor.field("status", status_);
  visitor.field("driver_features", driver_features_);
  visitor.field("is_broken", is_broken_);
  visitor.field("config_generation", config_generation_);
  for (const auto& slot : queues_)
    visitor.part(format("queue%u", slot->index), [&](Visitor& part) { slot->visit(part); });
  visitor.field("causes", causes_);
}

void VirtioCore::QueueSlot::visit(Visitor& visitor) {
  // A worker ends with the queue: what it has taken it gives back before.
  const std::lock_guard lock(mutex);
  visitor.field("size", setup.size, core.device_->max_queue_size(index));
  visitor.field("descriptors", setup.descriptors);
  visitor.field("driver_area", setup.driver_area);
  visitor.field("device_area", setup.device_area);
  visitor.field("is_enabled", is_enabled);
  if (visitor.is_loading()) {
    queue.stop();
    is_enabled = is_enabled && queue.start(core.memory_, setup, core.features()) == nullptr;
  }
  if (is_enabled) queue.visit(visitor);
}

void VirtioCore::restored() {
  is_up_ = (status_ & kDriverOk) != 0;
  // Drives the wire. The queues were served before they were saved.
  acknowledge(0);
}

}  // namespace gstage::hw
