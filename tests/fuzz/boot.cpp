// SPDX-License-Identifier: Apache-2.0
// Where kernel, initrd, device tree and -device loader's files go: whatever their sizes and the RAM's, what
// is accepted lies in RAM and does not overlap, and the tree that the guest gets is a whole one.
#include "hw/riscv/boot.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <libfdt.h>

#include "softmmu/base/check.h"
#include "hw/riscv/boards.h"

#include "tests/fuzz/no_control.h"
#include "tests/fuzz/scratch_file.h"
#include "tests/fuzz/small_machine.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = SmallMachine::kRam;
constexpr std::uint64_t kMiB = 1 << 20;
/// More than that is planned but not loaded: it would take too long.
constexpr std::uint64_t kMostLoaded = 1 * kMiB;

/// The beginnings of files; what follows of their sizes is zeroes.
struct Files {
  ScratchFile kernel;
  ScratchFile initrd;
  ScratchFile firmware;
  ScratchFile data;
};

/// A file of any size up to 4 GiB, most of it a hole.
std::uint64_t set_file(Input& input, const ScratchFile& file) {
  const unsigned shift = static_cast<unsigned>(input.below(33));
  const std::uint64_t size = (std::uint64_t{1} << shift) + input.take<std::uint16_t>();
  const auto head = input.take_bytes(input.below(160));
  file.set(head, size);
  return std::max<std::uint64_t>(size, head.size());
}

struct Range {
  std::uint64_t first;
  std::uint64_t size;
};

void check_inside(const Range& range, std::uint64_t ram_bytes) {
  CHECK(range.first >= kRam && range.first - kRam <= ram_bytes &&
        range.size <= ram_bytes - (range.first - kRam));
}

bool overlap(const Range& a, const Range& b) {
  return a.first < b.first + b.size && b.first < a.first + a.size;
}

std::uint64_t chosen_number(const std::vector<std::byte>& tree, const char* name) {
  const int node = fdt_path_offset(tree.data(), "/chosen");
  CHECK(node >= 0);
  int size = 0;
  const void* const value = fdt_getprop(tree.data(), node, name, &size);
  return value == nullptr || size != 8 ? 0 : fdt64_ld(static_cast<const fdt64_t*>(value));
}

void check_plan(const hw::Boot& boot, const MachineOptions& options, std::uint64_t initrd_bytes) {
  const auto& tree = boot.fdt();
  CHECK(fdt_check_full(tree.data(), tree.size()) == 0);
  const Range tree_range{boot.fdt_address(), tree.size()};
  check_inside(tree_range, options.ram_bytes);
  if (options.initrd.empty()) return;
  const std::uint64_t first = chosen_number(tree, "linux,initrd-start");
  const Range initrd{first, chosen_number(tree, "linux,initrd-end") - first};
  CHECK(initrd.size == initrd_bytes);
  check_inside(initrd, options.ram_bytes);
  CHECK(!overlap(initrd, tree_range));
}

std::vector<std::byte> make_tree() {
  MachineOptions options;
  options.bios = "none";
  NoControl control;
  auto machine = hw::kVirtBoard.create(options, control);
  CHECK(machine.ok());
  return (*machine)->device_tree();
}

void run(Input& input) {
  static const Files files;
  static const std::vector<std::byte> tree = make_tree();
  const auto how = input.take<std::uint8_t>();
  MachineOptions options;
  static SmallMachine machines[] = {SmallMachine(kMiB), SmallMachine(4 * kMiB), SmallMachine(128 * kMiB),
                                    SmallMachine(3072 * kMiB)};
  SmallMachine& machine = machines[input.below(4)];
  options.ram_bytes = machine.ram_bytes;
  options.bios = "none";
  std::uint64_t total = 0;
  std::uint64_t initrd_bytes = 0;
  if ((how & 1) != 0) total += set_file(input, files.kernel);
  if ((how & 1) != 0) options.kernel = files.kernel.path();
  if ((how & 3) == 3) total += initrd_bytes = set_file(input, files.initrd);
  if ((how & 3) == 3) options.initrd = files.initrd.path();
  if ((how & 5) == 5) options.append = "console=ttyS0";
  if ((how & 8) != 0) total += set_file(input, files.firmware);
  if ((how & 8) != 0) options.bios = files.firmware.path();
  if ((how & 16) != 0) {
    total += set_file(input, files.data);
    const std::uint64_t address = kRam + (input.take<std::uint32_t>() & 0x1fff'ffff);
    options.devices.push_back({"loader", {{"file", files.data.path()}, {"addr", std::to_string(address)}}});
  }
  hw::Boot boot(machine.memory, {0x1000, kRam, options.ram_bytes});
  const Status status = boot.plan(options, tree);
  if (!status.ok()) return CHECK(!status.error().message.empty());
  check_plan(boot, options, initrd_bytes);
  if (total <= kMostLoaded) CHECK(boot.load().ok());
}

const Registration registration("boot", run);

}  // namespace
}  // namespace gstage::fuzz
