// SPDX-License-Identifier: Apache-2.0
// Modules for hypervisors, and firmware in flash, as the loader sees them.
#include <libfdt.h>

#include "tests/unit/hw_loader.h"

namespace gstage::hw {
namespace {

class GuestLoaderTest : public LoaderTest {
 protected:
  void module(std::vector<Property> properties) {
    options_.devices.push_back({"guest-loader", std::move(properties)});
  }
  /// A property of a node below /chosen; strings end with zeroes.
  std::string property(const std::string& node, const char* name) {
    int size = 0;
    const void* const fdt = boot_->fdt().data();
    const int offset = fdt_path_offset(fdt, ("/chosen" + node).c_str());
    const void* const data = offset < 0 ? nullptr : fdt_getprop(fdt, offset, name, &size);
    return data == nullptr ? "(missing)"
                           : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
  }
};

TEST_F(GuestLoaderTest, ModulesAreWhereAHypervisorLooksForThem) {
  options_.kernel = file("hypervisor", "hypervisor");
  module({{"addr", "0x81000000"},
          {"kernel", file("guest", "guest's kernel")},
          {"bootargs", "console=hvc0 a=b"}});
  module({{"addr", "0x82000000"}, {"initrd", file("disk", "a disk")}});
  load();
  EXPECT_EQ(bytes(0x8100'0000, 14), "guest's kernel");
  EXPECT_EQ(bytes(0x8200'0000, 6), "a disk");
  const std::string kernel = "/module@0x81000000";
  const std::string initrd = "/module@0x82000000";
  EXPECT_EQ(property(kernel, "compatible"), std::string("multiboot,module\0multiboot,kernel\0", 34));
  EXPECT_EQ(property(kernel, "bootargs"), std::string("console=hvc0 a=b\0", 17));
  EXPECT_EQ(property(kernel, "reg"), std::string("\0\0\0\0\x81\0\0\0\0\0\0\0\0\0\0\x0e", 16));
  EXPECT_EQ(property(initrd, "compatible"), std::string("multiboot,module\0multiboot,ramdisk\0", 35));
  EXPECT_EQ(property(initrd, "bootargs"), "(missing)");
  EXPECT_EQ(property(initrd, "reg"), std::string("\0\0\0\0\x82\0\0\0\0\0\0\0\0\0\0\x06", 16));
  EXPECT_EQ(property("", "#address-cells"), std::string("\0\0\0\x02", 4));
  EXPECT_EQ(property("", "#size-cells"), std::string("\0\0\0\x02", 4));
}

TEST_F(GuestLoaderTest, WithoutModulesNothingIsSaidOfThem) {
  load();
  EXPECT_EQ(property("", "#address-cells"), "(missing)");
}

TEST_F(GuestLoaderTest, ElfAndPackedFilesAreLeftAsTheyAre) {
  const std::string elf = elf_file(kRam, "linked elsewhere");
  module({{"addr", "0x81000000"}, {"kernel", file("elf", elf)}});
  load();
  EXPECT_EQ(bytes(0x8100'0000, elf.size()), elf);
}

TEST_F(GuestLoaderTest, ManyModulesAndLongCommandLinesFit) {
  const std::string text(10'000, 'x');
  for (unsigned i = 0; i < 40; ++i)
    module({{"addr", format("0x%x", 0x8100'0000 + i * 0x1000)},
            {"kernel", file("guest", "guest")},
            {"bootargs", text}});
  load();
  EXPECT_EQ(property("/module@0x81027000", "bootargs").size(), text.size() + 1);
}

TEST_F(GuestLoaderTest, TheyComeBackAtEachReset) {
  module({{"addr", "0x81000000"}, {"kernel", file("guest", "guest")}});
  load();
  memory_->write(Paddr{0x8100'0000}, "XXXXX", 5);
  ASSERT_TRUE(boot_->load().ok());
  EXPECT_EQ(bytes(0x8100'0000, 5), "guest");
  EXPECT_NE(property("/module@0x81000000", "reg"), "(missing)");
}

TEST_F(GuestLoaderTest, WhatMakesNoSenseIsRefused) {
  const auto refused = [this](std::vector<Property> properties, const std::string& part) {
    options_.devices.clear();
    module(std::move(properties));
    expect_refusal(part);
  };
  const std::string guest = file("guest", "guest");
  refused({{"addr", "0x81000000"}}, "needs kernel= or initrd=");
  refused({{"addr", "0x81000000"}, {"kernel", guest}, {"initrd", guest}}, "one of them");
  refused({{"kernel", guest}}, "addr=");
  refused({{"addr", "0x81000000"}, {"initrd", guest}, {"bootargs", "x"}}, "bootargs= goes with kernel=");
  refused({{"addr", "0x10"}, {"kernel", guest}}, "no RAM");
  refused({{"addr", "0x81000000"}, {"kernel", "nowhere"}}, "-device guest-loader,kernel= nowhere");
  refused({{"addr", "0x81000000"}, {"kernel", guest}, {"colour", "red"}}, "no property 'colour'");
  module({{"addr", "0x81000000"}, {"initrd", guest}});
  options_.devices.erase(options_.devices.begin());
  module({{"addr", "0x81000004"}, {"initrd", guest}});
  expect_refusal("overlap");
}

TEST_F(GuestLoaderTest, FirmwareGoesOnInFlash) {
  options_.bios = file("fw", "firmware");
  flash_firmware_ = kFlash;
  load();
  EXPECT_EQ(boot_->start(), kRam);
  EXPECT_EQ(boot_->next(), kFlash);
}

TEST_F(GuestLoaderTest, FirmwareInFlashGetsTheKernelAndMemoryDoesNot) {
  options_.bios = file("fw", "firmware");
  options_.kernel = file("kernel", "kernel");
  options_.initrd = file("initrd", "initrd");
  options_.append = "quiet";
  flash_firmware_ = kFlash;
  load();
  EXPECT_EQ(boot_->next(), kFlash);
  ASSERT_NE(boot_->handover().kernel, nullptr);
  ASSERT_NE(boot_->handover().initrd, nullptr);
  EXPECT_EQ(boot_->handover().kernel->size(), 6u);
  EXPECT_EQ(boot_->handover().initrd->size(), 6u);
  EXPECT_EQ(boot_->handover().command_line, "quiet");
  EXPECT_EQ(bytes(kRam + 2 * kMiB, 6), std::string(6, '\0'));
  EXPECT_EQ(property("", "linux,initrd-start"), "(missing)");
  options_.kernel = "/nonexistent/kernel";
  expect_refusal("/nonexistent/kernel");
}

TEST_F(GuestLoaderTest, WithoutFirmwareFlashComesFirst) {
  flash_firmware_ = kFlash;
  load();
  EXPECT_EQ(boot_->start(), kFlash);
  options_.kernel = file("kernel", "kernel");
  load();
  EXPECT_EQ(boot_->start(), kFlash) << "the program in flash finds it in RAM";
  EXPECT_EQ(bytes(kRam, 6), "kernel");
}

TEST_F(GuestLoaderTest, AProgramThatIsLoadedIntoFlashCanBegin) {
  options_.kernel = file("elf", elf_of({{kFlash, "code"}}, kFlash));
  load();
  EXPECT_EQ(boot_->start(), kFlash);
}

}  // namespace
}  // namespace gstage::hw
