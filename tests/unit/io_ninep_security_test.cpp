// SPDX-License-Identifier: Apache-2.0
// A shared folder: nothing leaves it, and its security models.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "tests/unit/ninep_client.h"

namespace gstage::ninep {
namespace {

namespace fs = std::filesystem;

TEST_F(NinepTest, ANameIsOneNameAndNoPath) {
  share();
  const std::string bad[] = {
      ".", "..", "below/deep", "/", "../secret", "/etc/passwd", std::string("plain\0", 6)};
  for (const std::string& name : bad) {
    SCOPED_TRACE(name);
    EXPECT_EQ(walk(kRoot, 1, {name}), EINVAL);
    EXPECT_EQ(walk(kRoot, 1, {"below", name}), ENOENT);
    ASSERT_EQ(walk(kRoot, 1, {}), 0);
    EXPECT_EQ(create(1, name), EINVAL);
    EXPECT_EQ(clunk(1), 0);
    EXPECT_EQ(make_folder(name), EINVAL);
    EXPECT_EQ(make_symlink(name, "x"), EINVAL);
    EXPECT_EQ(make_special(name, S_IFIFO | 0600), EINVAL);
    EXPECT_EQ(remove(name), EINVAL);
    EXPECT_EQ(remove(name, true), EINVAL);
    EXPECT_EQ(rename(name, "new"), EINVAL);
    EXPECT_EQ(rename("plain", name), EINVAL);
    ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
    EXPECT_EQ(ask(kTlink, Body().u32(kRoot).u32(1).text(name)), EINVAL);
    EXPECT_EQ(ask(kTrename, Body().u32(1).u32(kRoot).text(name)), EINVAL);
    EXPECT_EQ(clunk(1), 0);
  }
  EXPECT_EQ(walk(kRoot, 1, {""}), ENOENT);
  EXPECT_EQ(walk(kRoot, 1, {std::string(256, 'x')}), ENAMETOOLONG);
  EXPECT_EQ(on_host("secret"), "secret");
  EXPECT_EQ(on_host("inside/plain"), "plain");
}

TEST_F(NinepTest, SymbolicLinksAreReadAndNeverFollowed) {
  fs::create_symlink("../secret", base_ / "inside/up");
  fs::create_symlink(base_ / "secret", base_ / "inside/absolute");
  fs::create_directory_symlink("..", base_ / "inside/folder");
  fs::create_symlink("/proc/self/root", base_ / "inside/magic");
  share();
  for (const char* const name : {"up", "absolute", "folder", "magic"}) {
    SCOPED_TRACE(name);
    ASSERT_EQ(walk(kRoot, 1, {name}), 0);
    EXPECT_EQ(attributes(1).qid_type, Qid::kLink);
    EXPECT_EQ(open(1), ELOOP);
    EXPECT_EQ(open(1, 2), ELOOP);
    EXPECT_NE(walk(1, 2, {"secret"}), 0);
    EXPECT_NE(create(1, "new"), 0);
    EXPECT_NE(ask(kTmkdir, Body().u32(1).text("new").u32(0755).u32(kNobody)), 0);
    EXPECT_NE(ask(kTunlinkat, Body().u32(1).text("secret").u32(0)), 0);
    Changes changes;
    changes.valid = Changes::kSize | Changes::kMode;
    changes.mode = 0777;
    EXPECT_NE(set_attributes(1, changes), 0);
    EXPECT_EQ(clunk(1), 0);
    EXPECT_NE(walk(kRoot, 2, {name, "secret"}), 0);
    ASSERT_EQ(walk(kRoot, 1, {}), 0);
    EXPECT_EQ(create(1, name, 1 | 01000), ELOOP) << "what it leads to stays as it is";
    EXPECT_EQ(clunk(1), 0);
  }
  EXPECT_EQ(on_host("secret"), "secret");
  EXPECT_FALSE(fs::exists(base_ / "new"));
}

TEST_F(NinepTest, AFileThatBecomesALinkIsStillTheFile) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  ASSERT_EQ(walk(kRoot, 2, {"below"}), 0);
  fs::rename(base_ / "inside/plain", base_ / "inside/old");
  fs::create_symlink("../secret", base_ / "inside/plain");
  fs::rename(base_ / "inside/below", base_ / "inside/old-folder");
  fs::create_directory_symlink("..", base_ / "inside/below");
  ASSERT_EQ(open(1, 2), 0);
  EXPECT_EQ(read(1), "plain");
  EXPECT_EQ(walk(2, 3, {"secret"}), ENOENT);
  EXPECT_EQ(walk(2, 3, {"deep"}), 0);
}

TEST_F(NinepTest, WhatIsAboveTheRootIsNotShown) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  ASSERT_EQ(open(1), 0);
  ASSERT_EQ(ask(kTreaddir, Body().u32(1).u64(0).u32(4000)), 0);
  Reader all(reply_);
  Reader in(all.data(all.take<std::uint32_t>()));
  for (;;) {
    in.data(5);
    const auto path = in.take<std::uint64_t>();
    in.data(9);
    const std::string name = in.text();
    if (!in.is_whole()) break;
    if (name == "..") {
      EXPECT_EQ(path, host_status(".").st_ino);
    }
  }
}

TEST_F(NinepTest, PipesAndDevicesAreNotOpened) {
  ASSERT_EQ(mkfifo((base_ / "inside/pipe").c_str(), 0666), 0);
  share();
  ASSERT_EQ(walk(kRoot, 1, {"pipe"}), 0);
  for (const std::uint32_t flags : {0u, 1u, 2u}) EXPECT_EQ(open(1, flags), EACCES);
  ASSERT_EQ(walk(kRoot, 2, {}), 0);
  EXPECT_EQ(create(2, "pipe", 1), EACCES) << "nor where a file is to be made";
  EXPECT_EQ(make_special("device", S_IFCHR | 0666, 1, 3), EPERM);
  EXPECT_EQ(make_special("disk", S_IFBLK | 0666, 8, 0), EPERM);
  EXPECT_EQ(make_special("folder", S_IFDIR | 0777), EINVAL);
  EXPECT_FALSE(fs::exists(base_ / "inside/device"));
}

TEST_F(NinepTest, AReadOnlyShareStaysAsItIs) {
  share(SecurityModel::kNone, true);
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  ASSERT_EQ(walk(kRoot, 2, {}), 0);
  EXPECT_EQ(create(2, "new"), EROFS);
  EXPECT_EQ(make_folder("new"), EROFS);
  EXPECT_EQ(make_symlink("new", "x"), EROFS);
  EXPECT_EQ(make_special("new", S_IFIFO), EROFS);
  EXPECT_EQ(remove("plain"), EROFS);
  EXPECT_EQ(rename("plain", "new"), EROFS);
  EXPECT_EQ(ask(kTrename, Body().u32(1).u32(kRoot).text("new")), EROFS);
  EXPECT_EQ(ask(kTlink, Body().u32(kRoot).u32(1).text("new")), EROFS);
  EXPECT_EQ(ask(kTxattrcreate, Body().u32(1).text("user.n").u64(1).u32(0)), EROFS);
  Changes changes;
  changes.valid = Changes::kSize;
  EXPECT_EQ(set_attributes(1, changes), EROFS);
  for (const std::uint32_t flags : {1u, 2u, 01000u}) EXPECT_EQ(open(1, flags), EROFS);
  EXPECT_EQ(open(1), 0);
  EXPECT_EQ(read(1), "plain");
  EXPECT_EQ(write(1, 0, "x"), EROFS);
  EXPECT_EQ(ask(kTremove, Body().u32(2)), EROFS);
  EXPECT_EQ(on_host("inside/plain"), "plain");
}

TEST_F(NinepTest, DescriptorsAndFidsHaveBounds) {
  share();
  share_->set_most_descriptors(share_->descriptors() + 2);
  EXPECT_EQ(walk(kRoot, 1, {"plain"}), 0);
  EXPECT_EQ(open(1), 0);
  EXPECT_EQ(walk(kRoot, 2, {"below"}), ENFILE);
  EXPECT_EQ(walk(kRoot, 2, {}), 0) << "a copy takes none";
  EXPECT_EQ(open(2), ENFILE);
  EXPECT_EQ(clunk(1), 0);
  EXPECT_EQ(open(2), 0) << "what was closed is there again";
  std::uint32_t number = 1000;
  while (session_->fids() < Session::kMostFids) ASSERT_EQ(walk(kRoot, number++, {}), 0);
  EXPECT_EQ(walk(kRoot, number, {}), ENFILE);
}

TEST_F(NinepTest, ExtendedAttributesAreReadAndWritten) {
  if (setxattr((base_ / "inside").c_str(), "user.try", "", 0, 0) != 0) GTEST_SKIP() << "there are none here";
  share();
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  ASSERT_EQ(ask(kTxattrcreate, Body().u32(1).text("user.name").u64(5).u32(0)), 0);
  EXPECT_EQ(write(1, 0, "val"), 0);
  EXPECT_EQ(write(1, 3, "ues"), ENOSPC) << "more than was promised";
  EXPECT_EQ(write(1, 3, "ue"), 0);
  EXPECT_EQ(clunk(1), 0);
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  EXPECT_EQ(ask(kTxattrwalk, Body().u32(1).u32(2).text("user.name")), 0);
  EXPECT_EQ(Reader(reply_).take<std::uint64_t>(), 5u);
  EXPECT_EQ(read(2), "value");
  EXPECT_EQ(read(2, 3), "ue");
  EXPECT_EQ(ask(kTxattrwalk, Body().u32(1).u32(3).text("")), 0);
  EXPECT_NE(read(3).find(std::string("user.name\0", 10)), std::string::npos);
  EXPECT_EQ(ask(kTxattrwalk, Body().u32(1).u32(4).text("user.none")), ENODATA);
  EXPECT_EQ(ask(kTxattrcreate, Body().u32(1).text("user.name").u64(65537).u32(0)), E2BIG);
  ASSERT_EQ(ask(kTxattrcreate, Body().u32(1).text("user.name").u64(4).u32(0)), 0);
  EXPECT_EQ(clunk(1), EINVAL) << "less than was promised";
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  ASSERT_EQ(ask(kTxattrcreate, Body().u32(1).text("user.name").u64(0).u32(0)), 0);
  EXPECT_EQ(clunk(1), 0);
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  EXPECT_EQ(ask(kTxattrwalk, Body().u32(1).u32(4).text("user.name")), ENODATA);
}

/// Both ways of keeping what the guest sets elsewhere than in the host's attributes.
class MappedNinepTest : public NinepTest, public testing::WithParamInterface<SecurityModel> {
 protected:
  void SetUp() override {
    NinepTest::SetUp();
    const bool has_attributes = setxattr((base_ / "inside").c_str(), "user.try", "", 0, 0) == 0;
    if (GetParam() == SecurityModel::kMappedXattr && !has_attributes)
      GTEST_SKIP() << "there are no extended attributes here";
    share(GetParam());
  }
  int set_owner(const std::string& name, std::uint32_t uid, std::uint32_t gid) {
    Changes changes;
    changes.valid = Changes::kUid | Changes::kGid;
    changes.uid = uid;
    changes.gid = gid;
    EXPECT_EQ(walk(kRoot, 902, {name}), 0);
    const int failure = set_attributes(902, changes);
    EXPECT_EQ(clunk(902), 0);
    return failure;
  }
};

TEST_P(MappedNinepTest, OwnersAndModesAreTheGuestsAlone) {
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  ASSERT_EQ(create(1, "tool", 2, 04755), 0);
  ASSERT_EQ(make_folder("folder", 01777), 0);
  EXPECT_EQ(set_owner("tool", 1234, 5678), 0);
  EXPECT_EQ(attributes("tool").mode, S_IFREG | 04755u);
  EXPECT_EQ(attributes("tool").uid, 1234u);
  EXPECT_EQ(attributes("tool").gid, 5678u);
  EXPECT_EQ(attributes("folder").mode, S_IFDIR | 01777u);
  EXPECT_EQ(host_status("tool").st_mode, S_IFREG | 0600u);
  EXPECT_EQ(host_status("tool").st_uid, geteuid());
  EXPECT_EQ(host_status("folder").st_mode, S_IFDIR | 0700u);
  Changes changes;
  changes.valid = Changes::kMode;
  changes.mode = 0;
  EXPECT_EQ(set_attributes(1, changes), 0);
  EXPECT_EQ(attributes("tool").mode, 0u | S_IFREG);
  EXPECT_EQ(attributes("tool").uid, 1234u) << "the others stay";
  EXPECT_EQ(set_attributes(kRoot, changes), 0);
  EXPECT_EQ(attributes(kRoot).mode, 0u | S_IFDIR);
  EXPECT_EQ(host_status(".").st_mode & 0700, 0700u);
}

TEST_P(MappedNinepTest, LinksAndDevicesArePlainFilesOnTheHost) {
  EXPECT_EQ(make_symlink("link", "/etc/passwd"), 0);
  EXPECT_EQ(make_special("device", S_IFCHR | 0660, 4, 64), 0);
  EXPECT_EQ(make_special("pipe", S_IFIFO | 0600), 0);
  EXPECT_EQ(attributes("link").mode & S_IFMT, unsigned{S_IFLNK});
  EXPECT_EQ(attributes("link").qid_type, Qid::kLink);
  EXPECT_EQ(target_of("link"), "/etc/passwd");
  EXPECT_EQ(attributes("device").mode, S_IFCHR | 0660u);
  EXPECT_EQ(attributes("device").device, makedev(4, 64));
  EXPECT_EQ(attributes("pipe").mode, S_IFIFO | 0600u);
  for (const char* const name : {"link", "device", "pipe"})
    EXPECT_EQ(host_status(name).st_mode, S_IFREG | 0600u) << name;
  EXPECT_EQ(remove("link"), 0);
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  ASSERT_EQ(create(1, "link", 2, 0644), 0);
  EXPECT_EQ(attributes("link").mode, S_IFREG | 0644u) << "nothing is left of the link";
}

TEST_P(MappedNinepTest, AttributesGoWithTheName) {
  EXPECT_EQ(set_owner("plain", 1, 2), 0);
  EXPECT_EQ(rename("plain", "moved"), 0);
  EXPECT_EQ(attributes("moved").uid, 1u);
  ASSERT_EQ(walk(kRoot, 1, {"below"}), 0);
  EXPECT_EQ(ask(kTrenameat, Body().u32(kRoot).text("moved").u32(1).text("plain")), 0);
  ASSERT_EQ(walk(1, 2, {"plain"}), 0);
  EXPECT_EQ(attributes(2).gid, 2u);
  EXPECT_EQ(ask(kTlink, Body().u32(kRoot).u32(2).text("hard")), 0);
  EXPECT_EQ(attributes("hard").uid, 1u);
  EXPECT_EQ(ask(kTunlinkat, Body().u32(1).text("plain").u32(0)), 0);
  EXPECT_EQ(ask(kTunlinkat, Body().u32(1).text("deep").u32(0)), 0);
  EXPECT_EQ(remove("below", true), 0) << "nothing that the guest sees is in it";
}

TEST_P(MappedNinepTest, TheMappingItselfIsHidden) {
  EXPECT_EQ(set_owner("plain", 1, 2), 0);
  Changes changes;
  changes.valid = Changes::kUid;
  EXPECT_EQ(set_attributes(kRoot, changes), 0);
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  ASSERT_EQ(open(1), 0);
  EXPECT_EQ(names_of(1, 4000), "below plain ");
  if (GetParam() == SecurityModel::kMappedFile) {
    EXPECT_EQ(walk(kRoot, 2, {".virtfs_metadata"}), ENOENT);
    EXPECT_EQ(rename("plain", ".virtfs_metadata_root"), ENOENT);
    EXPECT_EQ(make_folder(".virtfs_metadata"), ENOENT);
  } else {
    ASSERT_EQ(walk(kRoot, 2, {"plain"}), 0);
    EXPECT_EQ(ask(kTxattrwalk, Body().u32(2).u32(3).text("user.virtfs.uid")), ENODATA);
    EXPECT_EQ(ask(kTxattrwalk, Body().u32(2).u32(3).text("")), 0);
    EXPECT_EQ(read(3).find("virtfs"), std::string::npos);
    ASSERT_EQ(ask(kTxattrcreate, Body().u32(2).text("user.virtfs.mode").u64(4).u32(0)), 0);
    ASSERT_EQ(write(2, 0, "abcd"), 0);
    EXPECT_EQ(clunk(2), EOPNOTSUPP);
  }
}

INSTANTIATE_TEST_SUITE_P(All, MappedNinepTest,
                         testing::Values(SecurityModel::kMappedXattr, SecurityModel::kMappedFile),
                         [](const auto& info) {
                           return info.param == SecurityModel::kMappedXattr ? "Xattr" : "File";
                         });

}  // namespace
}  // namespace gstage::ninep
