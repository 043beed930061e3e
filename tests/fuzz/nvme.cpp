// SPDX-License-Identifier: Apache-2.0
// An NVMe controller: its registers, commands in its queues, and memory that lies.
#include "hw/nvme/nvme.h"

#include <array>
#include <cstring>

#include "softmmu/base/check.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pci_registers.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/memory_disk.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000, kRamSize = 64 << 10;
constexpr unsigned kQueues = 3, kEntries = 8;
constexpr std::uint64_t kWindow = 0x1040;
enum Register : std::uint64_t { kCc = 0x14, kAqa = 0x24, kAsq = 0x28, kAcq = 0x30, kDoorbells = 0x1000 };

std::uint64_t submissions(unsigned queue) { return kRam + queue * 0x2000; }
std::uint64_t completions(unsigned queue) { return submissions(queue) + 0x1000; }

class Machine {
 public:
  Machine() {
    CHECK(memory_.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory_.seal();
    hw::PciHostSetup setup{.memory = memory_, .msis = msis_};
    host_ = std::make_unique<hw::PciHost>(setup);
    hw::NvmeOptions options;
    options.serial = "serial";
    options.queue_pairs = kQueues - 1;
    options.vectors = kQueues;
    auto nvme = std::make_unique<hw::Nvme>(hw::Nvme::Parts{memory_, workers_, disk_}, options,
                                           hw::NvmeNamespaceOptions{});
    nvme_ = nvme.get();
    CHECK(host_->root().plug(std::move(nvme)).ok());
  }
  void run(Input& input) {
    disk_->behave(false, false);
    std::memset(memory_.host(Paddr{kRam}), 0, kRamSize);
    tails_ = {};
    host_->reset();
    CHECK(host_->mmio_write(1 << 15 | hw::pci::kCommand, 2, hw::pci::kCommandMaster));
    put(kAqa, (kEntries - 1) << 16 | (kEntries - 1));
    put(kAsq, submissions(0), 8);
    put(kAcq, completions(0), 8);
    put(kCc, 4 << 20 | 6 << 16 | 1);
    for (unsigned queue = 1; queue < kQueues; ++queue) {
      send(0, make(5, {queue | (kEntries - 1) << 16, queue << 16 | 3}, completions(queue)));
      send(0, make(1, {queue | (kEntries - 1) << 16, queue << 16 | 1}, submissions(queue)));
    }
    while (!input.empty()) step(input);
    host_->reset();
  }

 private:
  void put(std::uint64_t at, std::uint64_t value, unsigned size = 4) {
    CHECK(nvme_->mmio_write(at, size, value));
  }
  static hw::NvmeCommand make(std::uint8_t opcode, const std::array<std::uint32_t, 2>& words,
                              std::uint64_t prp) {
    hw::NvmeCommand command{};
    command.opcode = opcode;
    command.prp[0] = prp;
    command.words10[0] = words[0];
    command.words10[1] = words[1];
    return command;
  }
  void send(unsigned queue, const hw::NvmeCommand& command) {
    const std::uint64_t at = submissions(queue) + tails_[queue] * sizeof command;
    CHECK(memory_.write(Paddr{at}, &command, sizeof command));
    tails_[queue] = (tails_[queue] + 1) % kEntries;
    put(kDoorbells + queue * 8, tails_[queue]);
  }
  void step(Input& input) {
    switch (input.take<std::uint8_t>() % 8) {
      case 0: return access_device(input, *nvme_, kWindow);
      case 1: {
        const std::uint64_t at = input.below(kRamSize);
        const auto bytes = input.take_bytes(input.below(64));
        return static_cast<void>(memory_.write(Paddr{kRam + at}, bytes.data(), bytes.size()));
      }
      case 2: return put(kDoorbells + input.below(2 * kQueues + 1) * 4, input.below(kEntries + 2));
      case 3: return disk_->behave(input.flag(), input.flag());
      default: return command(input);
    }
  }
  /// Its pages mostly lie in RAM, and what has not been taken of completions is taken.
  void command(Input& input) {
    constexpr std::uint8_t kAnywhere = 0x80;
    const auto queue = static_cast<unsigned>(input.below(kQueues));
    const auto how = input.take<std::uint8_t>();
    hw::NvmeCommand made = make(input.take<std::uint8_t>(), {}, 0);
    made.flags = (how & 1) != 0 ? input.take<std::uint8_t>() : 0;
    made.nsid = (how & 2) != 0 ? input.take<std::uint32_t>() : 1;
    for (std::uint64_t& prp : made.prp)
      prp = (how & kAnywhere) != 0 ? input.take<std::uint64_t>() : kRam + input.take<std::uint16_t>();
    for (std::uint32_t& word : made.words10)
      word = (how & 4) != 0 ? input.take<std::uint32_t>() : input.take<std::uint8_t>();
    if ((how & 8) == 0) put(kDoorbells + queue * 8 + 4, input.below(kEntries));
    send(queue, made);
  }

  AddressSpace memory_;
  hw::NoMsiSink msis_;
  hw::WorkerPool workers_{0};
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::array<unsigned, kQueues> tails_{};
  std::unique_ptr<hw::PciHost> host_;
  hw::Nvme* nvme_ = nullptr;
};

void run(Input& input) {
  static Machine machine;
  machine.run(input);
}

const Registration registration("nvme", run);

}  // namespace
}  // namespace gstage::fuzz
