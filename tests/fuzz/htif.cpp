// SPDX-License-Identifier: Apache-2.0
// The host-target interface: commands whole and by parts, system calls that lie in guest memory, and somebody
// who types. The words are in RAM, where everything else lies as well, or the device's registers.
#include "hw/misc/htif.h"

#include <cstring>

#include <glib.h>

#include "softmmu/base/check.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/keyboard.h"
#include "tests/fuzz/no_control.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr Paddr kRam{0x8000'0000};
constexpr std::uint64_t kRamSize = 64 << 10;
constexpr hw::HtifWords kWords{kRam + 0x1000, kRam + 0x1008};

/// What outlives an input: a range of memory is watched for good.
struct Host {
  AddressSpace memory;
  Clock clock;
  TimerThread timers{clock};
  NoControl control;
  std::shared_ptr<Keyboard> keyboard = std::make_shared<Keyboard>();
  bool has_ram = memory.add_ram("ram", kRam, kRamSize).ok();
  hw::Htif in_ram{setup(), kWords};
  hw::Htif with_registers{setup()};

  Host() {
    CHECK(has_ram);
    memory.seal();
  }
  hw::HtifSetup setup() { return {memory, clock, timers, keyboard, control}; }
};

/// A command of a device that is there, seldom another.
std::uint64_t draw_command(Input& input) {
  const auto how = input.take<std::uint8_t>();
  const std::uint64_t payload =
      (how & 1) != 0 ? input.take<std::uint8_t>() : kRam.value + input.take<std::uint16_t>();
  switch (how / 2 % 4) {
    case 0: return payload;
    case 1: return 0x0100ull << 48 | payload;
    case 2: return 0x0101ull << 48 | payload;
    default: return input.take<std::uint64_t>();
  }
}

/// The eight words of a system call, of which three have a meaning.
void place_call(Input& input, AddressSpace& memory) {
  static constexpr std::uint64_t kNumbers[] = {64, 93, 0};
  const std::uint64_t length = input.flag() ? input.take<std::uint64_t>() : input.take<std::uint8_t>();
  const std::uint64_t words[8] = {kNumbers[input.below(3)], input.below(4),
                                  kRam.value + input.take<std::uint16_t>(), length};
  static_cast<void>(memory.write(kRam + input.below(kRamSize), words, sizeof words));
}

void store(Input& input, AddressSpace& memory) {
  const unsigned size = 1u << input.below(4);
  const Paddr at = input.flag() ? kWords.tohost + input.below(16) : kRam + input.below(kRamSize);
  static_cast<void>(memory.store(Paddr{at.value & ~std::uint64_t{size - 1}}, size, draw_command(input)));
}

void step(Input& input, Host& host) {
  switch (input.below(8)) {
    case 0: return place_call(input, host.memory);
    case 1: return store(input, host.memory);
    case 2: return host.keyboard->type(input);
    case 3: return host.memory.look_at_watched();
    case 4: CHECK(host.memory.store(kWords.fromhost, 8, 0)); return;
    case 5: return access_device(input, host.with_registers, 16);
    case 6: CHECK(host.with_registers.mmio_write(0, 8, draw_command(input))); return;
    default: CHECK(host.memory.store(kWords.tohost, 8, draw_command(input)));
  }
}

void run(Input& input) {
  static Host host;
  host.keyboard->clear();
  std::memset(host.memory.host(kRam), 0, kRamSize);
  host.in_ram.reset();
  host.with_registers.reset();
  while (!input.empty()) {
    step(input, host);
    // The event loop's turn: a character that was asked for is listened for there.
    while (g_main_context_iteration(nullptr, FALSE) != 0) {
    }
  }
}

const Registration registration("htif", run);

}  // namespace
}  // namespace gstage::fuzz
