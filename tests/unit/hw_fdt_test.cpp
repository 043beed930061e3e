// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <libfdt.h>

#include "target/riscv/cpu.h"
#include "hw/core/fdt_builder.h"
#include "hw/riscv/fdt_chosen.h"
#include "hw/riscv/virt_map.h"

#include "tests/unit/hw_virt_tree.h"

namespace gstage::hw {
namespace {

/// Reads a tree by paths.
class Tree {
 public:
  explicit Tree(std::vector<std::byte> blob) : blob_(std::move(blob)) {
    EXPECT_EQ(fdt_check_full(blob_.data(), blob_.size()), 0);
  }
  int offset(const std::string& path) const { return fdt_path_offset(blob_.data(), path.c_str()); }
  bool has(const std::string& path) const { return offset(path) >= 0; }
  std::string bytes(const std::string& path, const char* property) const {
    int size = 0;
    const int node = fdt_path_offset(blob_.data(), path.c_str());
    const void* data = node < 0 ? nullptr : fdt_getprop(blob_.data(), node, property, &size);
    if (data == nullptr) return "(missing)";
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
  }
  std::string text(const std::string& path, const char* property) const {
    return bytes(path, property).c_str();
  }
  std::vector<std::uint32_t> cells(const std::string& path, const char* property) const {
    const std::string raw = bytes(path, property);
    std::vector<std::uint32_t> result(raw.size() / 4);
    std::memcpy(result.data(), raw.data(), result.size() * 4);
    for (std::uint32_t& cell : result) cell = fdt32_to_cpu(cell);
    return result;
  }

 private:
  std::vector<std::byte> blob_;
};

using Cells = std::vector<std::uint32_t>;

class VirtFdtTest : public testing::Test {
 protected:
  const Tree tree_{make_virt_tree(2, 0x1'8000'0000)};
  std::uint32_t plic() const { return tree_.cells("/soc/interrupt-controller@c000000", "phandle").at(0); }
  std::uint32_t intc(unsigned hart) const {
    return tree_.cells("/cpus/cpu@" + std::to_string(hart) + "/interrupt-controller", "phandle").at(0);
  }
};

TEST_F(VirtFdtTest, RootAndMemory) {
  EXPECT_EQ(tree_.text("/", "compatible"), "riscv-virtio");
  EXPECT_EQ(tree_.text("/", "model"), "riscv-virtio,qemu");
  EXPECT_EQ(tree_.cells("/memory@80000000", "reg"), (Cells{0, 0x80000000, 1, 0x80000000}));
  EXPECT_EQ(tree_.text("/memory@80000000", "device_type"), "memory");
}

TEST_F(VirtFdtTest, PmuMapsEventsToSelectorsAndCounters) {
  EXPECT_EQ(tree_.text("/pmu", "compatible"), "riscv,pmu");
  EXPECT_EQ(tree_.cells("/pmu", "riscv,event-to-mhpmevent"),
            (Cells{1, 0, 1, 2, 0, 2, 0x10019, 0, 0x10019, 0x1001b, 0, 0x1001b, 0x10021, 0, 0x10021}));
  EXPECT_EQ(tree_.cells("/pmu", "riscv,event-to-mhpmcounters"),
            (Cells{1, 1, 0xfffffff9, 2, 2, 0xfffffffc, 0x10019, 0x10019, 0xfffffff8, 0x1001b, 0x1001b,
                   0xfffffff8, 0x10021, 0x10021, 0xfffffff8}));
  EXPECT_EQ(tree_.cells("/pmu", "riscv,raw-event-to-mhpmcounters"),
            (Cells{0, 0x100, 0xffffffff, 0xffffff00, 0xfffffff8}));
  EXPECT_FALSE(Tree{make_virt_tree(1, 1 << 30, {}, {{"zihpm", "off"}})}.has("/pmu"));
}

TEST(VirtFdtAiaTest, AplicsAndImsicsAsOnQemusBoard) {
  const Tree tree{make_virt_tree(2, 1 << 30, {{"aia", "aplic-imsic"}, {"aia-guests", "3"}})};
  const auto phandle = [&tree](const char* path) { return tree.cells(path, "phandle").at(0); };
  const std::string aplic_m = "/soc/interrupt-controller@c000000",
                    aplic_s = "/soc/interrupt-controller@d000000";
  const std::string imsic_m = "/soc/interrupt-controller@24000000",
                    imsic_s = "/soc/interrupt-controller@28000000";
  const std::uint32_t child = phandle(aplic_s.c_str());
  EXPECT_EQ(tree.cells(aplic_m, "riscv,delegation"), (Cells{child, 1, 96}));
  EXPECT_EQ(tree.cells(aplic_m, "riscv,children"), (Cells{child}));
  EXPECT_EQ(tree.cells(aplic_m, "msi-parent"), (Cells{phandle(imsic_m.c_str())}));
  EXPECT_EQ(tree.cells(aplic_s, "msi-parent"), (Cells{phandle(imsic_s.c_str())}));
  EXPECT_EQ(tree.cells(aplic_s, "reg"), (Cells{0, 0xd000000, 0, 0x8000}));
  EXPECT_EQ(tree.cells(imsic_s, "riscv,guest-index-bits"), (Cells{2}));
  EXPECT_EQ(tree.cells(imsic_s, "riscv,num-ids"), (Cells{255}));
  EXPECT_EQ(tree.cells(imsic_s, "reg"), (Cells{0, 0x28000000, 0, 0x8000}));
  EXPECT_EQ(tree.cells(imsic_m, "reg"), (Cells{0, 0x24000000, 0, 0x2000}));
  EXPECT_EQ(tree.bytes(imsic_m, "riscv,guest-index-bits"), "(missing)");
  EXPECT_EQ(tree.bytes(imsic_m, "compatible"), std::string("qemu,imsics\0riscv,imsics\0", 25));
  EXPECT_EQ(tree.cells("/soc/serial@10000000", "interrupts"), (Cells{10, 4}));
  EXPECT_EQ(tree.cells("/soc/serial@10000000", "interrupt-parent"), (Cells{child}));
}

TEST(VirtFdtAiaTest, WithoutImsicsTheAplicsAreWired) {
  const Tree tree{make_virt_tree(1, 1 << 30, {{"aia", "aplic"}})};
  const std::uint32_t intc = tree.cells("/cpus/cpu@0/interrupt-controller", "phandle").at(0);
  EXPECT_EQ(tree.cells("/soc/interrupt-controller@d000000", "interrupts-extended"), (Cells{intc, 9}));
  EXPECT_EQ(tree.cells("/soc/interrupt-controller@c000000", "interrupts-extended"), (Cells{intc, 11}));
  EXPECT_EQ(tree.bytes("/soc/interrupt-controller@d000000", "msi-parent"), "(missing)");
  EXPECT_FALSE(tree.has("/soc/interrupt-controller@28000000"));
}

TEST(VirtFdtAclintTest, EachDeviceHasItsNodeAsOnQemusBoard) {
  const Tree tree{make_virt_tree(1, 1 << 30, {{"aclint", "on"}})};
  const std::uint32_t intc = tree.cells("/cpus/cpu@0/interrupt-controller", "phandle").at(0);
  EXPECT_FALSE(tree.has("/soc/clint@2000000"));
  EXPECT_EQ(tree.cells("/soc/mswi@2000000", "reg"), (Cells{0, 0x2000000, 0, 0x4000}));
  EXPECT_EQ(tree.cells("/soc/mswi@2000000", "interrupts-extended"), (Cells{intc, 3}));
  EXPECT_EQ(tree.text("/soc/mswi@2000000", "compatible"), "riscv,aclint-mswi");
  EXPECT_EQ(tree.cells("/soc/sswi@2f00000", "interrupts-extended"), (Cells{intc, 1}));
  EXPECT_EQ(tree.text("/soc/sswi@2f00000", "compatible"), "riscv,aclint-sswi");
  EXPECT_EQ(tree.cells("/soc/mtimer@200bff8", "reg"),
            (Cells{0, 0x200bff8, 0, 0x4008, 0, 0x2004000, 0, 0x7ff8}));
  EXPECT_EQ(tree.cells("/soc/mtimer@200bff8", "interrupts-extended"), (Cells{intc, 7}));
}

TEST(VirtFdtAclintTest, ImsicsReplaceSoftwareInterrupts) {
  const Tree tree{make_virt_tree(1, 1 << 30, {{"aia", "aplic-imsic"}, {"aclint", "on"}})};
  EXPECT_FALSE(tree.has("/soc/mswi@2000000"));
  EXPECT_FALSE(tree.has("/soc/sswi@2f00000"));
  EXPECT_EQ(tree.cells("/soc/mtimer@2007ff8", "reg"), (Cells{0, 0x2007ff8, 0, 8, 0, 0x2000000, 0, 0x7ff8}));
}

TEST(VirtFdtPciTest, HostBridgeAsOnQemusBoard) {
  constexpr const char* kNode = "/soc/pci@30000000";
  const Tree tree(make_virt_tree(2, 128 << 20));
  EXPECT_EQ(tree.text(kNode, "compatible"), "pci-host-ecam-generic");
  EXPECT_EQ(tree.cells(kNode, "reg"), (Cells{0, 0x3000'0000, 0, 0x1000'0000}));
  EXPECT_EQ(tree.cells(kNode, "ranges"),
            (Cells{0x0100'0000, 0, 0,           0, 0x0300'0000, 0, 0x1'0000,     //
                   0x0200'0000, 0, 0x4000'0000, 0, 0x4000'0000, 0, 0x4000'0000,  //
                   0x0300'0000, 4, 0,           4, 0,           4, 0}));
  EXPECT_EQ(tree.bytes(kNode, "msi-parent"), "(missing)");
  EXPECT_EQ(tree.bytes(kNode, "dma-coherent"), "");
  const std::uint32_t plic = tree.cells("/soc/interrupt-controller@c000000", "phandle").at(0);
  const Cells map = tree.cells(kNode, "interrupt-map");
  ASSERT_EQ(map.size(), 16u * 6);
  EXPECT_EQ(Cells(map.begin() + 7 * 6, map.begin() + 8 * 6), (Cells{0x800, 0, 0, 4, plic, 32}));
}

TEST(VirtFdtPciTest, HighWindowLiesBehindRam) {
  const Tree tree(make_virt_tree(1, std::uint64_t{20} << 30));
  const Cells ranges = tree.cells("/soc/pci@30000000", "ranges");
  EXPECT_EQ(Cells(ranges.begin() + 14, ranges.end()), (Cells{0x0300'0000, 8, 0, 8, 0, 4, 0}));
}

TEST(VirtFdtPciTest, MessagesGoToTheSupervisorsImsics) {
  const Tree imsic(make_virt_tree(1, 128 << 20, {{"aia", "aplic-imsic"}}));
  EXPECT_EQ(imsic.cells("/soc/pci@30000000", "msi-parent"),
            imsic.cells("/soc/interrupt-controller@28000000", "phandle"));
  const Tree aplic(make_virt_tree(1, 128 << 20, {{"aia", "aplic"}}));
  EXPECT_EQ(aplic.bytes("/soc/pci@30000000", "msi-parent"), "(missing)");
  const Cells map = aplic.cells("/soc/pci@30000000", "interrupt-map");
  ASSERT_EQ(map.size(), 16u * 7);
  const std::uint32_t phandle = aplic.cells("/soc/interrupt-controller@d000000", "phandle").at(0);
  EXPECT_EQ(Cells(map.begin(), map.begin() + 7), (Cells{0, 0, 0, 1, phandle, 32, 4}));
}

TEST_F(VirtFdtTest, Harts) {
  EXPECT_EQ(tree_.cells("/cpus", "timebase-frequency"), (Cells{10'000'000}));
  for (const unsigned hart : {0u, 1u}) {
    const std::string cpu = "/cpus/cpu@" + std::to_string(hart);
    EXPECT_EQ(tree_.cells(cpu, "reg"), (Cells{hart}));
    EXPECT_EQ(tree_.text(cpu, "status"), "okay");
    EXPECT_EQ(tree_.text(cpu, "riscv,isa"), riscv::isa_string({}));
    EXPECT_EQ(tree_.text(cpu, "riscv,isa-base"), "rv64i");
    EXPECT_EQ(tree_.text(cpu, "mmu-type"), riscv::mmu_type({}));
    std::string extensions;
    for (const std::string& name : riscv::isa_extension_names({})) extensions += name + '\0';
    EXPECT_EQ(tree_.bytes(cpu, "riscv,isa-extensions"), extensions);
    EXPECT_EQ(tree_.text(cpu + "/interrupt-controller", "compatible"), "riscv,cpu-intc");
    EXPECT_EQ(tree_.cells("/cpus/cpu-map/cluster0/core" + std::to_string(hart), "cpu"),
              tree_.cells(cpu, "phandle"));
  }
  EXPECT_FALSE(tree_.has("/cpus/cpu@2"));
  EXPECT_NE(intc(0), intc(1));
}

TEST_F(VirtFdtTest, InterruptControllers) {
  EXPECT_EQ(tree_.cells("/soc/interrupt-controller@c000000", "interrupts-extended"),
            (Cells{intc(0), 11, intc(0), 9, intc(1), 11, intc(1), 9}));
  EXPECT_EQ(tree_.cells("/soc/interrupt-controller@c000000", "riscv,ndev"), (Cells{95}));
  EXPECT_EQ(tree_.cells("/soc/interrupt-controller@c000000", "reg"), (Cells{0, 0xc000000, 0, 0x600000}));
  EXPECT_EQ(tree_.cells("/soc/clint@2000000", "interrupts-extended"),
            (Cells{intc(0), 3, intc(0), 7, intc(1), 3, intc(1), 7}));
  EXPECT_EQ(tree_.cells("/soc/clint@2000000", "reg"), (Cells{0, 0x2000000, 0, 0x10000}));
}

TEST_F(VirtFdtTest, Devices) {
  const struct {
    const char* path;
    const char* compatible;
    Cells reg;
    std::uint32_t irq;
  } rows[] = {
      {"/soc/serial@10000000", "ns16550a", {0, 0x10000000, 0, 0x100}, 10},
      {"/soc/rtc@101000", "google,goldfish-rtc", {0, 0x101000, 0, 0x1000}, 11},
      {"/soc/virtio_mmio@10001000", "virtio,mmio", {0, 0x10001000, 0, 0x1000}, 1},
      {"/soc/virtio_mmio@10008000", "virtio,mmio", {0, 0x10008000, 0, 0x1000}, 8},
      {"/soc/test@100000", "sifive,test1", {0, 0x100000, 0, 0x1000}, 0},
      {"/fw-cfg@10100000", "qemu,fw-cfg-mmio", {0, 0x10100000, 0, 0x18}, 0},
      {"/flash@20000000", "cfi-flash", {0, 0x20000000, 0, 0x2000000, 0, 0x22000000, 0, 0x2000000}, 0},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(tree_.text(row.path, "compatible"), row.compatible) << row.path;
    EXPECT_EQ(tree_.cells(row.path, "reg"), row.reg) << row.path;
    if (row.irq == 0) continue;
    EXPECT_EQ(tree_.cells(row.path, "interrupts"), (Cells{row.irq})) << row.path;
    EXPECT_EQ(tree_.cells(row.path, "interrupt-parent"), (Cells{plic()})) << row.path;
  }
  EXPECT_FALSE(tree_.has("/soc/virtio_mmio@10009000"));
}

TEST_F(VirtFdtTest, TheHighestVirtioSlotComesFirst) {
  for (unsigned slot = 1; slot < 8; ++slot) {
    const std::string base = "/soc/virtio_mmio@1000";
    const int lower = tree_.offset(base + std::to_string(slot) + "000");
    const int higher = tree_.offset(base + std::to_string(slot + 1) + "000");
    ASSERT_GT(higher, 0);
    EXPECT_GT(lower, higher);
  }
}

TEST_F(VirtFdtTest, PoweroffAndRebootUseTheTestDevice) {
  const Cells test = tree_.cells("/soc/test@100000", "phandle");
  EXPECT_EQ(tree_.cells("/poweroff", "regmap"), test);
  EXPECT_EQ(tree_.cells("/poweroff", "value"), (Cells{0x5555}));
  EXPECT_EQ(tree_.cells("/reboot", "regmap"), test);
  EXPECT_EQ(tree_.cells("/reboot", "value"), (Cells{0x7777}));
}

TEST_F(VirtFdtTest, ConsoleIsNamedTwice) {
  EXPECT_EQ(tree_.text("/chosen", "stdout-path"), "/soc/serial@10000000");
  EXPECT_EQ(tree_.text("/aliases", "serial0"), "/soc/serial@10000000");
}

TEST(VirtFdtSizeTest, GrowsForAllHarts) {
  const Tree tree(make_virt_tree(kMaxHarts, 1 << 30));
  EXPECT_TRUE(tree.has("/cpus/cpu@1ff"));
  EXPECT_EQ(tree.cells("/soc/clint@2000000", "interrupts-extended").size(), kMaxHarts * 4);
}

TEST(ChosenTest, CompletesTheNode) {
  const auto blob = make_virt_tree(1, 1 << 30);
  const std::string long_line(5000, 'b');
  auto tree = set_chosen("tree", blob, {long_line, 0x1'9000'0000, 0x1234, true});
  ASSERT_TRUE(tree.ok());
  const Tree chosen(*tree);
  EXPECT_EQ(chosen.text("/chosen", "bootargs"), long_line);
  EXPECT_EQ(chosen.cells("/chosen", "linux,initrd-start"), (Cells{1, 0x90000000}));
  EXPECT_EQ(chosen.cells("/chosen", "linux,initrd-end"), (Cells{1, 0x90001234}));
  EXPECT_EQ(chosen.bytes("/chosen", "rng-seed").size(), 32u);
  EXPECT_EQ(chosen.text("/chosen", "stdout-path"), "/soc/serial@10000000");
  auto again = set_chosen("tree", blob, {long_line, 0, 0, true});
  ASSERT_TRUE(again.ok());
  EXPECT_NE(Tree(*again).bytes("/chosen", "rng-seed"), chosen.bytes("/chosen", "rng-seed"));
  EXPECT_EQ(Tree(*again).bytes("/chosen", "linux,initrd-start"), "(missing)");
}

TEST(ChosenTest, MakesTheNodeAndRefusesWhatIsNoTree) {
  FdtBuilder builder;
  { const auto root = builder.node(""); }
  auto tree = set_chosen("tree", builder.finish(), {"args", 0, 0, false});
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(Tree(*tree).text("/chosen", "bootargs"), "args");
  std::vector<std::byte> cut(tree->begin(), tree->end() - 1);
  EXPECT_FALSE(set_chosen("tree", cut, {}).ok());
  EXPECT_FALSE(set_chosen("tree", std::vector<std::byte>(100), {}).ok());
  EXPECT_FALSE(set_chosen("tree", {}, {}).ok());
}

/// What becomes of trees that a random generator has bent: accepted ones can be read in full.
TEST(ChosenTest, NoBentTreeIsTrusted) {
  const auto blob = make_virt_tree(2, 1 << 30);
  const auto word = [](std::vector<std::byte>& tree, std::size_t at, std::uint32_t value) {
    fdt32_st(tree.data() + at, value);
  };
  std::mt19937 random(1);
  unsigned accepted = 0;
  for (unsigned i = 0; i < 5000; ++i) {
    std::vector<std::byte> bent = blob;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      const std::size_t in_header = random() % 10 * 4;
      const std::size_t at = random() % 4 == 0 ? in_header : random() % (bent.size() / 4) * 4;
      switch (random() % 5) {
        case 0: bent[at + random() % 4] ^= std::byte(1 << random() % 8); break;
        case 1: word(bent, at, random()); break;
        case 2: word(bent, at, random() % 16); break;
        case 3: word(bent, at, static_cast<std::uint32_t>(bent.size()) - random() % 64); break;
        default: bent.resize(bent.size() - random() % 64); break;
      }
    }
    bent.shrink_to_fit();
    auto tree = set_chosen("tree", bent, {"some arguments", 0x1'9000'0000, 0x1234, true});
    if (!tree.ok()) continue;
    ++accepted;
    EXPECT_TRUE(check_fdt("tree", *tree).ok());
    doubt_fdt_memory(*tree, 0x8000'0000, 1 << 30);
  }
  EXPECT_GT(accepted, 500u);
  EXPECT_LT(accepted, 4500u);
}

TEST(ChosenTest, TreeWithoutTheEndOfItsReservationsIsRefused) {
  auto blob = make_virt_tree(1, 1 << 30);
  const std::size_t first = fdt_off_mem_rsvmap(blob.data());
  for (std::size_t at = first; at + 16 <= blob.size(); at += 16) blob[at + 15] = std::byte{1};
  const auto tree = set_chosen("-dtb bad", blob, {});
  ASSERT_FALSE(tree.ok());
  EXPECT_NE(tree.error().message.find("-dtb bad is"), std::string::npos) << tree.error().message;
}

TEST(ChosenTest, TreeOfAnOldFormatIsRefused) {
  // A root without a name, as there was none before version 16.
  auto blob = make_virt_tree(1, 1 << 30);
  fdt_set_version(blob.data(), 3);
  fdt_set_last_comp_version(blob.data(), 2);
  const auto tree = set_chosen("-dtb old", blob, {});
  ASSERT_FALSE(tree.ok());
  EXPECT_NE(tree.error().message.find("FDT_ERR_BADVERSION"), std::string::npos) << tree.error().message;
}

TEST(ChosenTest, MemoryThatTheMachineLacksIsDoubted) {
  constexpr std::uint64_t kRam = 0x8000'0000;
  const auto blob = make_virt_tree(1, 1 << 30);
  EXPECT_EQ(doubt_fdt_memory(blob, kRam, 1 << 30), "");
  EXPECT_EQ(doubt_fdt_memory(blob, kRam, 2ull << 30), "");
  EXPECT_NE(doubt_fdt_memory(blob, kRam, (1 << 30) - 4096).find("0x80000000–0xbfffffff"), std::string::npos);
  FdtBuilder builder;
  { const auto root = builder.node(""); }
  EXPECT_NE(doubt_fdt_memory(builder.finish(), kRam, 1 << 30).find("no memory node"), std::string::npos);
}

TEST(VirtMapTest, IsTheReferenceBoard) {
  EXPECT_EQ(virt_part(Part::kTest).base, 0x100000u);
  EXPECT_EQ(virt_part(Part::kRtc).base, 0x101000u);
  EXPECT_EQ(virt_part(Part::kRtc).irq, 11u);
  EXPECT_EQ(virt_part(Part::kMswi).base, 0x2000000u);
  EXPECT_EQ(virt_part(Part::kMtimer).base, 0x2004000u);
  EXPECT_EQ(virt_part(Part::kSswi).base, 0x2f00000u);
  EXPECT_EQ(virt_part(Part::kPlic).base, 0xc000000u);
  EXPECT_EQ(virt_part(Part::kUart).base, 0x10000000u);
  EXPECT_EQ(virt_part(Part::kUart).irq, 10u);
  EXPECT_EQ(virt_part(Part::kVirtio).base, 0x10001000u);
  EXPECT_EQ(virt_part(Part::kVirtio).irq, 1u);
  EXPECT_EQ(virt_part(Part::kVirtio).count, 8u);
  EXPECT_EQ(virt_part(Part::kFwCfg).base, 0x10100000u);
  EXPECT_EQ(virt_part(Part::kFlash).base, 0x20000000u);
  EXPECT_EQ(virt_part(Part::kRam).base, 0x80000000u);
}

}  // namespace
}  // namespace gstage::hw
