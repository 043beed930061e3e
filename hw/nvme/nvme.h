// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "hw/core/driver.h"
#include "hw/core/register_table.h"
#include "hw/nvme/nvme_admin.h"
#include "hw/pci/pci_function.h"

namespace gstage::hw {

/// `nvme`: a controller of NVM Express 1.4 with one namespace. Registers are the harts' business, under the
/// device's lock; commands are executed by workers, one for each submission queue (NvmeQueues). A worker
/// never takes the device's lock, so that whoever holds it may wait for workers.
class Nvme final : public PciFunction, public RegisterDevice<Nvme>, private NvmeQueueOwner {
 public:
  static constexpr const char* kName = "nvme";
  static constexpr std::uint64_t kDoorbells = 0x1000;

  /// What a controller works with.
  struct Parts {
    AddressSpace& memory;  ///< outlives the device
    WorkerPool& workers;   ///< likewise
    std::shared_ptr<BlockBackend> disk;
  };

  Nvme(Parts parts, const NvmeOptions& options, const NvmeNamespaceOptions& disk);
  ~Nvme() override;

  [[nodiscard]] const char* driver() const override { return "nvme"; }
  static std::span<const Register<Nvme>> registers();
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  void visit(Visitor& visitor) override;
  void restored() override;

 private:
  /// The registers that keep what is written.
  struct State {
    std::uint32_t configuration = 0;
    std::uint32_t admin_sizes = 0;
    std::uint64_t admin_submission = 0;
    std::uint64_t admin_completion = 0;
  };
  /// A flush at shutdown, so that no hart waits for it.
  struct Shutdown final : WorkerTask {
    explicit Shutdown(Nvme& n) : nvme(n) {}
    void run() override;
    Nvme& nvme;
  };

  NvmeStatus execute(unsigned queue, NvmeRequest& request) override;
  void completed(std::uint16_t vector) override;
  [[nodiscard]] bool is_bus_master() const override { return bus_master(); }
  void reset_function() override;
  void master_changed(bool is_enabled) override;
  void config_written(unsigned offset, unsigned size) override;

  std::uint64_t read_capabilities(Access);
  std::uint64_t read_version(Access) { return kNvmeVersion; }
  std::uint64_t read_mask(Access) { return masked_; }
  void write_mask_set(Access, std::uint64_t value);
  void write_mask_clear(Access, std::uint64_t value);
  std::uint64_t read_configuration(Access) { return state_.configuration; }
  void write_configuration(Access, std::uint64_t value);
  std::uint64_t read_status(Access) { return status_; }
  std::uint64_t read_admin_sizes(Access) { return state_.admin_sizes; }
  void write_admin_sizes(Access, std::uint64_t value);
  std::uint64_t read_admin_submission(Access) { return state_.admin_submission; }
  void write_admin_submission(Access, std::uint64_t value);
  std::uint64_t read_admin_completion(Access) { return state_.admin_completion; }
  void write_admin_completion(Access, std::uint64_t value);

  /// Puts the admin queues into use; false: their registers make no sense.
  bool start();
  void stop();
  /// The pin, while messages are off.
  void update_pin();

  AddressSpace& memory_;
  WorkerPool& workers_;
  NvmeNamespace disk_;
  NvmeQueues queues_;
  NvmeAdmin admin_;
  Shutdown shutdown_{*this};
  State state_;
  std::atomic<std::uint32_t> status_{0};
  std::atomic<std::uint32_t> masked_{0};  ///< vectors, for the pin alone
  std::atomic<std::uint32_t> page_bytes_{4096};
  std::mutex pin_mutex_;
};

/// The row of the table of drivers.
Driver nvme_driver();

}  // namespace gstage::hw
