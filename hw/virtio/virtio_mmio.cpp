// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/virtio_mmio.h"

#include <array>
#include <cinttypes>
#include <cstring>
#include <utility>

namespace gstage::hw {
namespace {

constexpr std::uint32_t kMagic = 0x74726976;
constexpr std::uint32_t kVersion = 2;
/// What the reference board answers; small guests compare it.
constexpr std::uint32_t kVendor = 0x554d4551;
constexpr std::uint64_t kConfigOffset = 0x100;

enum Feature : std::uint64_t {
  kIndirectDescriptors = std::uint64_t{1} << 28,
  kEventIdx = std::uint64_t{1} << 29,
  kVersion1 = std::uint64_t{1} << 32,
  kRingReset = std::uint64_t{1} << 40,
};
constexpr std::uint64_t kTransportFeatures = kIndirectDescriptors | kEventIdx | kVersion1 | kRingReset;
enum DeviceStatus : std::uint32_t {
  kDriverOk = 4,
  kFeaturesOk = 8,
  kNeedsReset = 64,
  kDriverBits = 0x8f,  ///< ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, FAILED
};
enum Interrupt : std::uint32_t { kUsedBuffer = 1, kConfigChange = 2 };

}  // namespace

std::span<const Register<VirtioMmio>> VirtioMmio::registers() {
  using V = VirtioMmio;
  // The rows of a request's path come first.
  static constexpr Register<V> kTable[] = {
      {0x050, 4, "QueueNotify", nullptr, &V::write_queue_notify},
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

VirtioMmio::VirtioMmio(AddressSpace& memory, IrqLine irq, std::unique_ptr<VirtioDevice> device)
    : memory_(memory), irq_(std::move(irq)), device_(std::move(device)) {
  if (device_ == nullptr) return;
  memory_.add_agent();
  device_->attach(*this);
}

VirtioMmio::~VirtioMmio() = default;

void VirtioMmio::reset() {
  std::unique_lock lock(mutex_);
  reset_locked(lock);
}

bool VirtioMmio::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  bool is_done = true;
  {
    const std::lock_guard lock(mutex_);
    if (offset >= kConfigOffset) {
      access_config(static_cast<std::uint32_t>(offset - kConfigOffset), size, &value, 0);
    } else {
      is_done = dispatch().read(offset, size, value);
    }
  }
  if (device_ != nullptr) device_->unlocked();
  return is_done;
}

bool VirtioMmio::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  bool is_done = true;
  {
    std::unique_lock lock(mutex_);
    access_lock_ = &lock;
    if (offset >= kConfigOffset) {
      access_config(static_cast<std::uint32_t>(offset - kConfigOffset), size, nullptr, value);
    } else {
      is_done = dispatch().write(offset, size, value);
    }
  }
  if (device_ != nullptr) device_->unlocked();
  return is_done;
}

void VirtioMmio::access_config(std::uint32_t offset, unsigned size, std::uint64_t* read_value,
                               std::uint64_t write_value) {
  std::array<std::uint8_t, 8> bytes{};
  const std::span<std::uint8_t> part(bytes.data(), size);
  if (read_value == nullptr) {
    std::memcpy(bytes.data(), &write_value, sizeof write_value);
    if (device_ != nullptr) device_->write_config(offset, part);
    return;
  }
  if (device_ != nullptr) device_->read_config(offset, part);
  std::memcpy(read_value, bytes.data(), sizeof *read_value);
}

bool VirtioMmio::is_live(unsigned index) {
  return (state_.status & (kDriverOk | kNeedsReset)) == kDriverOk && queues_[index].is_started();
}

void VirtioMmio::raise(std::uint32_t cause) {
  state_.interrupt_status |= cause;
  irq_.raise();
}

void VirtioMmio::notify_used(unsigned index) {
  if (queues_[index].must_interrupt()) raise(kUsedBuffer);
}

void VirtioMmio::notify_config() {
  ++state_.config_generation;
  if ((state_.status & kDriverOk) != 0) raise(kConfigChange);
}

void VirtioMmio::fail(unsigned index, const char* why) {
  log_line(Log::kGuestErrors, "virtio device %u, queue %u: %s; the device needs a reset",
           device_ == nullptr ? 0 : device_->id(), index, why);
  state_.status |= kNeedsReset;
  // Virtio 1.3, 2.1.2: a driver that is up is told by a configuration change.
  if ((state_.status & kDriverOk) != 0) raise(kConfigChange);
}

std::uint64_t VirtioMmio::offered_features() const {
  return device_ == nullptr ? 0 : device_->features() | kTransportFeatures;
}

bool VirtioMmio::has_queue(std::uint32_t index) const {
  return device_ != nullptr && index < kMaxQueues && device_->max_queue_size(index) != 0;
}

std::uint64_t VirtioMmio::read_identity(Access access) {
  const std::uint32_t values[] = {kMagic, kVersion, device_ == nullptr ? 0 : device_->id(), kVendor};
  return values[access.index];
}

std::uint64_t VirtioMmio::read_device_features(Access) {
  const std::uint32_t word = state_.device_features_select;
  return word > 1 ? 0 : (offered_features() >> (word * 32)) & 0xffffffff;
}

void VirtioMmio::write_device_features_select(Access, std::uint64_t value) {
  state_.device_features_select = static_cast<std::uint32_t>(value);
}

void VirtioMmio::write_driver_features(Access, std::uint64_t value) {
  const std::uint32_t word = state_.driver_features_select;
  if ((state_.status & kFeaturesOk) != 0 || word > 1) return;
  const std::uint64_t mask = std::uint64_t{0xffffffff} << (word * 32);
  state_.driver_features = (state_.driver_features & ~mask) | (value << (word * 32));
}

void VirtioMmio::write_driver_features_select(Access, std::uint64_t value) {
  state_.driver_features_select = static_cast<std::uint32_t>(value);
}

void VirtioMmio::write_queue_select(Access, std::uint64_t value) {
  state_.queue_select = static_cast<std::uint32_t>(value);
}

std::uint64_t VirtioMmio::read_queue_size_max(Access) {
  return has_queue(state_.queue_select) ? device_->max_queue_size(state_.queue_select) : 0;
}

Queue* VirtioMmio::configurable_queue() {
  if (has_queue(state_.queue_select) && !queues_[state_.queue_select].setup.is_ready)
    return &queues_[state_.queue_select];
  log_line(Log::kGuestErrors, "virtio-mmio: queue %u is configured but %s", state_.queue_select,
           has_queue(state_.queue_select) ? "already in use" : "does not exist");
  return nullptr;
}

void VirtioMmio::write_queue_size(Access, std::uint64_t value) {
  Queue* queue = configurable_queue();
  if (queue == nullptr) return;
  if (value == 0 || value > device_->max_queue_size(state_.queue_select))
    return fail(state_.queue_select, "the queue's size is out of range");
  queue->setup.size = static_cast<std::uint16_t>(value);
}

std::uint64_t VirtioMmio::read_queue_ready(Access) {
  return has_queue(state_.queue_select) && queues_[state_.queue_select].setup.is_ready ? 1 : 0;
}

void VirtioMmio::write_queue_ready(Access, std::uint64_t value) {
  const std::uint32_t index = state_.queue_select;
  if (!has_queue(index)) return;
  if ((value & 1) == 0) return stop_queue(index, *access_lock_);
  Queue& queue = queues_[index];
  if (queue.setup.is_ready) return;
  const std::uint64_t features = state_.driver_features;
  const char* wrong =
      queue.start(memory_, (features & kEventIdx) != 0, (features & kIndirectDescriptors) != 0);
  if (wrong != nullptr) return fail(index, wrong);
  queue.setup.is_ready = true;
}

void VirtioMmio::stop_queue(unsigned index, std::unique_lock<std::mutex>& lock) {
  queues_[index].reset();
  if (device_ != nullptr) device_->quiesce(index, lock);
}

void VirtioMmio::write_queue_notify(Access, std::uint64_t value) {
  const auto index = static_cast<std::uint32_t>(value & 0xffff);
  if (has_queue(index) && is_live(index)) return device_->notified(index);
  log_line(Log::kGuestErrors, "virtio-mmio: notification of queue %u, which is not in use", index);
}

std::uint64_t VirtioMmio::read_interrupt_status(Access) { return state_.interrupt_status; }

void VirtioMmio::write_interrupt_ack(Access, std::uint64_t value) {
  state_.interrupt_status &= ~static_cast<std::uint32_t>(value);
  if (state_.interrupt_status == 0) irq_.lower();
}

std::uint64_t VirtioMmio::read_status(Access) { return state_.status; }

void VirtioMmio::write_status(Access, std::uint64_t value) {
  if (value == 0) return reset_locked(*access_lock_);
  auto wanted = static_cast<std::uint32_t>(value & kDriverBits);
  const std::uint32_t old = state_.status;
  const std::uint64_t features = state_.driver_features;
  if ((wanted & ~old & kFeaturesOk) != 0) {
    // Virtio 1.3, 3.1.1 step 6: refuse by leaving the bit clear.
    // A driver that leaves VERSION_1 out is taken: it uses this transport's registers and little-endian
    // rings, and for the devices here the layouts of the time before are the same ("Legacy Interface" of
    // each).
    if ((features & ~offered_features()) != 0) {
      log_line(Log::kGuestErrors, "virtio-mmio: the driver's features 0x%" PRIx64 " are refused", features);
      wanted &= ~std::uint32_t{kFeaturesOk};
    }
  }
  state_.status = wanted | (old & kNeedsReset);
  if (device_ == nullptr) return;
  if ((wanted & ~old & kFeaturesOk) != 0) device_->negotiated();
  if ((wanted & ~old & kDriverOk) == 0) return;
  if ((wanted & kFeaturesOk) == 0) return fail(0, "DRIVER_OK without FEATURES_OK");
  device_->started();
}

void VirtioMmio::reset_locked(std::unique_lock<std::mutex>& lock) {
  state_.status = 0;
  for (unsigned index = 0; index < kMaxQueues; ++index)
    if (has_queue(index)) stop_queue(index, lock);
  state_ = State{};
  if (device_ != nullptr) device_->reset();
  irq_.lower();
}

void VirtioMmio::set_area(std::uint64_t Queue::Setup::*area, unsigned half, std::uint64_t value) {
  Queue* queue = configurable_queue();
  if (queue == nullptr) return;
  std::uint64_t& address = queue->setup.*area;
  address = half == 0 ? (address & ~std::uint64_t{0xffffffff}) | value : (address & 0xffffffff) | value << 32;
}

void VirtioMmio::write_descriptors(Access access, std::uint64_t value) {
  set_area(&Queue::Setup::descriptors, access.index, value);
}
void VirtioMmio::write_driver_area(Access access, std::uint64_t value) {
  set_area(&Queue::Setup::driver_area, access.index, value);
}
void VirtioMmio::write_device_area(Access access, std::uint64_t value) {
  set_area(&Queue::Setup::device_area, access.index, value);
}

void VirtioMmio::write_shm_select(Access, std::uint64_t value) {
  state_.shm_select = static_cast<std::uint32_t>(value);
}
/// No device has shared memory: the length and the base of each region are -1.
std::uint64_t VirtioMmio::read_shm(Access) { return 0xffffffff; }

/// A reset is complete before the write returns.
std::uint64_t VirtioMmio::read_queue_reset(Access) { return 0; }
void VirtioMmio::write_queue_reset(Access, std::uint64_t value) {
  if ((value & 1) == 0 || !has_queue(state_.queue_select)) return;
  if ((state_.driver_features & kRingReset) == 0)
    return log_line(Log::kGuestErrors, "virtio-mmio: queue reset without the feature");
  stop_queue(state_.queue_select, *access_lock_);
}

std::uint64_t VirtioMmio::read_config_generation(Access) { return state_.config_generation; }

void VirtioMmio::describe(FdtBuilder& fdt) const {
  const auto node = fdt.node("virtio_mmio", place().base);
  describe_irq(fdt, place());
  fdt.wide_cells("reg", {place().base, place().size});
  fdt.string("compatible", "virtio,mmio");
}

}  // namespace gstage::hw
