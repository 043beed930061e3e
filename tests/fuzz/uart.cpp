// SPDX-License-Identifier: Apache-2.0
// The UART's registers, with somebody at the other end who types.
#include "hw/char/uart16550.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/keyboard.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kWindow = 0x100;

void run(Input& input) {
  // The wire and the back end outlive the device.
  static const auto keyboard = std::make_shared<Keyboard>();
  static hw::Uart16550 uart(keyboard, IrqLine([](bool) {}));
  keyboard->clear();
  uart.reset();
  while (!input.empty()) {
    if (input.take<std::uint8_t>() % 4 == 0)
      keyboard->type(input);
    else
      access_device(input, uart, input.flag() ? 8 : kWindow);
    CHECK(uart.can_receive() <= hw::Uart16550::kFifoSize);
  }
}

const Registration registration("uart", run);

}  // namespace
}  // namespace gstage::fuzz
