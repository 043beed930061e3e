// SPDX-License-Identifier: Apache-2.0
#include "hw/char/uart16550.h"

#include <algorithm>
#include <utility>

#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

enum InterruptEnable : std::uint8_t { kIerData = 1, kIerThrEmpty = 2, kIerLine = 4, kIerModem = 8 };
enum InterruptId : std::uint8_t {
  kIirModem = 0x00,
  kIirNone = 0x01,
  kIirThrEmpty = 0x02,
  kIirData = 0x04,
  kIirLine = 0x06,
  kIirTimeout = 0x0c,
  kIirFifoOn = 0xc0,
};
enum FifoControl : std::uint8_t { kFcrEnable = 1, kFcrClearReceiver = 2, kFcrTrigger = 0xc0 };
constexpr unsigned kFcrTriggerShift = 6;
constexpr std::uint8_t kLcrDivisorAccess = 0x80;
enum ModemControl : std::uint8_t {
  kMcrDtr = 1,
  kMcrRts = 2,
  kMcrOut1 = 4,
  kMcrOut2 = 8,
  kMcrLoop = 16,
  kMcrAll = 31
};
enum LineStatus : std::uint8_t { kLsrData = 1, kLsrOverrun = 2, kLsrThrEmpty = 0x20, kLsrIdle = 0x40 };
enum ModemStatus : std::uint8_t { kMsrCts = 0x10, kMsrDsr = 0x20, kMsrRing = 0x40, kMsrCarrier = 0x80 };
/// Drivers write one byte with any access; the data lines above bit 7 are not connected.
constexpr unsigned kAnySize = 1 | 2 | 4 | 8;

}  // namespace

std::span<const Register<Uart16550>> Uart16550::registers() {
  using U = Uart16550;
  static constexpr Register<U> kTable[] = {
      {0, 1, "RBR/THR/DLL", &U::read_data, &U::write_data, 1, 0, kAnySize, true},
      {5, 1, "LSR", &U::read_line_status, nullptr, 1, 0, kAnySize, true},
      {1, 1, "IER/DLM", &U::read_interrupt_enable, &U::write_interrupt_enable, 1, 0, kAnySize, true},
      {2, 1, "IIR/FCR", &U::read_interrupt_id, &U::write_fifo_control, 1, 0, kAnySize, true},
      {3, 1, "LCR", &U::read_line_control, &U::write_line_control, 1, 0, kAnySize, true},
      {4, 1, "MCR", &U::read_modem_control, &U::write_modem_control, 1, 0, kAnySize, true},
      {6, 1, "MSR", &U::read_modem_status, nullptr, 1, 0, kAnySize, true},
      {7, 1, "SCR", &U::read_scratch, &U::write_scratch, 1, 0, kAnySize, true},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

Uart16550::Uart16550(std::shared_ptr<Chardev> chardev, IrqLine irq)
    : chardev_(std::move(chardev)), output_(chardev_), irq_(std::move(irq)) {
  if (chardev_ == nullptr) return;
  chardev_->attach([this](std::span<const std::uint8_t> bytes) { receive(bytes); },
                   [this] { return can_receive(); });
}

Uart16550::~Uart16550() {
  if (chardev_ != nullptr) chardev_->attach(nullptr, nullptr);
}

void Uart16550::reset() {
  output_.flush();
  bool must_resume = false;
  {
    const std::lock_guard lock(mutex_);
    state_ = State{};
    update_irq();
    must_resume = std::exchange(is_input_held_, false);
  }
  resume_if_wanted(must_resume);
}

void Uart16550::visit(Visitor& visitor) {
  visitor.field("interrupt_enable", state_.interrupt_enable);
  visitor.field("line_control", state_.line_control);
  visitor.field("modem_control", state_.modem_control);
  visitor.field("line_errors", state_.line_errors);
  visitor.field("modem_delta", state_.modem_delta);
  visitor.field("scratch", state_.scratch);
  visitor.field("fifo_control", state_.fifo_control);
  visitor.field("divisor", state_.divisor);
  visitor.field("is_used", state_.is_used);
  visitor.field("is_thr_interrupt", state_.is_thr_interrupt);
  visitor.field("fifo", state_.fifo);
  visitor.field("first", state_.first, kFifoSize - 1);
  visitor.field("count", state_.count, kFifoSize);
}

void Uart16550::restored() {
  is_irq_high_ = interrupt_id() != kIirNone;
  irq_.set(is_irq_high_);
  // The back end may have been told that there is no room.
  is_input_held_ = !state_.is_used || state_.count != 0 || is_loopback();
  resume_if_wanted(!is_input_held_);
}

bool Uart16550::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  bool must_resume = false;
  bool is_done = false;
  {
    const std::lock_guard lock(mutex_);
    is_done = dispatch().read(offset, size, value);
    must_resume = accessed();
  }
  resume_if_wanted(must_resume);
  return is_done;
}

bool Uart16550::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  bool must_resume = false;
  bool is_done = false;
  {
    const std::lock_guard lock(mutex_);
    is_done = dispatch().write(offset, size, value);
    must_resume = accessed();
  }
  resume_if_wanted(must_resume);
  return is_done;
}

bool Uart16550::accessed() {
  state_.is_used = true;
  const bool may_flow = is_input_held_ && state_.count == 0 && !is_loopback();
  if (may_flow) is_input_held_ = false;
  return may_flow;
}

void Uart16550::resume_if_wanted(bool is_wanted) {
  if (is_wanted && chardev_ != nullptr) chardev_->resume_input();
}

std::size_t Uart16550::can_receive() {
  const std::lock_guard lock(mutex_);
  // In loopback the receiver is cut off from the line.
  const bool is_closed = is_loopback() || !state_.is_used;
  const std::size_t room = is_closed ? 0 : capacity() - std::min(state_.count, capacity());
  is_input_held_ = room == 0;
  return room;
}

void Uart16550::receive(std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  for (const std::uint8_t byte : bytes) push(byte);
  update_irq();
}

bool Uart16550::is_fifo_on() const { return (state_.fifo_control & kFcrEnable) != 0; }
bool Uart16550::is_loopback() const { return (state_.modem_control & kMcrLoop) != 0; }
bool Uart16550::is_divisor_access() const { return (state_.line_control & kLcrDivisorAccess) != 0; }
unsigned Uart16550::capacity() const { return is_fifo_on() ? kFifoSize : 1; }

unsigned Uart16550::trigger_level() const {
  static constexpr unsigned kLevels[] = {1, 4, 8, 14};
  return is_fifo_on() ? kLevels[(state_.fifo_control & kFcrTrigger) >> kFcrTriggerShift] : 1;
}

void Uart16550::push(std::uint8_t byte) {
  if (state_.count >= capacity()) {
    state_.line_errors |= kLsrOverrun;
    // Without FIFO the new character replaces the old one; with FIFO it is lost (PC16550D, 8.4).
    if (!is_fifo_on()) state_.fifo[state_.first] = byte;
    return;
  }
  state_.fifo[(state_.first + state_.count) % kFifoSize] = byte;
  ++state_.count;
}

void Uart16550::transmit(std::uint8_t byte) {
  if (is_loopback()) {
    push(byte);
  } else {
    output_.put({&byte, 1});
  }
  state_.is_thr_interrupt = true;
}

void Uart16550::clear_receiver() {
  state_.first = 0;
  state_.count = 0;
}

std::uint8_t Uart16550::modem_lines() const {
  if (!is_loopback()) return kMsrCts | kMsrDsr | kMsrCarrier;
  const std::uint8_t mcr = state_.modem_control;
  return static_cast<std::uint8_t>(
      ((mcr & kMcrRts) != 0 ? kMsrCts : 0) | ((mcr & kMcrDtr) != 0 ? kMsrDsr : 0) |
      ((mcr & kMcrOut1) != 0 ? kMsrRing : 0) | ((mcr & kMcrOut2) != 0 ? kMsrCarrier : 0));
}

std::uint8_t Uart16550::interrupt_id() const {
  const std::uint8_t enable = state_.interrupt_enable;
  if ((enable & kIerLine) != 0 && state_.line_errors != 0) return kIirLine;
  if ((enable & kIerData) != 0 && state_.count > 0)
    return state_.count >= trigger_level() ? kIirData : kIirTimeout;
  if ((enable & kIerThrEmpty) != 0 && state_.is_thr_interrupt) return kIirThrEmpty;
  if ((enable & kIerModem) != 0 && state_.modem_delta != 0) return kIirModem;
  return kIirNone;
}

void Uart16550::update_irq() {
  const bool is_high = interrupt_id() != kIirNone;
  if (is_high == is_irq_high_) return;
  is_irq_high_ = is_high;
  irq_.set(is_high);
}

std::uint64_t Uart16550::read_data(Access) {
  if (is_divisor_access()) return state_.divisor & 0xff;
  if (state_.count == 0) return 0;
  const std::uint8_t byte = state_.fifo[state_.first];
  state_.first = (state_.first + 1) % kFifoSize;
  --state_.count;
  update_irq();
  return byte;
}

void Uart16550::write_data(Access, std::uint64_t value) {
  if (is_divisor_access()) {
    state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xff00) | (value & 0xff));
    return;
  }
  transmit(static_cast<std::uint8_t>(value));
  update_irq();
}

std::uint64_t Uart16550::read_interrupt_enable(Access) {
  return is_divisor_access() ? state_.divisor >> 8 : state_.interrupt_enable;
}

void Uart16550::write_interrupt_enable(Access, std::uint64_t value) {
  if (is_divisor_access()) {
    state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xff) | ((value & 0xff) << 8));
    return;
  }
  const std::uint8_t old = state_.interrupt_enable;
  state_.interrupt_enable = value & 0xf;
  // Enabling the interrupt while the transmitter is empty raises it (drivers probe for that).
  if ((old & kIerThrEmpty) == 0 && (value & kIerThrEmpty) != 0) state_.is_thr_interrupt = true;
  update_irq();
}

std::uint64_t Uart16550::read_interrupt_id(Access) {
  const std::uint8_t id = interrupt_id();
  if (id == kIirThrEmpty) {
    state_.is_thr_interrupt = false;
    update_irq();
  }
  return id | (is_fifo_on() ? kIirFifoOn : 0);
}

void Uart16550::write_fifo_control(Access, std::uint64_t value) {
  const bool was_on = is_fifo_on();
  const bool is_on = (value & kFcrEnable) != 0;
  if (was_on != is_on || (value & kFcrClearReceiver) != 0) clear_receiver();
  // The other bits are not taken unless the FIFO is being enabled (PC16550D, 8.5).
  state_.fifo_control = is_on ? value & (kFcrEnable | kFcrTrigger) : 0;
  update_irq();
}

std::uint64_t Uart16550::read_line_control(Access) { return state_.line_control; }
void Uart16550::write_line_control(Access, std::uint64_t value) {
  state_.line_control = static_cast<std::uint8_t>(value);
}

std::uint64_t Uart16550::read_modem_control(Access) { return state_.modem_control; }
void Uart16550::write_modem_control(Access, std::uint64_t value) {
  const std::uint8_t before = modem_lines();
  state_.modem_control = value & kMcrAll;
  const std::uint8_t after = modem_lines();
  const auto changed = static_cast<std::uint8_t>((before ^ after) >> 4);
  constexpr std::uint8_t kTrailingRing = 4;  // set by the falling edge only
  state_.modem_delta |= changed & ~kTrailingRing;
  if ((before & ~after & kMsrRing) != 0) state_.modem_delta |= kTrailingRing;
  update_irq();
}

std::uint64_t Uart16550::read_line_status(Access) {
  const std::uint8_t status =
      state_.line_errors | kLsrThrEmpty | kLsrIdle | (state_.count > 0 ? kLsrData : 0);
  state_.line_errors = 0;
  update_irq();
  return status;
}

std::uint64_t Uart16550::read_modem_status(Access) {
  const std::uint8_t status = modem_lines() | state_.modem_delta;
  state_.modem_delta = 0;
  update_irq();
  return status;
}

std::uint64_t Uart16550::read_scratch(Access) { return state_.scratch; }
void Uart16550::write_scratch(Access, std::uint64_t value) {
  state_.scratch = static_cast<std::uint8_t>(value);
}

void Uart16550::describe(FdtBuilder& fdt) const {
  const auto node = fdt.node("serial", place().base);
  describe_irq(fdt, place());
  fdt.cell("clock-frequency", kClockHz);
  fdt.wide_cells("reg", {place().base, place().size});
  fdt.string("compatible", "ns16550a");
}

}  // namespace gstage::hw
