// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "softmmu/machine_control.h"
#include "softmmu/mem/address_space.h"
#include "io/chardev.h"
#include "io/clock.h"
#include "hw/core/output_queue.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// Where a program keeps the two words of the interface: its symbols `tohost` and `fromhost`.
struct HtifWords {
  Paddr tohost;
  Paddr fromhost;
};

/// What the interface needs of its board.
struct HtifSetup {
  AddressSpace& memory;
  const Clock& clock;
  TimerThread& timers;
  std::shared_ptr<Chardev> console;  ///< null: what is printed goes nowhere
  MachineControl& control;
};

/// Berkeley's host-target interface: the guest writes a command into the word `tohost`, the host takes it
/// (the word becomes 0) and answers, if the command has an answer, in the word `fromhost`, once that is 0.
/// Bits 63–56 of a command name a device, 55–48 what it shall do, 47–0 are the payload:
///
///   device 0, 0  payload odd: end of the machine with exit code payload >> 1; even: the address of a system
///                call, eight words (number, arguments), of which there are write to 1 and 2, and exit
///   device 1, 0  a character of the console is wanted; the answer is 0x100 | character
///   device 1, 1  the payload is a character for the console; there is no answer
///
/// The words lie in RAM where the program's symbols say, or are the two registers of the device.
class Htif final : public SystemDevice, public StoreWatcher, public RegisterDevice<Htif> {
 public:
  static constexpr const char* kName = "htif";
  static constexpr std::uint64_t kWordBytes = 8;

  /// The words are the device's registers.
  explicit Htif(const HtifSetup& setup);
  /// The words are in RAM, which is watched from now on; `can_hold` is true of them.
  Htif(const HtifSetup& setup, const HtifWords& words);
  ~Htif() override;
  Htif(const Htif&) = delete;
  Htif& operator=(const Htif&) = delete;

  /// Whether the words can be there: aligned, in RAM, and two.
  static bool can_hold(const AddressSpace& memory, const HtifWords& words);

  [[nodiscard]] const char* driver() const override { return "htif"; }
  void reset() override;
  void visit(Visitor& visitor) override;
  void restored() override;
  /// Words in RAM are found by their symbols: they have no node.
  void describe(FdtBuilder& fdt) const override;
  void stored(Paddr paddr, std::uint64_t size) override;
  static std::span<const Register<Htif>> registers();

 private:
  std::uint64_t read_word(Access);
  void write_word(Access, std::uint64_t);

  // With the lock held:
  void look();
  void wait_for_rest();
  void execute(std::uint64_t command);
  void call_system(Paddr at);
  std::uint64_t write_console(std::uint64_t fd, Paddr from, std::uint64_t size);
  void end_machine(std::uint64_t code);
  void respond(std::uint64_t answer);
  void want_character();
  /// Of the event loop's thread.
  void listen();

  const HtifSetup setup_;
  std::optional<HtifWords> places_;
  std::uint64_t registers_[2] = {};
  std::uint64_t* tohost_ = registers_;
  std::uint64_t* fromhost_ = registers_ + 1;
  std::deque<std::uint64_t> answers_;  ///< that wait for fromhost to be 0
  unsigned wanted_ = 0;                ///< characters
  bool is_half_stored_ = false;
  bool is_listening_ = false;
  OutputQueue output_;
  std::unique_ptr<Timer> late_;  ///< until a word is looked at of which a part was stored alone
};

}  // namespace gstage::hw
