// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hw/nvme/nvme.h"

#include "tests/unit/hw_fakes.h"
#include "tests/unit/pci_fixture.h"

namespace gstage::hw {

/// Plays the driver of an NVMe controller on a host bridge.
class NvmeTest : public PciTest {
 protected:
  static constexpr unsigned kDevfn = 8, kEntries = 8;
  static constexpr std::uint64_t kQueues = kRam + 0x1'0000;  ///< 0x1000 a queue: submissions, completions
  static constexpr std::uint64_t kData = kRam + 0x4'0000, kList = kRam + 0x3'0000;
  static constexpr std::uint64_t kMessage = 0x2800'0000;
  enum Register : unsigned {
    kCap = 0x00,
    kVs = 0x08,
    kIntms = 0x0c,
    kIntmc = 0x10,
    kCc = 0x14,
    kCsts = 0x1c,
    kAqa = 0x24,
    kAsq = 0x28,
    kAcq = 0x30,
    kDoorbell = 0x1000,
  };
  static constexpr std::uint32_t kEnabled = 4 << 20 | 6 << 16 | 1;

  struct Answer {
    NvmeStatus status;
    std::uint32_t result;
  };

  explicit NvmeTest(bool is_read_only = false, unsigned threads = 0)
      : workers_(threads), disk_(std::make_shared<FakeDisk>(64 * 512, is_read_only)) {
    for (std::size_t i = 0; i < disk_->bytes.size(); ++i)
      disk_->bytes[i] = static_cast<std::byte>(i / 512 + 1);
    NvmeOptions options;
    options.serial = "serial";
    options.queue_pairs = 4;
    options.vectors = 5;
    nvme_ =
        &plug(host_->root(), kDevfn,
              std::make_unique<Nvme>(Nvme::Parts{memory_, workers_, disk_}, options, NvmeNamespaceOptions{}));
    set(0, kDevfn, pci::kCommand, kCommandAll, 2);
  }
  ~NvmeTest() override { host_.reset(); }

  std::uint64_t reg(unsigned at, unsigned size = 4) { return hw::get(*nvme_, at, size); }
  void set_reg(unsigned at, std::uint64_t value, unsigned size = 4) { hw::set(*nvme_, at, value, size); }
  static std::uint64_t submissions(unsigned queue) { return kQueues + queue * 0x2000; }
  static std::uint64_t completions(unsigned queue) { return submissions(queue) + 0x1000; }

  /// The admin queues are in use.
  void enable() {
    forget();
    set_reg(kCc, 0);
    set_reg(kAqa, (kEntries - 1) << 16 | (kEntries - 1));
    set_reg(kAsq, submissions(0), 8);
    set_reg(kAcq, completions(0), 8);
    set_reg(kCc, kEnabled);
    ASSERT_EQ(reg(kCsts), 1u);
  }
  /// And a pair of I/O queues, number 1, with vector 1.
  void start() {
    enable();
    ASSERT_EQ(create_completion(1, 1).status, NvmeStatus::kSuccess);
    ASSERT_EQ(create_submission(1, 1).status, NvmeStatus::kSuccess);
  }
  Answer create_completion(unsigned id, unsigned vector, std::uint32_t flags = 3) {
    return admin(0x05, {}, {id | (kEntries - 1) << 16, vector << 16 | flags}, completions(id));
  }
  Answer create_submission(unsigned id, unsigned completions, std::uint32_t flags = 1) {
    return admin(0x01, {}, {id | (kEntries - 1) << 16, completions << 16 | flags}, submissions(id));
  }

  static NvmeCommand make(std::uint8_t opcode, std::uint32_t nsid, const std::vector<std::uint32_t>& words,
                          std::uint64_t prp1 = kData, std::uint64_t prp2 = 0) {
    NvmeCommand command{};
    command.opcode = opcode;
    command.nsid = nsid;
    command.prp[0] = prp1;
    command.prp[1] = prp2;
    for (std::size_t i = 0; i < words.size(); ++i) command.words10[i] = words[i];
    return command;
  }
  /// Puts a command into the queue without telling of it.
  void put(unsigned queue, NvmeCommand command) {
    command.id = ++last_id_;
    EXPECT_TRUE(
        memory_.write(Paddr{submissions(queue) + tails_[queue] * sizeof command}, &command, sizeof command));
    tails_[queue] = (tails_[queue] + 1) % kEntries;
  }
  void ring(unsigned queue) { set_reg(kDoorbell + queue * 8, tails_[queue]); }
  /// The next completion of a queue, if there is one.
  bool take(unsigned queue, NvmeCompletion& to) {
    std::uint64_t last = 0;
    const std::uint64_t at = completions(queue) + heads_[queue] * sizeof to;
    EXPECT_TRUE(memory_.load(Paddr{at + 12}, 4, last));
    if ((last >> 16 & 1) != phases_[queue]) return false;
    EXPECT_TRUE(memory_.read(Paddr{at}, &to, sizeof to));
    if (++heads_[queue] == kEntries) heads_[queue] = 0, phases_[queue] ^= 1;
    return true;
  }
  void release(unsigned queue) { set_reg(kDoorbell + queue * 8 + 4, heads_[queue]); }
  Answer run(unsigned queue, const NvmeCommand& command) {
    put(queue, command);
    ring(queue);
    NvmeCompletion done{};
    EXPECT_TRUE(eventually([&] { return take(queue, done); }));
    EXPECT_EQ(done.id, last_id_);
    EXPECT_EQ(done.queue_head, tails_[queue]);
    EXPECT_EQ(done.queue, queue);
    release(queue);
    return {static_cast<NvmeStatus>(done.status >> 1), done.result};
  }
  Answer admin(std::uint8_t opcode, std::uint32_t nsid, const std::vector<std::uint32_t>& words,
               std::uint64_t prp1 = kData, std::uint64_t prp2 = 0) {
    return run(0, make(opcode, nsid, words, prp1, prp2));
  }
  NvmeStatus io(std::uint8_t opcode, std::uint64_t block, std::uint32_t word12, std::uint64_t prp1 = kData,
                std::uint64_t prp2 = 0) {
    return run(1, make(opcode, 1,
                       {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), word12},
                       prp1, prp2))
        .status;
  }
  template <class T>
  T peek(std::uint64_t at) {
    T value{};
    EXPECT_TRUE(memory_.read(Paddr{at}, &value, sizeof value));
    return value;
  }
  template <class T>
  void poke(std::uint64_t at, const T& value) {
    ASSERT_TRUE(memory_.write(Paddr{at}, &value, sizeof value));
  }
  unsigned byte_of_disk(std::size_t at) { return std::to_integer<unsigned>(disk_->bytes[at]); }
  /// MSI-X with vector N as message N.
  void enable_messages() {
    for (unsigned vector = 0; vector < nvme_->msix()->vectors(); ++vector) {
      hw::set(*nvme_->msix(), vector * 16 + 0, kMessage);
      hw::set(*nvme_->msix(), vector * 16 + 8, vector);
      hw::set(*nvme_->msix(), vector * 16 + 12, 0);
    }
    unsigned at = get(0, kDevfn, pci::kCapabilityPointer, 1);
    while (get(0, kDevfn, at, 1) != pci::kCapMsix) at = get(0, kDevfn, at + 1, 1);
    set(0, kDevfn, at + 2, 0x8000, 2);
  }
  /// A driver that begins anew.
  void forget() {
    tails_ = heads_ = {};
    phases_.fill(1);
    for (unsigned queue = 0; queue < 5; ++queue)
      poke(completions(queue), std::array<std::uint8_t, kEntries * 16>{});
  }

  WorkerPool workers_;
  std::shared_ptr<FakeDisk> disk_;
  Nvme* nvme_ = nullptr;

 private:
  std::array<unsigned, 5> tails_{}, heads_{}, phases_{};
  std::uint16_t last_id_ = 0;
};

}  // namespace gstage::hw
