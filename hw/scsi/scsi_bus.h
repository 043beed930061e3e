// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hw/core/device.h"
#include "hw/scsi/scsi_unit.h"

namespace gstage::hw {

/// Where a unit is on its bus.
struct ScsiAddress {
  std::uint8_t target = 0;
  std::uint16_t lun = 0;
  bool operator==(const ScsiAddress&) const = default;
};

/// `scsi-hd` or `scsi-cd`: a logical unit on a bus.
class ScsiDevice final : public Device {
 public:
  /// What is not given the bus chooses.
  struct Place {
    std::optional<std::uint8_t> target{};
    std::optional<std::uint16_t> lun{};
  };

  ScsiDevice(std::shared_ptr<BlockBackend> medium, ScsiUnitOptions options, const Place& place)
      : unit_(std::move(medium), std::move(options)), place_(place) {}

  [[nodiscard]] const char* driver() const override {
    return unit_.options().kind == ScsiKind::kDisk ? "scsi-hd" : "scsi-cd";
  }
  [[nodiscard]] std::string firmware_node() const override;
  void reset() override { unit_.reset(); }
  void visit(Visitor& visitor) override { unit_.visit(visitor); }
  [[nodiscard]] ScsiUnit& unit() { return unit_; }
  /// What the command line says of its place.
  [[nodiscard]] const Place& place() const { return place_; }
  /// Where it is, once it is plugged.
  [[nodiscard]] const ScsiAddress& address() const { return address_; }

 private:
  friend class ScsiBus;
  ScsiUnit unit_;
  const Place place_;
  ScsiAddress address_;
};

/// The units behind a host adapter. They come while the machine is built.
class ScsiBus final : public Bus {
 public:
  static constexpr const char* kKind = "SCSI";
  static constexpr unsigned kTargets = 256;
  static constexpr unsigned kLuns = 16384;  ///< of each target

  explicit ScsiBus(std::string name) : Bus(kKind, std::move(name)) {}

  /// A ScsiDevice. Refused where another one is, or where no place is left.
  Status plug(std::unique_ptr<Device> device) override;
  /// Executes a command; false: there is no such target.
  bool execute(const ScsiAddress& to, ScsiRequest& request);
  /// Whether the target has any units.
  [[nodiscard]] bool has_target(std::uint8_t target) const;
  /// The unit, or null.
  [[nodiscard]] ScsiUnit* find(const ScsiAddress& address) const;
  /// The next command of each unit of the target learns of it.
  void tell(std::uint8_t target, const ScsiSense& attention);

 private:
  void report_luns(std::uint8_t target, ScsiRequest& request) const;
  static void answer_for_nobody(ScsiRequest& request);

  std::vector<ScsiDevice*> units_;
};

}  // namespace gstage::hw
