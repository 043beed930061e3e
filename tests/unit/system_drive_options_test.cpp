// SPDX-License-Identifier: Apache-2.0
// Options that name disks and their images.
#include <gtest/gtest.h>

#include "system/options.h"

#include "tests/unit/option_words.h"

namespace gstage {
namespace {

TEST(DriveOption, AllProperties) {
  const Options o = parse({"-drive", "file=a,,b.img,if=none,format=raw,id=d0,readonly=on", "-drive",
                           "file=c.img,snapshot=on,cache=writeback"});
  ASSERT_EQ(o.machine.drives.size(), 2u);
  EXPECT_EQ(o.machine.drives[0].file, "a,b.img");
  EXPECT_EQ(o.machine.drives[0].interface, "none");
  EXPECT_EQ(o.machine.drives[0].id, "d0");
  EXPECT_TRUE(o.machine.drives[0].is_read_only);
  EXPECT_FALSE(o.machine.drives[0].is_snapshot);
  EXPECT_EQ(o.machine.drives[1].interface, "virtio");
  EXPECT_TRUE(o.machine.drives[1].is_snapshot);
}

TEST(DriveOption, SnapshotOptionMeansAllDrives) {
  const Options o = parse({"-snapshot", "-drive", "file=a", "-drive", "file=b"});
  EXPECT_TRUE(o.machine.drives[0].is_snapshot);
  EXPECT_TRUE(o.machine.drives[1].is_snapshot);
}

TEST(DriveOption, Refusals) {
  EXPECT_NE(refusal({"-drive", "if=virtio"}).find("file="), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,if=none"}).find("id="), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,format=vmdk"}).find("format=vmdk is not supported yet"),
            std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,if=sd"}).find("if=sd is not supported yet"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,unit=1"}).find("unit= is supported with if=pflash alone"),
            std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,if=pflash,unit=x"}).find("'x' is no number"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,cache=some"}).find("unknown cache=some"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,werror=panic"}).find("unknown werror=panic"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,rerror=enospc"}).find("rerror=enospc is of no use"),
            std::string::npos);
  EXPECT_NE(
      refusal({"-drive", "file.driver=vvfat,file.dir=x"}).find("file.driver=vvfat is not supported yet"),
      std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,colour=red"}).find("no property 'colour'"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,readonly=maybe"}).find("on or off"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,id=x", "-drive", "file=b,id=x"}).find("given twice"),
            std::string::npos);
}

TEST(DriveOption, WhatBecomesOfFailures) {
  const Options o = parse({"-drive", "file=a,werror=stop,rerror=ignore", "-drive", "file=b"});
  EXPECT_EQ(o.machine.drives[0].failures.on_write, FailureAction::kStop);
  EXPECT_EQ(o.machine.drives[0].failures.on_read, FailureAction::kIgnore);
  EXPECT_EQ(o.machine.drives[1].failures.on_write, FailureAction::kAuto);
}

TEST(DriveOption, LimitsByTheirNewAndOldNames) {
  const Options o =
      parse({"-drive", "file=a,throttling.bps-total=1M,throttling.iops-read=10,throttling.group=g", "-drive",
             "file=b,bps_rd=5,iops=7,iops_max=9,group=g"});
  const DriveOptions& a = o.machine.drives[0];
  EXPECT_EQ(a.limits.buckets[kBpsTotal].rate, 1u << 20);
  EXPECT_EQ(a.limits.buckets[kIopsRead].rate, 10u);
  EXPECT_EQ(a.throttle_group, "g");
  const DriveOptions& b = o.machine.drives[1];
  EXPECT_EQ(b.limits.buckets[kBpsRead].rate, 5u);
  EXPECT_EQ(b.limits.buckets[kIopsTotal].burst, 9u);
  EXPECT_EQ(b.throttle_group, "g");
  EXPECT_NE(refusal({"-drive", "file=a,bps=1,bps_wr=1"}).find("together"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=a,throttling.frob=1"}).find("no property"), std::string::npos);
}

TEST(DriveOption, AGroupOfDisksWithLimits) {
  const Options o = parse({"-object", "throttle-group,id=g,x-iops-total=5,limits.bps-read=7"});
  ASSERT_EQ(o.machine.objects.size(), 1u);
  EXPECT_EQ(*o.machine.objects[0].find("limits.iops-total"), "5");
  EXPECT_EQ(*o.machine.objects[0].find("limits.bps-read"), "7");
  EXPECT_NE(refusal({"-object", "throttle-group,id=g,x-frob=5"}).find("no property"), std::string::npos);
}

TEST(DriveOption, DisksOfServers) {
  const Options o = parse({"-drive", "file=nbd://h:99/x,format=qcow2", "-drive",
                           "file=nbd:unix:/run/s:exportname=y,format=raw", "-drive",
                           "file.driver=nbd,file.host=h,file.port=98", "-drive", "file=./nbd:file"});
  const auto bottom = [&](unsigned i) { return o.machine.drives.at(i).node.file.at(0); };
  EXPECT_EQ(bottom(0).driver, "nbd");
  EXPECT_EQ(bottom(0).server_host, "h");
  EXPECT_EQ(bottom(0).server_port, 99u);
  EXPECT_EQ(bottom(0).export_name, "x");
  EXPECT_EQ(o.machine.drives[0].format, "qcow2");
  EXPECT_EQ(bottom(1).server_path, "/run/s");
  EXPECT_EQ(bottom(1).export_name, "y");
  EXPECT_EQ(bottom(2).server_port, 98u);
  EXPECT_EQ(o.machine.drives[2].file, "nbd://h:98/");
  EXPECT_EQ(bottom(3).driver, "file");
  // A server that went can be connected to anew.
  EXPECT_TRUE(o.sandbox.networks.has(SandboxUser::kConnect));
  EXPECT_EQ(o.sandbox.tcp_ports, (std::vector<std::uint16_t>{99, 98}));
  EXPECT_NE(refusal({"-drive", "file=nbd://"}).find("names no server"), std::string::npos);
  EXPECT_NE(refusal({"-drive", "file=nbds://h/x"}).find("TLS"), std::string::npos);
  EXPECT_FALSE(parse({"-drive", "file=a"}).sandbox.networks.has(SandboxUser::kConnect));
}

TEST(DriveOption, CacheModesAreThreeSwitches) {
  struct Mode {
    const char* name;
    bool is_writethrough, is_direct, skips_flush;
  };
  constexpr Mode kModes[] = {{"writeback", false, false, false},
                             {"none", false, true, false},
                             {"writethrough", true, false, false},
                             {"directsync", true, true, false},
                             {"unsafe", false, false, true}};
  for (const Mode& mode : kModes) {
    const Options o = parse({"-drive", std::string("file=a,cache=") + mode.name});
    const BlockOptions& node = o.machine.drives.at(0).node;
    EXPECT_EQ(node.is_writethrough, mode.is_writethrough) << mode.name;
    EXPECT_EQ(node.is_direct, mode.is_direct) << mode.name;
    EXPECT_EQ(node.skips_flush, mode.skips_flush) << mode.name;
  }
}

TEST(DriveOption, ADiskByItsFileAlone) {
  const Options o = parse({"-hda", "a,b", "-hdd", "d", "-cdrom", "c.iso", "-smp", "2", "last.img"});
  ASSERT_EQ(o.machine.drives.size(), 4u);
  EXPECT_EQ(o.machine.drives[0].file, "a,b");
  EXPECT_EQ(o.machine.drives[2].file, "c.iso");
  EXPECT_TRUE(o.machine.drives[2].is_read_only);
  EXPECT_EQ(o.machine.drives[3].file, "last.img");
  EXPECT_FALSE(o.machine.drives[3].is_read_only);
  EXPECT_EQ(o.machine.drives[3].interface, "virtio");
}

TEST(DriveOption, NodesUnderTheDrive) {
  const Options o =
      parse({"-drive",
             "file.driver=file,file.filename=x,file.locking=off,format=qcow2,discard=on,"
             "backing.driver=raw,backing.file.driver=file,backing.file.filename=y,id=d,if=none"});
  const DriveOptions& drive = o.machine.drives.at(0);
  EXPECT_EQ(drive.file, "x");
  EXPECT_EQ(drive.format, "qcow2");
  EXPECT_EQ(drive.node.discard, DiscardUse::kUnmap);
  EXPECT_EQ(drive.node.file.at(0).locking, OnOffAuto::kOff);
  EXPECT_EQ(drive.node.backing.at(0).file.at(0).filename, "y");
}

TEST(BlockdevOption, BothSpellingsSayTheSame) {
  const char* const words =
      "driver=qcow2,node-name=q,read-only=on,file.driver=file,file.filename=a,,b,cache.direct=on,"
      "backing=,discard=unmap";
  const char* const json = R"({"driver": "qcow2", "node-name": "q", "read-only": true, "backing": null,
      "file": {"driver": "file", "filename": "a,b"}, "cache": {"direct": true}, "discard": "unmap"})";
  for (const char* const spelling : {words, json}) {
    const Options o = parse({"-blockdev", spelling});
    ASSERT_EQ(o.machine.blockdevs.size(), 1u);
    const BlockOptions& node = o.machine.blockdevs[0];
    EXPECT_EQ(node.driver, "qcow2");
    EXPECT_EQ(node.node_name, "q");
    EXPECT_TRUE(node.is_read_only && node.is_direct && node.has_no_backing);
    EXPECT_EQ(node.file.at(0).filename, "a,b");
    EXPECT_EQ(node.discard, DiscardUse::kUnmap);
  }
  EXPECT_EQ(parse({"-blockdev", "raw,node-name=r,file=f"}).machine.blockdevs.at(0).driver, "raw");
}

TEST(BlockdevOption, Refusals) {
  EXPECT_NE(refusal({"-blockdev", "{\"driver\": \"file\""}).find("JSON object"), std::string::npos);
  EXPECT_NE(refusal({"-blockdev", R"({"driver": ["file"]})"}).find("neither text"), std::string::npos);
  EXPECT_NE(refusal({"-blockdev", "driver=iscsi,node-name=n"}).find("driver=iscsi is not supported yet"),
            std::string::npos);
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{\"file\":";
  EXPECT_NE(refusal({"-blockdev", deep}).find("too deep"), std::string::npos);
}

}  // namespace
}  // namespace gstage
