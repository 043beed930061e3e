// SPDX-License-Identifier: Apache-2.0
// What -m, -machine memory-backend=, -mem-path and -numa make of the machine and of its device tree.
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <libfdt.h>

#include "hw/riscv/boards.h"
#include "system/options.h"

#include "tests/unit/hw_fakes.h"
#include "tests/unit/option_words.h"

namespace gstage {
namespace {

using Cells = std::vector<std::uint32_t>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void expect_refusal(const Words& words, const std::string& part) {
  const std::string text = refusal(words);
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

/// The tree of the board that a command line makes.
class Tree {
 public:
  explicit Tree(const Words& words) {
    Options options = parse(words + Words{"-bios", "none", "-accel", "interp"});
    hw::FakeControl control;
    for (const MachineType& type : hw::machine_types()) {
      if (options.machine.machine.driver != type.name) continue;
      auto machine = type.create(options.machine, control);
      EXPECT_TRUE(machine.ok()) << machine.error().message;
      if (machine.ok()) blob_ = (*machine)->device_tree();
    }
  }
  Cells cells(const std::string& path, const char* property) const {
    int size = 0;
    const int node = fdt_path_offset(blob_.data(), path.c_str());
    const void* const data = node < 0 ? nullptr : fdt_getprop(blob_.data(), node, property, &size);
    Cells result(data == nullptr ? 0 : static_cast<std::size_t>(size) / 4);
    if (data != nullptr) std::memcpy(result.data(), data, result.size() * 4);
    for (std::uint32_t& cell : result) cell = fdt32_to_cpu(cell);
    return result;
  }
  bool has(const std::string& path) const { return fdt_path_offset(blob_.data(), path.c_str()) >= 0; }
  /// The node of each hart, a digit each.
  std::string harts() const {
    std::string text;
    for (unsigned hart = 0; has("/cpus/cpu@" + std::to_string(hart)); ++hart)
      text += std::to_string(cells("/cpus/cpu@" + std::to_string(hart), "numa-node-id").at(0));
    return text;
  }

 private:
  std::vector<std::byte> blob_;
};

const Words kObjects{"-object", "memory-backend-ram,id=m0,size=64M", "-object",
                     "memory-backend-memfd,id=m1,size=32M"};
const Words kTwo = kObjects + Words{"-numa", "node,memdev=m0", "-numa", "node,memdev=m1"};

TEST(Numa, NodesAreInTheTreeAsOnQemusBoard) {
  for (const char* const board : {"virt", "spike"}) {
    const Tree tree(kTwo + Words{"-M", board, "-smp", "4", "-numa", "dist,src=0,dst=1,val=21"});
    EXPECT_EQ(tree.cells("/memory@80000000", "reg"), (Cells{0, 0x80000000, 0, 64 << 20}));
    EXPECT_EQ(tree.cells("/memory@80000000", "numa-node-id"), (Cells{0}));
    EXPECT_EQ(tree.cells("/memory@84000000", "reg"), (Cells{0, 0x84000000, 0, 32 << 20}));
    EXPECT_EQ(tree.cells("/memory@84000000", "numa-node-id"), (Cells{1}));
    EXPECT_EQ(tree.harts(), "0011");
    EXPECT_EQ(tree.cells("/distance-map", "distance-matrix"),
              (Cells{0, 0, 10, 0, 1, 21, 1, 0, 21, 1, 1, 10}));
    EXPECT_EQ(tree.cells("/cpus/cpu-map/cluster1/core0", "cpu"), tree.cells("/cpus/cpu@2", "phandle"));
    EXPECT_FALSE(tree.has("/cpus/cpu-map/cluster0/core2"));
  }
}

TEST(Numa, WithoutItNothingIsSaidOfNodes) {
  const Tree tree(Words{"-smp", "2"});
  EXPECT_TRUE(tree.cells("/memory@80000000", "numa-node-id").empty());
  EXPECT_TRUE(tree.cells("/cpus/cpu@1", "numa-node-id").empty());
  EXPECT_FALSE(tree.has("/distance-map"));
  EXPECT_FALSE(Tree(kTwo + Words{"-smp", "2"}).has("/distance-map")) << "no distance was given";
}

TEST(Numa, HartsGoWhereTheySay) {
  const auto harts = [](const Words& nodes, const Words& smp) {
    return Tree(kObjects + nodes + smp).harts();
  };
  const Words four{"-smp", "4"};
  EXPECT_EQ(harts({"-numa", "node,memdev=m0", "-numa", "node,memdev=m1"}, {"-smp", "5"}), "00111");
  EXPECT_EQ(harts({"-numa", "node,memdev=m0,cpus=2-3", "-numa", "node,memdev=m1,cpus=0,cpus=1"}, four),
            "1100");
  EXPECT_EQ(harts({"-numa", "node,nodeid=1,memdev=m0,cpus=0", "-numa", "node,nodeid=0,memdev=m1"}, four),
            "1000");
  EXPECT_EQ(harts({"-numa", "node,memdev=m0", "-numa", "node,memdev=m1", "-numa", "cpu,node-id=1,socket-id=0",
                   "-numa", "cpu,node-id=0,socket-id=1"},
                  {"-smp", "4,sockets=2,cores=2"}),
            "1100");
  EXPECT_EQ(
      harts({"-numa", "node,memdev=m0", "-numa", "node,memdev=m1", "-numa", "cpu,node-id=1,core-id=1"}, four),
      "0100");
  EXPECT_EQ(harts({"-numa", "node,memdev=m0", "-numa", "node,memdev=m1"}, {"-smp", "1"}), "0");
}

TEST(Numa, SizesDivideRamThatIsOneFile) {
  const Words nodes{"-numa", "node,mem=48M", "-numa", "node,mem=80M", "-numa", "node"};
  const Tree tree(nodes + Words{"-smp", "3"});
  EXPECT_EQ(tree.cells("/memory@83000000", "reg"), (Cells{0, 0x83000000, 0, 80 << 20}));
  EXPECT_FALSE(tree.has("/memory@88000000")) << "a node without memory";
  EXPECT_EQ(tree.harts(), "012");
  expect_refusal(nodes + Words{"-m", "256M"}, "has 128 MiB and -m says 256 MiB");
}

TEST(Numa, WhatMakesNoSenseIsRefused) {
  expect_refusal({"-numa", "node"}, "the nodes have no memory");
  expect_refusal(kObjects + Words{"-numa", "node,memdev=m0", "-numa", "node,memdev=m0"},
                 "memory of two nodes");
  expect_refusal(kObjects + Words{"-numa", "node,memdev=m0", "-numa", "node,mem=16M"},
                 "mem= and others memdev=");
  expect_refusal({"-numa", "node,memdev=nobody"}, "there is no memory 'nobody'");
  expect_refusal(kObjects + Words{"-numa", "node,nodeid=1,memdev=m0"}, "there is a node 1 and no node 0");
  expect_refusal(kTwo + Words{"-numa", "node,nodeid=1"}, "node 1 is there twice");
  expect_refusal(kTwo + Words{"-numa", "node,cpus=1"}, "out of range");
  expect_refusal(kObjects + Words{"-smp", "2", "-numa", "node,memdev=m0,cpus=0-1", "-numa", "node,cpus=1"},
                 "hart 1 is in the nodes 0 and 1");
  expect_refusal(kTwo + Words{"-numa", "cpu,node-id=2,core-id=0"}, "there is no node 2");
  expect_refusal(kTwo + Words{"-smp", "2", "-numa", "cpu,node-id=1,core-id=0,thread-id=1"}, "no such hart");
  expect_refusal(kTwo + Words{"-numa", "dist,src=0,dst=1,val=9"}, "9 is out of range");
  expect_refusal(kTwo + Words{"-numa", "dist,src=1,dst=1,val=20"}, "to itself is 10");
  expect_refusal(kTwo + Words{"-numa", "node", "-numa", "dist,src=0,dst=1,val=20"},
                 "nodes 0 and 2 is missing");
  expect_refusal({"-numa", "hmat-lb,initiator=0"}, "-numa hmat-lb is not supported yet");
  expect_refusal({"-numa", "node,initiator=0"}, "initiator= is not supported yet");
  expect_refusal({"-numa", "island"}, "none of node, cpu, dist");
}

TEST(Memory, OfTheMachineIsAsLargeAsItsObject) {
  EXPECT_EQ(parse(kObjects + Words{"-M", "virt,memory-backend=m0"}).machine.ram_bytes, 64ull << 20);
  EXPECT_EQ(parse(kObjects + Words{"-M", "memory-backend=m0", "-m", "64M"}).machine.ram_bytes, 64ull << 20);
  expect_refusal(kObjects + Words{"-M", "virt,memory-backend=m0", "-m", "65M"},
                 "has 64 MiB and -m says 65 MiB");
  expect_refusal({"-M", "virt,memory-backend=zz"}, "there is no memory 'zz'");
  expect_refusal({"-object", "memory-backend-ram,id=s,size=8M", "-M", "virt,memory-backend=s"},
                 "use 16M to 4T");
  expect_refusal({"-object", "rng-builtin,id=r", "-M", "virt,memory-backend=r"}, "there is no memory 'r'");
  expect_refusal(kObjects + Words{"-M", "virt,memory-backend=m0", "-mem-path", "/tmp"},
                 "leave one of them out");
  expect_refusal(kTwo + Words{"-M", "virt,memory-backend=m0"}, "-numa memdev= says what RAM is");
}

TEST(Memory, HotPlugIsPromisedByNobody) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(parse({"-m", "1G,maxmem=2G,slots=4"}).machine.ram_bytes, 1ull << 30);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("no hot plug of memory yet"), std::string::npos);
  expect_refusal({"-m", "1G,slots=4"}, "slots= needs maxmem=");
  testing::internal::CaptureStderr();
  expect_refusal({"-m", "1G,maxmem=512M"}, "maxmem= is less than size=");
  testing::internal::GetCapturedStderr();
}

TEST(Memory, APathThatIsMissingIsNamed) {
  Options options = parse({"-mem-path", "/nowhere/at/all", "-bios", "none"});
  hw::FakeControl control;
  const auto machine = hw::kVirtBoard.create(options.machine, control);
  ASSERT_FALSE(machine.ok());
  EXPECT_NE(machine.error().message.find("-mem-path: '/nowhere/at/all': cannot be made"), std::string::npos)
      << machine.error().message;
}

TEST(Memory, APathThatIsAFolderHoldsRam) {
  Options options = parse({"-mem-path", testing::TempDir(), "-bios", "none", "-m", "16M", "-mem-prealloc"});
  hw::FakeControl control;
  const auto machine = hw::kVirtBoard.create(options.machine, control);
  EXPECT_TRUE(machine.ok()) << machine.error().message;
}

}  // namespace
}  // namespace gstage
