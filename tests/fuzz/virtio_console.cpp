// SPDX-License-Identifier: Apache-2.0
// virtio-console with two ports, on one of which somebody types.
#include "hw/virtio/console.h"

#include "tests/fuzz/keyboard.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/virtio_guest.h"

namespace gstage::fuzz {
namespace {

constexpr unsigned kQueues = 8;  // of three ports and of the control messages

void run(Input& input) {
  static const auto keyboard = std::make_shared<Keyboard>();
  static VirtioGuest guest(
      [] {
        auto console = std::make_unique<hw::VirtioConsole>(3);
        console->add_port(0, {keyboard, "", true});
        console->add_port(1, {nullptr, "org.example.port", false});
        return console;
      }(),
      kQueues, [](Input& more) { keyboard->type(more); });
  keyboard->clear();
  guest.run(input);
}

const Registration registration("virtio_console", run);

}  // namespace
}  // namespace gstage::fuzz
