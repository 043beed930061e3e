// SPDX-License-Identifier: Apache-2.0
#include "hw/nvme/nvme.h"

#include <algorithm>
#include <utility>

#include "softmmu/base/log.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

constexpr PciIds kIds{.vendor = 0x1b36, .device = 0x0010, .class_code = 0x010802, .revision = 2};
constexpr std::uint64_t kBarBytes = 0x4000;
constexpr unsigned kMsixBar = 4;
static_assert(Nvme::kDoorbells + NvmeQueues::kMaxPairs * 8 <= kBarBytes);

/// Of CC.
constexpr std::uint32_t kEnable = 1, kShutdownMask = 3u << 14, kPageShift = 7, kPageMask = 0xf;
constexpr std::uint32_t kCommandSetAndArbitration = 0x3870;
constexpr std::uint32_t kConfigurationBits = 0x00ff'fff1;
/// Of CSTS.
enum StatusBits : std::uint32_t { kReady = 1, kFatal = 2, kShutdownBusy = 1 << 2, kShutdownDone = 2 << 2 };
constexpr std::uint32_t kShutdownStatus = 3 << 2;
constexpr std::uint32_t kLeastPageShift = 12, kMostPageSelection = 4;
constexpr std::uint32_t kAdminSizesBits = 0x0fff'0fff;

std::uint32_t page_selection(std::uint32_t configuration) { return configuration >> kPageShift & kPageMask; }
std::uint32_t page_bytes(std::uint32_t configuration) {
  return 1u << (kLeastPageShift + std::min(page_selection(configuration), kMostPageSelection));
}

}  // namespace

std::span<const Register<Nvme>> Nvme::registers() {
  constexpr unsigned kHalvesOrWhole = 4 | 8;
  static constexpr Register<Nvme> kTable[] = {
      {0x00, 8, "CAP", &Nvme::read_capabilities, nullptr, 1, 0, kHalvesOrWhole},
      {0x08, 4, "VS", &Nvme::read_version, nullptr},
      {0x0c, 4, "INTMS", &Nvme::read_mask, &Nvme::write_mask_set},
      {0x10, 4, "INTMC", &Nvme::read_mask, &Nvme::write_mask_clear},
      {0x14, 4, "CC", &Nvme::read_configuration, &Nvme::write_configuration},
      {0x1c, 4, "CSTS", &Nvme::read_status, nullptr},
      {0x24, 4, "AQA", &Nvme::read_admin_sizes, &Nvme::write_admin_sizes},
      {0x28, 8, "ASQ", &Nvme::read_admin_submission, &Nvme::write_admin_submission, 1, 0, kHalvesOrWhole},
      {0x30, 8, "ACQ", &Nvme::read_admin_completion, &Nvme::write_admin_completion, 1, 0, kHalvesOrWhole},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

Nvme::Nvme(Parts parts, const NvmeOptions& options, const NvmeNamespaceOptions& disk)
    : PciFunction(kIds),
      memory_(parts.memory),
      workers_(parts.workers),
      disk_(std::move(parts.disk), disk),
      queues_(parts.memory, parts.workers, *this, options.queue_pairs + 1),
      admin_(options, queues_, disk_) {
  add_bar(0, kBarBytes, PciBarKind::kMemory64, *this);
  add_msix(kMsixBar, options.vectors);
  add_express();
  add_power();
  use_pin();
  set_firmware_unit("namespace@1,0");
  memory_.add_agent();
}

Nvme::~Nvme() {
  queues_.stop();
  workers_.drain(shutdown_);
}

bool Nvme::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  if (offset < kDoorbells) return RegisterDevice::mmio_read(offset, size, value);
  value = 0;
  return true;
}

bool Nvme::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  if (offset < kDoorbells) return RegisterDevice::mmio_write(offset, size, value);
  // Without the lock, so that harts with a queue each do not wait for each other.
  if (size != 4) {
    log_line(Log::kGuestErrors, "nvme: a store of %u bytes to a doorbell", size);
    return true;
  }
  const auto doorbell = static_cast<unsigned>((offset - kDoorbells) / 4);
  queues_.ring(doorbell, static_cast<std::uint32_t>(value));
  // The driver has taken completions, so that the pin may be low now.
  if (doorbell % 2 != 0) update_pin();
  return true;
}

std::uint64_t Nvme::read_capabilities(Access) {
  constexpr std::uint64_t kContiguousQueues = 1u << 16, kTimeout = 15u << 24,
                          kNvmCommands = std::uint64_t{1} << 37;
  return (NvmeQueues::kMaxEntries - 1) | kContiguousQueues | kTimeout | kNvmCommands |
         std::uint64_t{kMostPageSelection} << 52;
}

void Nvme::write_mask_set(Access, std::uint64_t value) {
  masked_ |= static_cast<std::uint32_t>(value);
  update_pin();
}
void Nvme::write_mask_clear(Access, std::uint64_t value) {
  masked_ &= ~static_cast<std::uint32_t>(value);
  update_pin();
}
void Nvme::write_admin_sizes(Access, std::uint64_t value) {
  state_.admin_sizes = static_cast<std::uint32_t>(value) & kAdminSizesBits;
}
void Nvme::write_admin_submission(Access, std::uint64_t value) {
  state_.admin_submission = value & ~std::uint64_t{0xfff};
}
void Nvme::write_admin_completion(Access, std::uint64_t value) {
  state_.admin_completion = value & ~std::uint64_t{0xfff};
}

void Nvme::write_configuration(Access, std::uint64_t value) {
  const std::uint32_t old = state_.configuration;
  state_.configuration = static_cast<std::uint32_t>(value) & kConfigurationBits;
  const bool is_on = (state_.configuration & kEnable) != 0;
  if (is_on && (old & kEnable) == 0) {
    const bool is_started = start();
    if (!is_started) log_line(Log::kGuestErrors, "nvme: it is enabled with admin queues that make no sense");
    status_ = is_started ? kReady : kFatal;
  } else if (!is_on && (old & kEnable) != 0) {
    stop();
  }
  const std::uint32_t notice = state_.configuration & kShutdownMask;
  if (notice == 0 || notice == (old & kShutdownMask)) return;
  status_ = (status_ & ~kShutdownStatus) | kShutdownBusy;
  workers_.post(shutdown_);
}

void Nvme::Shutdown::run() {
  nvme.disk_.flush();
  std::uint32_t status = nvme.status_;
  // A reset may have come meanwhile.
  while ((status & kShutdownStatus) == kShutdownBusy &&
         !nvme.status_.compare_exchange_weak(status, (status & ~kShutdownStatus) | kShutdownDone)) {
  }
}

bool Nvme::start() {
  const std::uint32_t submissions = (state_.admin_sizes & 0xfff) + 1;
  const std::uint32_t completions = (state_.admin_sizes >> 16) + 1;
  if (page_selection(state_.configuration) > kMostPageSelection ||
      (state_.configuration & kCommandSetAndArbitration) != 0)
    return false;
  if (submissions < 2 || completions < 2 || submissions > NvmeQueues::kMaxEntries ||
      completions > NvmeQueues::kMaxEntries)
    return false;
  page_bytes_ = page_bytes(state_.configuration);
  return queues_.create_completion(0, {state_.admin_completion, completions, 0, true}) &&
         queues_.create_submission(0, {state_.admin_submission, submissions, 0});
}

/// A controller reset (NVM Express 1.4, 7.3.2): the registers of the admin queues keep their values.
void Nvme::stop() {
  queues_.stop();
  admin_.reset();
  status_ = 0;
  masked_ = 0;
  update_pin();
}

void Nvme::reset_function() {
  const std::lock_guard lock(mutex_);
  stop();
  state_ = State{};
}

/// Whoever serves a queue holds its lock as long as he does, and sees before the next command that the bus is
/// gone.
void Nvme::master_changed(bool is_enabled) {
  if (is_enabled) return queues_.go_on();
  queues_.wait();
}

void Nvme::config_written(unsigned, unsigned) {
  // MSI-X may have been switched.
  update_pin();
}

NvmeStatus Nvme::execute(unsigned queue, NvmeRequest& request) {
  const NvmeTransfer transfer{memory_, page_bytes_, (1u << kLeastPageShift) << admin_.options().max_transfer};
  return queue == 0 ? admin_.execute(transfer, request) : disk_.execute(transfer, request);
}

void Nvme::completed(std::uint16_t vector) {
  if (msix()->is_enabled()) return msix()->notify(vector);
  update_pin();
}

void Nvme::update_pin() {
  const std::lock_guard lock(pin_mutex_);
  intx().set(!msix()->is_enabled() && queues_.has_waiting(masked_));
}

void Nvme::visit(Visitor& visitor) {
  PciFunction::visit(visitor);
  workers_.drain();
  const std::lock_guard lock(mutex_);
  visitor.field("configuration", state_.configuration);
  visitor.field("admin_sizes", state_.admin_sizes);
  visitor.field("admin_submission", state_.admin_submission);
  visitor.field("admin_completion", state_.admin_completion);
  visitor.field("status", status_);
  visitor.field("masked", masked_);
  if (visitor.is_loading()) page_bytes_ = page_bytes(state_.configuration);
  queues_.visit(visitor);
  admin_.visit(visitor);
  disk_.visit(visitor);
}

void Nvme::restored() {
  PciFunction::restored();
  update_pin();
}

}  // namespace gstage::hw
