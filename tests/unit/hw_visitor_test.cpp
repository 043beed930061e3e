// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hw/core/device.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

/// A device with a bit of everything.
class Gadget final : public Device {
 public:
  [[nodiscard]] const char* driver() const override { return "gadget"; }
  void visit(Visitor& visitor) override {
    visitor.field("level", level);
    visitor.field("is_on", is_on);
    visitor.list("queue", queue, 4);
    visitor.part("timer", [this](Visitor& part) { part.field("deadline", deadline); });
  }
  void restored() override { ++restores; }

  std::uint32_t level = 0;
  bool is_on = false;
  std::vector<std::uint16_t> queue;
  std::uint64_t deadline = 0;
  int restores = 0;
};

class Board final : public Device {
 public:
  Board() : bus_(add_bus(std::make_unique<Bus>("System", "main"))) {
    for (auto& gadget : gadgets) {
      auto made = std::make_unique<Gadget>();
      gadget = made.get();
      EXPECT_TRUE(bus_.plug(std::move(made)).ok());
    }
  }
  [[nodiscard]] const char* driver() const override { return "board"; }
  std::array<Gadget*, 2> gadgets{};

 private:
  Bus& bus_;
};

SavedState save(Board& board) {
  SavedState state;
  Visitor saver = Visitor::saver(state);
  visit_devices(board, saver);
  return state;
}

void load(Board& board, const SavedState& state) {
  Visitor loader = Visitor::loader(state);
  visit_devices(board, loader);
}

TEST(Visitor, WhatWasSavedIsLoadedIntoTheDeviceOfThatPath) {
  Board first;
  first.gadgets[0]->level = 7;
  first.gadgets[1]->is_on = true;
  first.gadgets[1]->queue = {1, 2, 3};
  first.gadgets[1]->deadline = 1ull << 40;
  const SavedState state = save(first);
  EXPECT_EQ(state.count("/gadget.1:timer.deadline"), 1u);
  Board second;
  second.gadgets[1]->queue = {9, 9, 9, 9};
  load(second, state);
  EXPECT_EQ(second.gadgets[0]->level, 7u);
  EXPECT_EQ(second.gadgets[1]->queue, (std::vector<std::uint16_t>{1, 2, 3}));
  EXPECT_TRUE(differences(save(second), state).empty());
  EXPECT_EQ(second.gadgets[0]->restores, 1);
  EXPECT_EQ(first.gadgets[0]->restores, 0) << "saving restores nothing";
}

TEST(Visitor, AFieldThatTheStateLacksKeepsItsValue) {
  Board board;
  board.gadgets[0]->level = 5;
  SavedState state = save(board);
  state.erase("/gadget.0:level");
  state["/gadget.1:level"].resize(3);  // of another size: of another version
  board.gadgets[0]->level = 1;
  board.gadgets[1]->level = 2;
  load(board, state);
  EXPECT_EQ(board.gadgets[0]->level, 1u);
  EXPECT_EQ(board.gadgets[1]->level, 2u);
}

TEST(Visitor, AListThatIsTooLongIsNotLoaded) {
  Board board;
  board.gadgets[0]->queue = {1, 2, 3, 4, 5};
  const SavedState state = save(board);
  Board other;
  load(other, state);
  EXPECT_TRUE(other.gadgets[0]->queue.empty());
}

TEST(Visitor, DifferencesAreNamed) {
  Board board;
  const SavedState before = save(board);
  board.gadgets[1]->level = 1;
  SavedState after = save(board);
  EXPECT_EQ(differences(before, after), std::vector<std::string>{"/gadget.1:level"});
  after["/other:x"] = {};
  EXPECT_EQ(differences(before, after).size(), 2u);
}

}  // namespace
}  // namespace gstage::hw
