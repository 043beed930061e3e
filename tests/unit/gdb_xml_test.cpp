// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "system/gdb/endpoint.h"
#include "system/gdb/target_xml.h"

namespace gstage::gdb {
namespace {

using riscv::Register;
using riscv::RegisterGroup;

TEST(TargetXml, RegistersOfAGroupAreInAFeature) {
  const Register rows[] = {
      {"a0", RegisterGroup::kGeneral, 10, 64, Register::Place::kX, 10},
      {"mstatus", RegisterGroup::kCsr, 65 + 0x300, 64, Register::Place::kCsr, 0x300},
  };
  const std::string xml = describe_target(rows);
  const auto has = [&](const char* text) { return xml.find(text) != std::string::npos; };
  EXPECT_TRUE(has("<feature name=\"org.gnu.gdb.riscv.cpu\">\n<reg name=\"a0\" bitsize=\"64\" regnum=\"10\""))
      << xml;
  EXPECT_TRUE(has("<reg name=\"mstatus\" bitsize=\"64\" regnum=\"833\" type=\"mstatus_fields\"")) << xml;
  EXPECT_TRUE(has("<field name=\"MIE\" start=\"3\" end=\"3\"/>")) << xml;
  EXPECT_TRUE(has("<osabi>none</osabi>"));
  EXPECT_FALSE(has("org.gstage.riscv.vs"));
}

TEST(MemoryXml, WhatIsNoRomIsRam) {
  AddressSpace memory;
  ASSERT_TRUE(memory.add_rom("rom", Paddr{0x1000}, 0x2000).ok());
  ASSERT_TRUE(memory.add_ram("ram", Paddr{0x80000000}, 0x1000).ok());
  memory.seal();
  const std::string xml = describe_memory(memory);
  EXPECT_NE(xml.find("<memory type=\"ram\" start=\"0x0\" length=\"0x1000\"/>\n"
                     "<memory type=\"rom\" start=\"0x1000\" length=\"0x2000\"/>\n"
                     "<memory type=\"ram\" start=\"0x3000\" length=\"0xffffffffffffd000\"/>\n"),
            std::string::npos)
      << xml;
}

TEST(GdbDevice, PlacesAreTakenApart) {
  auto device = parse_device("-gdb", "tcp::1234,server=on,wait=off");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->host, "");
  EXPECT_EQ(device->port, "1234");
  device = parse_device("-gdb", "tcp:[::1]:99");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->host, "::1");
  device = parse_device("-gdb", "unix:/tmp/x");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->path, "/tmp/x");
  for (const char* const wrong : {"", "tcp", "tcp:1234", "tcp::", "unix:", "udp::1", "/dev/ttyS0"})
    EXPECT_FALSE(parse_device("-gdb", wrong).ok()) << wrong;
}

TEST(GdbDevice, WithoutAHostThisOneAloneCanConnect) {
  auto endpoint = listen_for_debuggers(*parse_device("-gdb", "tcp::0"));
  ASSERT_TRUE(endpoint.ok());
  EXPECT_TRUE((*endpoint)->describe().starts_with("tcp:127.0.0.1:")) << (*endpoint)->describe();
}

}  // namespace
}  // namespace gstage::gdb
