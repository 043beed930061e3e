// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "tests/unit/pci_fixture.h"

namespace gstage::hw {
namespace {

using namespace pci;
using Messages = MsiRecorder::Messages;

/// A function whose MSI-X table and pending bits are at kMemory32.
class PciMsixTest : public PciTest {
 protected:
  static constexpr unsigned kSlot = 1 << 3;
  static constexpr unsigned kControl = 0x42;
  static constexpr std::uint32_t kEnable = 1 << 15, kMaskAll = 1 << 14;
  static constexpr std::uint64_t kPending = kMemory32 + 0x800;

  PciMsixTest() : sample_(plug_sample(kSlot)) {
    set(0, kSlot, kBar0 + 16, kMemory32);
    set(0, kSlot, kCommand, kCommandMemory | kCommandMaster, 2);
    for (unsigned vector = 0; vector < PciSample::kVectors; ++vector) {
      store(entry(vector), 0x2800'0000 + vector * 0x1000);
      store(entry(vector) + 8, 100 + vector);
      store(entry(vector) + 12, 0);
    }
    set(0, kSlot, kControl, kEnable, 2);
  }
  static std::uint64_t entry(unsigned vector) { return kMemory32 + vector * 16; }
  PciSample& sample_;
};

TEST_F(PciMsixTest, CapabilitySaysWhereTheTableIs) {
  EXPECT_EQ(get(0, kSlot, 0x40, 1), kCapMsix);
  EXPECT_EQ(get(0, kSlot, kControl, 2), kEnable | (PciSample::kVectors - 1));
  EXPECT_EQ(get(0, kSlot, 0x44), 4u);
  EXPECT_EQ(get(0, kSlot, 0x48), 0x804u);
}

TEST_F(PciMsixTest, AVectorSendsItsMessage) {
  sample_.msix()->notify(1);
  EXPECT_EQ(msis_.take(), (Messages{{0x2800'1000, 101}}));
  store(entry(1), std::uint64_t{1} << 32 | 0x2900'0007, 8);
  sample_.msix()->notify(1);
  EXPECT_EQ(msis_.take(), (Messages{{0x1'2900'0004, 101}})) << "the low bits of an address are zero";
}

TEST_F(PciMsixTest, VectorsThatAreNotThereSendNothing) {
  for (const unsigned vector : {3u, 63u, 0xffffu, ~0u}) sample_.msix()->notify(vector);
  EXPECT_EQ(msis_.take(), Messages{});
  EXPECT_EQ(load(kPending, 8), 0u);
}

TEST_F(PciMsixTest, AMaskedVectorIsPendingAndGoesOutOnce) {
  store(entry(2) + 12, 1);
  sample_.msix()->notify(2);
  sample_.msix()->notify(2);
  EXPECT_EQ(msis_.take(), Messages{});
  EXPECT_EQ(load(kPending), 4u);
  store(kPending, 0);
  EXPECT_EQ(load(kPending), 4u) << "pending bits are read-only";
  store(entry(2) + 8, 7);  // the guest moves the interrupt while it is masked
  store(entry(2) + 12, 0);
  EXPECT_EQ(msis_.take(), (Messages{{0x2800'2000, 7}}));
  EXPECT_EQ(load(kPending), 0u);
}

TEST_F(PciMsixTest, TheFunctionsMaskHoldsAllBack) {
  set(0, kSlot, kControl, kEnable | kMaskAll, 2);
  sample_.msix()->notify(0);
  sample_.msix()->notify(2);
  EXPECT_EQ(msis_.take(), Messages{});
  store(entry(2) + 12, 1);
  set(0, kSlot, kControl, kEnable, 2);
  EXPECT_EQ(msis_.take(), (Messages{{0x2800'0000, 100}}));
  EXPECT_EQ(load(kPending), 4u);
}

TEST_F(PciMsixTest, NothingIsSentWithoutBusMasterOrEnable) {
  set(0, kSlot, kCommand, kCommandMemory, 2);
  sample_.msix()->notify(0);
  set(0, kSlot, kCommand, kCommandMemory | kCommandMaster, 2);
  set(0, kSlot, kControl, 0, 2);
  sample_.msix()->notify(0);
  EXPECT_FALSE(sample_.msix()->is_enabled());
  set(0, kSlot, kControl, kEnable, 2);
  EXPECT_EQ(msis_.take(), Messages{});
}

TEST_F(PciMsixTest, ResetMasksAllAndForgetsWhatIsPending) {
  store(entry(0) + 12, 1);
  sample_.msix()->notify(0);
  set(0, kSlot, sample_.express_at + 8, 1 << 15, 2);
  set(0, kSlot, kBar0 + 16, kMemory32);
  set(0, kSlot, kCommand, kCommandMemory | kCommandMaster, 2);
  EXPECT_EQ(load(kPending), 0u);
  for (unsigned vector = 0; vector < PciSample::kVectors; ++vector) EXPECT_EQ(load(entry(vector) + 12), 1u);
  EXPECT_EQ(load(entry(0) + 8), 0u);
}

TEST_F(PciMsixTest, NarrowAccessesOfTheTableReachNothing) {
  store(entry(0) + 12, 1, 1);
  sample_.msix()->notify(0);
  EXPECT_EQ(msis_.take().size(), 1u);
  EXPECT_EQ(load(entry(0), 2), kNobody);
}

TEST_F(PciMsixTest, NoMessageGoesOutByAnEntryThatIsMasked) {
  // A device's thread notifies while the guest moves the vector, masked, between two messages.
  std::atomic<bool> is_ending{false};
  std::thread device([&] {
    while (!is_ending) {
      sample_.msix()->notify(0);
      std::this_thread::yield();
    }
  });
  for (unsigned round = 0; round < 500; ++round) {
    store(entry(0) + 12, 1);
    store(entry(0) + 8, round);
    store(entry(0), 0x2800'0000 + (round & 7) * 0x1000);
    store(entry(0) + 12, 0);
  }
  is_ending = true;
  device.join();
  for (const auto& [address, data] : msis_.take())
    ASSERT_TRUE(data == 100 || address == 0x2800'0000 + (data & 7) * 0x1000) << data;
}

class PciMsiTest : public PciTest {
 protected:
  static constexpr unsigned kSlot = 1 << 3;
  PciMsiTest() : sample_(plug_sample(kSlot)), at_(sample_.msi_at) {
    set(0, kSlot, kCommand, kCommandMaster, 2);
    set(0, kSlot, at_ + 4, 0x2800'1003);
    set(0, kSlot, at_ + 8, 1);
    set(0, kSlot, at_ + 0xc, 0x47, 2);
  }
  void control(unsigned log2_messages) { set(0, kSlot, at_ + 2, 1 | log2_messages << 4, 2); }
  PciSample& sample_;
  const unsigned at_;
};

TEST_F(PciMsiTest, LowBitsOfTheDataTellMessagesApart) {
  EXPECT_EQ(get(0, kSlot, at_ + 2, 2), 0x0184u) << "four messages, 64 bits, masks";
  sample_.msi()->notify(2);
  EXPECT_EQ(msis_.take(), Messages{}) << "off";
  control(2);
  sample_.msi()->notify(2);
  EXPECT_EQ(msis_.take(), (Messages{{0x1'2800'1000, 0x46}}));
  control(0);
  sample_.msi()->notify(2);
  EXPECT_EQ(msis_.take(), (Messages{{0x1'2800'1000, 0x47}})) << "the guest allows one";
  sample_.msi()->notify(4);
  EXPECT_EQ(msis_.take(), Messages{});
}

TEST_F(PciMsiTest, AMaskedMessageIsPending) {
  control(2);
  set(0, kSlot, at_ + 0x10, 2);
  sample_.msi()->notify(1);
  EXPECT_EQ(msis_.take(), Messages{});
  EXPECT_EQ(get(0, kSlot, at_ + 0x14), 2u);
  set(0, kSlot, at_ + 0x10, 0);
  EXPECT_EQ(msis_.take(), (Messages{{0x1'2800'1000, 0x45}}));
  EXPECT_EQ(get(0, kSlot, at_ + 0x14), 0u);
}

TEST_F(PciMsiTest, MoreMessagesThanThereAreAreAsMany) {
  control(7);
  sample_.msi()->notify(3);
  EXPECT_EQ(msis_.take(), (Messages{{0x1'2800'1000, 0x47}}));
}

}  // namespace
}  // namespace gstage::hw
