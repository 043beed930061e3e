// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "io/net/peer.h"
#include "hw/core/register_table.h"
#include "hw/net/e1000e_frames.h"
#include "hw/net/e1000e_phy.h"
#include "hw/net/e1000e_registers.h"
#include "hw/pci/pci_function.h"

namespace gstage::hw {

/// `e1000e`: Intel's 82574L network card on PCI Express, as far as drivers need it (docs/devices.md says what
/// is missing). Registers are the harts' business, under the device's lock; frames are the loop's of the
/// network.
class E1000e final : public PciFunction,
                     public RegisterDevice<E1000e>,
                     public NetPeer,
                     private NetLoop::Source {
 public:
  static constexpr const char* kName = "e1000e";

  /// `network` may be null: then the link is down.
  E1000e(std::shared_ptr<NetBackend> network, const MacAddress& mac);
  ~E1000e() override;

  [[nodiscard]] const char* driver() const override { return "e1000e"; }
  static std::span<const Register<E1000e>> registers();
  void visit(Visitor& visitor) override;

  bool deliver(const NetFrame& frame) override;
  void ready() override;

 private:
  struct Rows;
  /// The window that the I/O bar has to the registers, and a flash without content.
  class IoWindow final : public MmioHandler {
   public:
    explicit IoWindow(E1000e& card) : card_(card) {}
    bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
    bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
    std::atomic<std::uint32_t> address{0};  ///< the register that the window shows

   private:
    E1000e& card_;
  };
  class Flash final : public MmioHandler {
   public:
    bool mmio_read(std::uint64_t, unsigned, std::uint64_t& value) override {
      value = ~std::uint64_t{0};
      return true;
    }
    bool mmio_write(std::uint64_t, unsigned, std::uint64_t) override { return true; }
  };
  /// A descriptor ring as its registers say.
  struct Ring {
    std::uint64_t base;
    std::uint32_t count;
    std::uint32_t head;
    std::uint32_t tail;
  };

  template <std::uint32_t kAt>
  std::uint64_t get(Access access) {
    return state_[kAt / 4 + access.index];
  }
  template <std::uint32_t kAt>
  void put(Access access, std::uint64_t value) {
    state_[kAt / 4 + access.index] = static_cast<std::uint32_t>(value);
  }
  void write_ctrl(Access, std::uint64_t);
  std::uint64_t read_status(Access);
  void write_eerd(Access, std::uint64_t);
  void write_mdic(Access, std::uint64_t);
  std::uint64_t read_icr(Access);
  void write_icr(Access, std::uint64_t);
  void write_ics(Access, std::uint64_t);
  void write_ims(Access, std::uint64_t);
  void write_imc(Access, std::uint64_t);
  /// Keeps what is written; transmitting may go on.
  template <std::uint32_t kAt>
  void put_and_transmit(Access, std::uint64_t value) {
    state_[kAt / 4] = static_cast<std::uint32_t>(value);
    must_transmit_ = true;
    wake();
  }
  void write_rdt(Access, std::uint64_t);
  std::uint64_t read_statistic(Access);

  std::uint32_t& reg(std::uint32_t at) { return state_[at / 4]; }
  [[nodiscard]] bool is_link_up() const;
  /// Brings the registers to their values at reset.
  void reset_registers();
  void reset_function() override;
  void master_changed(bool is_enabled) override;
  void config_written(unsigned offset, unsigned size) override;
  void restored() override;

  /// Causes of interrupts came, or were unmasked.
  void raise(std::uint32_t causes);
  void fire(std::uint32_t causes);
  void update_pin();

  [[nodiscard]] Ring ring(std::uint32_t base_register);
  void dispatch(const PollSet& poll) override;
  void wake() const;
  /// Sends what the driver offers; on the loop, without the lock.
  void transmit();
  /// Takes the next packet off the ring; false: there is none. With the lock.
  bool take_packet(unsigned& budget);
  /// One descriptor; true when a packet is complete.
  bool take_descriptor(const Ring& tx, std::uint32_t& causes);
  bool send_waiting();
  /// Receiving, with the lock.
  [[nodiscard]] bool wants(std::span<const std::uint8_t> frame);
  bool receive(std::vector<std::uint8_t>& frame, const NetFrame& from);
  void write_descriptor(const Ring& rx, std::span<const std::uint8_t> part, bool is_last);
  [[nodiscard]] std::uint32_t buffer_bytes();

  const std::shared_ptr<NetBackend> network_;
  NetQueue* const wire_;  ///< null: none
  const MacAddress mac_;
  const E1000eEeprom eeprom_;
  E1000ePhy phy_;
  IoWindow io_{*this};
  Flash flash_;
  std::array<std::uint32_t, e1000e::kEnd / 4> state_{};  ///< all registers
  E1000eContext context_;                                ///< with the lock, as the next three
  E1000ePacket packet_;
  E1000eChecks checks_;
  std::uint16_t vlan_ = 0;  ///< of the frame that is received
  bool has_vlan_ = false;
  bool was_asserted_ = false;  ///< for MSI, which tells of edges
  std::atomic<bool> must_transmit_{false};
  std::atomic<bool> must_look_for_room_{false};
  // The loop's:
  std::deque<std::vector<std::uint8_t>> waiting_;  ///< frames that are to be sent
  bool is_wire_full_ = false;
  bool is_starved_ = false;
  bool has_received_ = false;
};

}  // namespace gstage::hw
