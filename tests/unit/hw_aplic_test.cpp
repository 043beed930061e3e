// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <gtest/gtest.h>

#include "target/riscv/cpu.h"
#include "hw/intc/aplic.h"

#include "tests/unit/hw_fakes.h"
#include "tests/unit/msi_recorder.h"

namespace gstage::hw {
namespace {

using riscv::kMei;
using riscv::kSei;

constexpr std::uint64_t kDomaincfg = 0, kMmsi = 0x1bc0, kSetip = 0x1c00, kSetipnum = 0x1cdc,
                        kInClrip = 0x1d00, kClripnum = 0x1ddc, kSetie = 0x1e00, kSetienum = 0x1edc,
                        kClrienum = 0x1fdc, kSetipnumLe = 0x2000, kGenmsi = 0x3000;
constexpr std::uint64_t kIe = 0x100, kDm = 4;
constexpr std::uint64_t sourcecfg(unsigned source) { return 4 * source; }
constexpr std::uint64_t target(unsigned source) { return 0x3000 + 4 * source; }
constexpr std::uint64_t idc(unsigned hart, unsigned at) { return 0x4000 + 32 * hart + at; }
enum : unsigned { kIdelivery = 0, kIforce = 4, kIthreshold = 8, kTopi = 0x18, kClaimi = 0x1c };
enum : unsigned { kDetached = 1, kEdge1 = 4, kEdge0 = 5, kLevel1 = 6, kLevel0 = 7, kDelegate = 0x400 };

/// Two domains in direct delivery mode, everything delegated to S, hart 1 on.
class AplicDirectTest : public testing::Test {
 protected:
  AplicDirectTest() {
    for (unsigned source = 1; source <= 4; ++source) set(m_, sourcecfg(source), kDelegate);
    set(s_, kDomaincfg, kIe);
    set(s_, idc(1, kIdelivery), 1);
  }
  void open(unsigned source, unsigned mode, unsigned priority = 1) {
    set(s_, sourcecfg(source), mode);
    set(s_, target(source), 1u << 18 | priority);
    set(s_, kSetienum, source);
  }
  FakeLines harts_[2];
  AplicDomain s_{{"s", false, 2, {&harts_[0], &harts_[1]}, 0, nullptr}, nullptr};
  AplicDomain m_{{"m", true, 2, {&harts_[0], &harts_[1]}, 0, nullptr}, &s_};
};

TEST_F(AplicDirectTest, LevelFollowsTheWire) {
  open(3, kLevel1, 5);
  m_.set_level(3, true);
  EXPECT_TRUE(harts_[1].is_high(kSei));
  EXPECT_FALSE(harts_[0].is_high(kSei));
  EXPECT_FALSE(harts_[1].is_high(kMei));
  EXPECT_EQ(get(s_, idc(1, kTopi)), 3u << 16 | 5u);
  EXPECT_EQ(get(s_, idc(1, kClaimi)), 3u << 16 | 5u);
  EXPECT_TRUE(harts_[1].is_high(kSei)) << "a claim does not clear a level";
  set(s_, kClripnum, 3);
  EXPECT_EQ(get(s_, kSetip), 1u << 3);
  m_.set_level(3, false);
  EXPECT_FALSE(harts_[1].is_high(kSei));
  set(s_, kSetipnum, 3);
  EXPECT_EQ(get(s_, kSetip), 0u);
}

TEST_F(AplicDirectTest, EdgesAreKeptUntilTheClaim) {
  open(1, kEdge1);
  open(2, kEdge0);
  m_.set_level(1, true);
  m_.set_level(1, false);
  EXPECT_EQ(get(s_, idc(1, kClaimi)) >> 16, 1u);
  EXPECT_EQ(get(s_, idc(1, kClaimi)), 0u);
  m_.set_level(2, true);
  EXPECT_EQ(get(s_, idc(1, kTopi)), 0u);
  m_.set_level(2, false);
  EXPECT_EQ(get(s_, idc(1, kClaimi)) >> 16, 2u);
}

TEST_F(AplicDirectTest, DetachedHearsSoftwareAlone) {
  open(1, kDetached);
  m_.set_level(1, true);
  EXPECT_EQ(get(s_, kSetip), 0u);
  set(s_, kSetipnumLe, 1);
  EXPECT_EQ(get(s_, idc(1, kClaimi)) >> 16, 1u);
}

TEST_F(AplicDirectTest, InvertedSourcesAreRectified) {
  open(4, kLevel0);
  EXPECT_EQ(get(s_, kInClrip), 1u << 4);
  EXPECT_TRUE(harts_[1].is_high(kSei));
  m_.set_level(4, true);
  EXPECT_EQ(get(s_, kInClrip), 0u);
  EXPECT_FALSE(harts_[1].is_high(kSei));
}

TEST_F(AplicDirectTest, PriorityThenNumberAndThreshold) {
  open(1, kDetached, 3);
  open(2, kDetached, 2);
  open(3, kDetached, 2);
  set(s_, kSetip, 0xe);
  EXPECT_EQ(get(s_, idc(1, kTopi)), 2u << 16 | 2u);
  set(s_, idc(1, kIthreshold), 2);
  EXPECT_EQ(get(s_, idc(1, kTopi)), 0u);
  EXPECT_FALSE(harts_[1].is_high(kSei));
  set(s_, idc(1, kIthreshold), 3);
  EXPECT_EQ(get(s_, idc(1, kClaimi)) >> 16, 2u);
  set(s_, target(1), 1u << 18);
  EXPECT_EQ(get(s_, target(1)), 1u << 18 | 1u) << "priority 0 becomes 1";
}

TEST_F(AplicDirectTest, ForceIsClearedByASpuriousClaim) {
  set(s_, idc(1, kIforce), 1);
  EXPECT_TRUE(harts_[1].is_high(kSei));
  EXPECT_EQ(get(s_, idc(1, kClaimi)), 0u);
  EXPECT_FALSE(harts_[1].is_high(kSei));
}

TEST_F(AplicDirectTest, WhatIsNotDelegatedDoesNotExist) {
  set(s_, sourcecfg(5), kLevel1);
  EXPECT_EQ(get(s_, sourcecfg(5)), 0u);
  open(3, kLevel1);
  m_.set_level(3, true);
  set(m_, sourcecfg(3), kLevel1);
  EXPECT_EQ(get(s_, sourcecfg(3)), 0u);
  EXPECT_EQ(get(s_, kSetie), 0u);
  EXPECT_FALSE(harts_[1].is_high(kSei));
  // A leaf takes a delegation for zero.
  set(m_, sourcecfg(3), kDelegate);
  set(s_, sourcecfg(3), kDelegate | kLevel1);
  EXPECT_EQ(get(s_, sourcecfg(3)), 0u);
}

TEST_F(AplicDirectTest, NumbersAndHartsThatDoNotExistHarmNothing) {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{97}, std::uint64_t{0xffffffff}}) {
    set(s_, kSetipnum, number);
    set(s_, kSetienum, number);
    set(s_, kClrienum, number);
  }
  set(s_, sourcecfg(1023), kLevel1);
  EXPECT_EQ(get(s_, sourcecfg(1023)), 0u);
  EXPECT_EQ(get(s_, idc(2, kClaimi)), 0u);
  set(s_, idc(511, kIdelivery), 1);
  open(1, kDetached);
  set(s_, target(1), 0xffffffff);
  set(s_, kSetipnum, 1);
  EXPECT_FALSE(harts_[1].is_high(kSei));
  EXPECT_EQ(get(s_, kDomaincfg), 0x8000'0100u);
  set(s_, kDomaincfg, kIe | kDm);
  EXPECT_EQ(get(s_, kDomaincfg), 0x8000'0100u) << "no MSI delivery without IMSICs";
}

class AplicMsiTest : public testing::Test {
 protected:
  using Msis = MsiRecorder::Messages;
  AplicMsiTest() {
    set(m_, kMmsi, 0x24000);
    set(m_, kMmsi + 4, 1u << 12);  // LHXW = 1
    set(m_, kMmsi + 8, 0x28000);
    set(m_, kMmsi + 12, 2u << 20);  // LHXS = 2
    set(m_, sourcecfg(3), kDelegate);
    set(s_, kDomaincfg, kIe | kDm);
    set(s_, sourcecfg(3), kLevel1);
    set(s_, target(3), 1u << 18 | 2u << 12 | 77);
    set(s_, kSetienum, 3);
  }
  Msis take() { return msis_.take(); }
  AplicSetup setup(bool is_machine) { return {"aplic", is_machine, 2, {}, 3, &msis_}; }
  MsiRecorder msis_;
  AplicDomain s_{setup(false), nullptr};
  AplicDomain m_{setup(true), &s_};
};

TEST_F(AplicMsiTest, AddressHasHartAndGuest) {
  m_.set_level(3, true);
  EXPECT_EQ(take(), (Msis{{0x2800'6000, 77}}));
  EXPECT_EQ(get(s_, kSetip), 0u);
}

TEST_F(AplicMsiTest, LevelIsArmedAgainBySetipnumWhileHigh) {
  m_.set_level(3, true);
  take();
  m_.set_level(3, true);
  EXPECT_EQ(take(), Msis{});
  set(s_, kSetipnumLe, 3);
  EXPECT_EQ(take().size(), 1u);
  m_.set_level(3, false);
  set(s_, kSetipnumLe, 3);
  EXPECT_EQ(take(), Msis{});
  m_.set_level(3, true);
  EXPECT_EQ(take().size(), 1u);
}

TEST_F(AplicMsiTest, PendingWaitsForTheEnableAndGoesWithTheWire) {
  set(s_, kClrienum, 3);
  m_.set_level(3, true);
  EXPECT_EQ(get(s_, kSetip), 8u);
  m_.set_level(3, false);
  EXPECT_EQ(get(s_, kSetip), 0u);
  m_.set_level(3, true);
  set(s_, kSetie, 8);
  EXPECT_EQ(take().size(), 1u);
}

TEST_F(AplicMsiTest, GenmsiNeedsNoIe) {
  set(s_, kDomaincfg, kDm);
  set(s_, kGenmsi, 1u << 18 | 3u << 12 | 9);
  EXPECT_EQ(take(), (Msis{{0x2800'4000, 9}}));
  EXPECT_EQ(get(s_, kGenmsi), 1u << 18 | 9u) << "not busy";
  set(m_, kDomaincfg, kDm);
  set(m_, kGenmsi, 1u << 18 | 4);
  EXPECT_EQ(take(), (Msis{{0x2400'1000, 4}}));
}

TEST_F(AplicMsiTest, GroupsOfHarts) {
  set(m_, kMmsi + 4, 1u << 12 | 1u << 16 | 4u << 24);  // LHXW = 1, HHXW = 1, HHXS = 4
  set(m_, kDomaincfg, kDm);
  set(m_, kGenmsi, 3u << 18 | 1);
  EXPECT_EQ(take(), (Msis{{(0x24001ull | 1ull << 16) << 12, 1}}));
}

TEST_F(AplicMsiTest, LockedAddressesStay) {
  set(m_, kMmsi + 4, 1u << 31);
  set(m_, kMmsi, 0);
  set(m_, kMmsi + 8, 0);
  EXPECT_EQ(get(m_, kMmsi), 0x24000u);
  EXPECT_EQ(get(m_, kMmsi + 8), 0x28000u);
  EXPECT_EQ(get(s_, kMmsi), 0u);
}

}  // namespace
}  // namespace gstage::hw
