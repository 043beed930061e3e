// SPDX-License-Identifier: Apache-2.0
// Disks in the monitor: what is open, nodes that come and go, limits.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/core/back_ends.h"
#include "system/monitor/commands.h"
#include "system/monitor/hmp.h"

#include "tests/unit/empty_machine.h"
#include "tests/unit/qcow2_image.h"

namespace gstage {
namespace {

/// An EmptyMachine whose command line names disks.
class MachineWithDisks final : public EmptyMachine {
 public:
  explicit MachineWithDisks(const MachineOptions& options)
      : back_ends_(std::move(*hw::BackEnds::open(options))) {}
  hw::BackEnds* back_ends() override { return back_ends_.get(); }

 private:
  const std::unique_ptr<hw::BackEnds> back_ends_;
};

class BlockCommands : public ::testing::Test {
 protected:
  BlockCommands() : folder_(::testing::TempDir() + format("gstage-commands-%d/", getpid())) {
    std::filesystem::create_directories(folder_);
    const auto image = qcow2::make_image({.size = 64 << 10});
    std::ofstream(folder_ + "a.qcow2", std::ios::binary)
        .write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    std::ofstream(folder_ + "b.raw") << std::string(4096, 'b');
    DriveOptions drive;
    drive.id = "hd0";
    drive.interface = "none";
    drive.file = folder_ + "a.qcow2";
    drive.limits.buckets[kIopsTotal].rate = 100;
    options_.drives.push_back(drive);
    machine_ = std::make_unique<MachineWithDisks>(options_);
    run_state_ = std::make_unique<RunState>(*machine_, RunOptions{}, requests_);
    context_ = std::make_unique<CommandContext>(CommandContext{*machine_, *run_state_, subjects_});
  }
  ~BlockCommands() override { std::filesystem::remove_all(folder_); }

  CommandResult execute(const char* name, const Json& arguments = nothing()) {
    const Command* const command = find_qmp_command(name);
    EXPECT_NE(command, nullptr) << name;
    return run_command(*context_, *command, arguments);
  }
  std::string failure(const char* name, const Json& arguments) {
    const CommandResult result = execute(name, arguments);
    return result.ok() ? "" : result.error().description;
  }
  Json node(const char* name) const {
    return Json{{"driver", "raw"},
                {"node-name", name},
                {"file", Json{{"driver", "file"}, {"filename", folder_ + "b.raw"}}}};
  }

  const std::string folder_;
  MachineOptions options_;
  std::unique_ptr<MachineWithDisks> machine_;
  MachineRequests requests_;
  std::unique_ptr<RunState> run_state_;
  MonitorSubjects subjects_;
  std::unique_ptr<CommandContext> context_;
};

TEST_F(BlockCommands, DrivesShowTheFormatThatWasFound) {
  const Json drives = execute("query-block").value();
  ASSERT_EQ(drives.size(), 1u);
  EXPECT_EQ(drives[0]["device"], "hd0");
  EXPECT_EQ(drives[0]["inserted"]["drv"], "qcow2");
  EXPECT_EQ(drives[0]["inserted"]["image"]["format"], "qcow2");
  EXPECT_EQ(drives[0]["inserted"]["image"]["virtual-size"], 64 << 10);
  EXPECT_EQ(drives[0]["inserted"]["iops"], 100);
  EXPECT_EQ(execute_hmp(*context_, "info block"), "hd0: " + folder_ + "a.qcow2 (qcow2)\n");
}

TEST_F(BlockCommands, LimitsAreSet) {
  EXPECT_EQ(failure("block_set_io_throttle", {{"device", "hd0"}, {"bps", 5}, {"iops", 0}, {"bps_max", 9}}),
            "");
  const Json inserted = execute("query-block").value()[0]["inserted"];
  EXPECT_EQ(inserted["bps"], 5);
  EXPECT_EQ(inserted["iops"], 0);
  EXPECT_EQ(machine_->back_ends()->blocks().drive_group("hd0")->limits().buckets[kBpsTotal].burst, 9u);
  EXPECT_NE(failure("block_set_io_throttle", {{"device", "no"}, {"bps", 5}}).find("not found"),
            std::string::npos);
  EXPECT_NE(failure("block_set_io_throttle", {{"device", "hd0"}, {"frob", 5}}).find("unexpected"),
            std::string::npos);
  EXPECT_NE(failure("block_set_io_throttle", {{"device", "hd0"}, {"bps", -5}}).find("no number"),
            std::string::npos);
  EXPECT_EQ(execute_hmp(*context_, "block_set_io_throttle hd0,iops_rd=7"), "");
  EXPECT_EQ(execute("query-block").value()[0]["inserted"]["iops_rd"], 7);
}

TEST_F(BlockCommands, NodesComeAndGo) {
  EXPECT_EQ(failure("blockdev-add", node("n")), "");
  EXPECT_NE(failure("blockdev-add", node("n")), "") << "the name is taken";
  const Json nodes = execute("query-named-block-nodes").value();
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0]["node-name"], "n");
  EXPECT_EQ(nodes[0]["drv"], "raw");
  {
    const auto disk = machine_->back_ends()->take_drive("-device x", "n");
    ASSERT_TRUE(disk.ok());
    EXPECT_NE(failure("blockdev-del", {{"node-name", "n"}}).find("in use"), std::string::npos);
  }
  EXPECT_TRUE(machine_->back_ends()->take_drive("-device x", "n").ok()) << "the device is gone";
  EXPECT_EQ(failure("blockdev-del", {{"node-name", "n"}}), "");
  EXPECT_NE(failure("blockdev-del", {{"node-name", "n"}}), "");
  EXPECT_EQ(failure("blockdev-add", node("n")), "") << "its file is closed";
  EXPECT_NE(
      failure("blockdev-add", {{"driver", "raw"}, {"node-name", "m"}, {"file", "z"}}).find("no node 'z'"),
      std::string::npos);
}

TEST_F(BlockCommands, ANodeUnderAnotherIsInUse) {
  EXPECT_EQ(
      failure("blockdev-add", {{"driver", "file"}, {"node-name", "f"}, {"filename", folder_ + "b.raw"}}), "");
  EXPECT_EQ(failure("blockdev-add", {{"driver", "raw"}, {"node-name", "r"}, {"file", "f"}}), "");
  EXPECT_NE(failure("blockdev-del", {{"node-name", "f"}}).find("in use"), std::string::npos);
  EXPECT_EQ(failure("blockdev-del", {{"node-name", "r"}}), "");
  EXPECT_EQ(failure("blockdev-del", {{"node-name", "f"}}), "");
}

}  // namespace
}  // namespace gstage
