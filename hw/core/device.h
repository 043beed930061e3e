// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "hw/core/fdt_builder.h"

namespace gstage::hw {

class Bus;
class InterruptExplainer;
class Visitor;

/// A node of the machine's tree: buses hold devices, and devices may have buses of their own. What is said of
/// all devices (the FDT, `info qtree`, reset, a saved state) is a walk over the tree.
///
/// A device's life: made with its properties, wired (put on a bus, given interrupt lines and back ends),
/// described, reset at power-on and whenever the machine is, and destroyed with its bus.
class Device {
 public:
  Device() = default;
  virtual ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// The name of its driver, as `-device` and `info qtree` have it.
  [[nodiscard]] virtual const char* driver() const = 0;
  /// To the state at power-on, with everything on its buses. Harts are stopped; the device's own threads may
  /// run.
  virtual void reset();
  /// Adds its node of the device tree, if it has one, and those of what is on its buses.
  virtual void describe(FdtBuilder& /*fdt*/) const {}
  /// Names each field of what the guest can see or change, once: the same walk saves, loads, compares and
  /// prints. The harts and the device's own threads are stopped.
  virtual void visit(Visitor& /*visitor*/) {}
  /// After `visit` loaded: rebuilds what follows from the state (levels of wires, timers, work to do).
  virtual void restored() {}

  /// Of an interrupt controller: what tells why its sources do not reach a hart. Null: it is none.
  virtual InterruptExplainer* explainer() { return nullptr; }

  /// Its part of the path by which firmware knows it (hw/core/boot_order.h), as "ethernet@1"; empty: none.
  [[nodiscard]] virtual std::string firmware_node() const { return {}; }
  /// `bootindex=`: its place in the order in which firmware looks for what to boot, if it has one.
  [[nodiscard]] std::optional<std::uint32_t> boot_index() const { return boot_index_; }
  void set_boot_index(std::uint32_t index) { boot_index_ = index; }

  /// What the command line calls it; empty: nothing.
  [[nodiscard]] const std::string& id() const { return id_; }
  void set_id(std::string id) { id_ = std::move(id); }
  /// The bus that it is on; null: none yet, or it is the root.
  [[nodiscard]] Bus* bus() const { return bus_; }
  [[nodiscard]] std::span<const std::unique_ptr<Bus>> buses() const { return buses_; }
  /// Of the tree: "/soc/virtio-mmio.3/virtio-blk-device". The same in each machine that is built alike.
  [[nodiscard]] std::string path() const;

 protected:
  /// Gives the device a bus.
  Bus& add_bus(std::unique_ptr<Bus> bus);
  /// Destroys what is on its buses: for destructors of devices that those use.
  void clear_buses() { buses_.clear(); }

 private:
  friend class Bus;
  std::string id_;
  std::optional<std::uint32_t> boot_index_;
  Bus* bus_ = nullptr;
  std::vector<std::unique_ptr<Bus>> buses_;
};

/// What devices are put on. It owns them, and destroys them in their order: what is wired to another device
/// of the bus comes before it.
class Bus {
 public:
  /// `kind` is what drivers ask for ("virtio-bus", "PCI"; it lives as long as the bus), `name` what `bus=`
  /// names.
  Bus(const char* kind, std::string name) : kind_(kind), name_(std::move(name)) {}
  virtual ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  [[nodiscard]] const char* kind() const { return kind_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Device* owner() const { return owner_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Device>>& devices() const { return devices_; }

  /// Whether one more device fits.
  [[nodiscard]] virtual bool has_room() const { return true; }
  /// Takes a device over. Refuses, with a sentence about its place, what does not fit; then the device is
  /// gone. Before the machine runs.
  virtual Status plug(std::unique_ptr<Device> device);
  /// Resets what is on it.
  void reset();
  /// Describes what is on it.
  void describe(FdtBuilder& fdt) const;

 protected:
  /// The devices are destroyed, the first one first.
  void clear();

 private:
  friend class Device;
  const char* const kind_;
  const std::string name_;
  Device* owner_ = nullptr;
  std::vector<std::unique_ptr<Device>> devices_;
};

/// Calls `visit(device)` for a device and everything below it, parents first.
void for_each_device(Device& root, const std::function<void(Device&)>& visit);

}  // namespace gstage::hw
