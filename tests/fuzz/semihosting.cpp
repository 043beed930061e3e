// SPDX-License-Identifier: Apache-2.0
// Semihosting calls of a program in any mode, with whatever lies in its memory: an answer is there or the
// hart comes again, and files stay in their folder.
#include "target/riscv/semihosting/semihosting.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "softmmu/base/check.h"

#include "tests/fuzz/hart_machine.h"
#include "tests/fuzz/keyboard.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = HartMachine::kRam;
constexpr std::uint64_t kRamSize = HartMachine::kRamSize;
/// Three pages of tables for Sv39, which show RAM where it is.
constexpr std::uint64_t kTables = kRamSize - 3 * kPageSize;

/// The folder whose files the program may use: empty when an input begins.
class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "gstage-fuzz-XXXXXX").string()) {
    CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_, ignored_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void clear() {
    for (const auto& entry : std::filesystem::directory_iterator(path_, ignored_))
      std::filesystem::remove(entry.path(), ignored_);
  }

 private:
  std::string path_;
  std::error_code ignored_;
};

/// Some pages are not there, some can only be read or executed; the first holds the code.
void lay_tables(std::byte* ram) {
  const auto entry = [&](std::uint64_t table, std::uint64_t index, std::uint64_t offset,
                         std::uint64_t flags) {
    const std::uint64_t value = (kRam + offset) >> 12 << 10 | flags;
    std::memcpy(ram + kTables + table * kPageSize + 8 * index, &value, sizeof value);
  };
  static constexpr std::uint64_t kFlags[] = {0xdf, 0xd7, 0xd3, 0xd9, 0x00, 0xd7, 0xc7, 0x57};
  entry(0, kRam >> 30, kTables + kPageSize, 1);
  entry(1, 0, kTables + 2 * kPageSize, 1);
  for (std::uint64_t page = 0; page < kRamSize / kPageSize; ++page)
    entry(2, page, page * kPageSize, kFlags[page % std::size(kFlags)]);
}

std::uint64_t draw_pointer(Input& input) {
  const auto how = input.take<std::uint8_t>();
  return how == 0xff ? input.take<std::uint64_t>()
                     : kRam + (how & 0x0f) * kPageSize + input.take<std::uint16_t>() % 0x1800;
}

/// Handles, lengths and modes are small, addresses are in RAM.
std::uint64_t draw_word(Input& input) {
  switch (input.below(4)) {
    case 0: return input.take<std::uint8_t>();
    case 1: return input.take<std::uint16_t>();
    case 2: return input.take<std::uint64_t>();
    default: return draw_pointer(input);
  }
}

void place_words(Input& input, AddressSpace& memory, std::uint64_t at) {
  for (std::uint64_t i = 0, count = input.below(5); i < count; ++i) {
    const std::uint64_t word = draw_word(input);
    static_cast<void>(memory.write(Paddr{at + 8 * i}, &word, sizeof word));
  }
}

void place_text(Input& input, AddressSpace& memory) {
  const Paddr at{draw_pointer(input)};
  const auto text = input.take_bytes(input.below(32));
  static_cast<void>(memory.write(at, text.data(), text.size()));
}

void call(Input& input, HartMachine& machine, riscv::Semihosting& semihosting) {
  constexpr Vaddr kCode{kRam + 0x800};
  static constexpr std::uint32_t kCall[] = {0x01f0'1013, 0x0010'0073, 0x4070'5013};
  CHECK(machine.memory.write(Paddr{kCode.value - 4}, kCall, sizeof kCall));
  riscv::Hart& hart = machine.hart();
  const std::uint64_t parameters = draw_pointer(input);
  place_words(input, machine.memory, parameters);
  hart.x[10] = input.below(0x34);
  hart.x[11] = input.flag() ? parameters : draw_word(input);
  // Whom something else waits for does not wait for what is typed.
  hart.core.attention |= 1;
  const std::optional<Vaddr> next = semihosting.call(hart, kCode);
  CHECK(!next.has_value() || *next == kCode || *next == kCode + 4);
}

void translate(Input& input, riscv::Hart& hart) {
  const std::uint64_t sv39 = std::uint64_t{8} << 60 | (kRam + kTables) >> 12;
  riscv::csr_poke(hart, 0x180, input.flag() ? sv39 : 0);  // satp
}

void step(Input& input, HartMachine& machine, Keyboard& keyboard, riscv::Semihosting& semihosting) {
  riscv::Hart& hart = machine.hart();
  switch (input.below(8)) {
    case 0: enter_mode(input, hart); break;
    case 1: translate(input, hart); break;
    case 2: keyboard.type(input); break;
    case 3: place_text(input, machine.memory); break;
    default: call(input, machine, semihosting); break;
  }
  static_cast<void>(machine.guest.attend(hart.core));
}

void run(Input& input) {
  static HartMachine machine;
  static Folder folder;
  static NoControl control;
  static const auto keyboard = std::make_shared<Keyboard>();
  machine.restart();
  lay_tables(machine.ram());
  keyboard->clear();
  folder.clear();
  riscv::SemihostingOptions options;
  options.has_userspace = true;
  options.root = folder.path();
  options.arguments = {"program", "argument"};
  options.console = keyboard;
  auto semihosting = riscv::Semihosting::make(options, control);
  CHECK(semihosting.ok());
  while (!input.empty()) step(input, machine, *keyboard, **semihosting);
}

const Registration registration("semihosting", run);

}  // namespace
}  // namespace gstage::fuzz
