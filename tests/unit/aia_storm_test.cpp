// SPDX-License-Identifier: Apache-2.0
// MSIs from other threads against claims: none is lost between a store and a CSR access.
#include <atomic>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "target/riscv/aia/imsic.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

class AiaStormTest : public RiscvHart {};

/// Each sender sends all its identities and waits until all were claimed before the next round: every MSI
/// counts.
TEST_F(AiaStormTest, EveryMsiIsClaimedOnce) {
  constexpr unsigned kSenders = 2;
  constexpr unsigned kEach = 127;
  constexpr unsigned kRounds = 100;
  config.smaia = config.ssaia = true;
  restart();
  Imsic imsic({255, 1}, hart(), cpu);
  hart().imsic = &imsic;
  InterruptFile& file = *imsic.guest(1);
  file.write(0x70, 1, ~0ull);
  for (unsigned select = 0xc0; select < 0xc8; select += 2) file.write(select, ~0ull, ~0ull);
  std::atomic<unsigned> claimed[kSenders] = {};
  std::vector<std::thread> senders;
  for (unsigned sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (unsigned round = 1; round <= kRounds; ++round) {
        for (unsigned i = 0; i < kEach; ++i) file.receive(1 + sender * kEach + i);
        while (claimed[sender] < round * kEach) std::this_thread::yield();
      }
    });
  }
  unsigned spurious = 0;
  for (unsigned total = 0; total < kSenders * kRounds * kEach;) {
    // What a hart that sleeps would look at.
    if (signalling_guest_files(hart(), 2) == 0) {
      std::this_thread::yield();
      continue;
    }
    const unsigned identity = file.top();
    file.claim(identity);
    if (identity == 0) {
      ++spurious;
      continue;
    }
    ++claimed[(identity - 1) / kEach];
    ++total;
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(spurious, 0u);
  EXPECT_EQ(file.top(), 0u);
  for (const auto& count : claimed) EXPECT_EQ(count.load(), kRounds * kEach);
}

}  // namespace
}  // namespace gstage::riscv
