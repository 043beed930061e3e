// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "io/chardev.h"
#include "hw/core/irq_line.h"
#include "hw/core/output_queue.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// A 16550A UART, one byte a register (National Semiconductor PC16550D data sheet). Transmission takes no
/// time, so the transmitter is always empty; the character timeout comes at once when the receiver holds less
/// than its trigger level. Baud rate and frame format are kept but have no effect.
class Uart16550 final : public SystemDevice, public RegisterDevice<Uart16550> {
 public:
  static constexpr const char* kName = "uart";
  static constexpr unsigned kFifoSize = 16;
  static constexpr std::uint32_t kClockHz = 3'686'400;

  /// A null back end is a UART with nothing plugged in.
  Uart16550(std::shared_ptr<Chardev> chardev, IrqLine irq);
  ~Uart16550() override;

  [[nodiscard]] const char* driver() const override { return "ns16550a"; }
  void reset() override;
  void visit(Visitor& visitor) override;
  void restored() override;
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  static std::span<const Register<Uart16550>> registers();

  /// Bytes the receiver has room for: none until software accesses a register, for input that is typed before
  /// belongs to whoever asks for it, which may be another device (hw/misc/htif.h). Any thread.
  std::size_t can_receive();
  /// Bytes from the line, at most can_receive() of them. Any thread.
  void receive(std::span<const std::uint8_t> bytes);

  void describe(FdtBuilder& fdt) const override;

 private:
  /// Everything that reset clears.
  struct State {
    std::uint8_t interrupt_enable = 0;
    std::uint8_t line_control = 0;
    std::uint8_t modem_control = 0;
    std::uint8_t line_errors = 0;  ///< OE, PE, FE, BI of LSR
    std::uint8_t modem_delta = 0;  ///< low half of MSR
    std::uint8_t scratch = 0;
    std::uint8_t fifo_control = 0;
    std::uint16_t divisor = 12;
    bool is_used = false;           ///< software has accessed a register
    bool is_thr_interrupt = false;  ///< the transmitter became empty and nobody has seen it
    std::array<std::uint8_t, kFifoSize> fifo{};
    unsigned first = 0;  ///< oldest byte of the FIFO
    unsigned count = 0;
  };

  std::uint64_t read_data(Access);
  void write_data(Access, std::uint64_t);
  std::uint64_t read_interrupt_enable(Access);
  void write_interrupt_enable(Access, std::uint64_t);
  std::uint64_t read_interrupt_id(Access);
  void write_fifo_control(Access, std::uint64_t);
  std::uint64_t read_line_control(Access);
  void write_line_control(Access, std::uint64_t);
  std::uint64_t read_modem_control(Access);
  void write_modem_control(Access, std::uint64_t);
  std::uint64_t read_line_status(Access);
  std::uint64_t read_modem_status(Access);
  std::uint64_t read_scratch(Access);
  void write_scratch(Access, std::uint64_t);

  [[nodiscard]] bool is_fifo_on() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_divisor_access() const;
  [[nodiscard]] unsigned capacity() const;
  /// After an access: whether input that was held back may flow.
  [[nodiscard]] bool accessed();
  [[nodiscard]] unsigned trigger_level() const;
  [[nodiscard]] std::uint8_t modem_lines() const;
  [[nodiscard]] std::uint8_t interrupt_id() const;
  void push(std::uint8_t byte);
  void transmit(std::uint8_t byte);
  void update_irq();
  void clear_receiver();
  /// Lets held-back input flow; without the lock, because the back end may call us back.
  void resume_if_wanted(bool is_wanted);

  State state_;
  bool is_input_held_ = false;  ///< the back end was told that there is no room
  bool is_irq_high_ = false;
  std::shared_ptr<Chardev> chardev_;
  OutputQueue output_;
  IrqLine irq_;
};

}  // namespace gstage::hw
