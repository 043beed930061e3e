// SPDX-License-Identifier: Apache-2.0
// 9P2000.L requests: what the operations do.
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/ninep_client.h"

namespace gstage::ninep {
namespace {

namespace fs = std::filesystem;

TEST_F(NinepTest, TheVersionIsAgreedOnBeforeAnythingElse) {
  share();
  session_->reset();
  EXPECT_EQ(ask(kTattach, Body().u32(kRoot).u32(~0u).text("").text("").u32(0)), EPROTO);
  EXPECT_EQ(ask(kTversion, Body().u32(4095).text("9P2000.L")), EMSGSIZE);
  ASSERT_EQ(ask(kTversion, Body().u32(8 << 20).text("9P2000.L")), 0);
  Reader in(reply_);
  EXPECT_EQ(in.take<std::uint32_t>(), 1u << 20) << "no more than a mebibyte";
  EXPECT_EQ(in.text(), "9P2000.L");
}

TEST_F(NinepTest, OtherDialectsAreUnknown) {
  share();
  for (const char* const name : {"9P2000", "9P2000.u", "9P2000.Lx", ""}) {
    ASSERT_EQ(ask(kTversion, Body().u32(8192).text(name)), 0) << name;
    Reader in(reply_);
    EXPECT_EQ(in.take<std::uint32_t>(), 8192u);
    EXPECT_EQ(in.text(), "unknown") << name;
    EXPECT_EQ(ask(kTattach, Body().u32(kRoot).u32(~0u).text("").text("").u32(0)), EPROTO);
  }
}

TEST_F(NinepTest, ANewVersionClosesEverything) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  begin();
  EXPECT_EQ(clunk(1), EBADF);
  EXPECT_EQ(session_->fids(), 1u);
}

TEST_F(NinepTest, WalksGoAsFarAsThereAreNames) {
  share();
  EXPECT_EQ(walk(kRoot, 1, {"below", "deep"}), 0);
  EXPECT_EQ(attributes(1).size, 4u);
  EXPECT_EQ(walk(kRoot, 2, {"none"}), ENOENT);
  EXPECT_EQ(clunk(2), EBADF);
  EXPECT_EQ(walk(kRoot, 2, {"below", "none", "deep"}), ENOENT);
  EXPECT_EQ(walked_, 1u) << "the answer has what was found";
  EXPECT_EQ(clunk(2), EBADF) << "and there is no new fid";
  EXPECT_EQ(walk(1, 2, {}), 0) << "a copy";
  EXPECT_EQ(attributes(2).qid_path, attributes(1).qid_path);
  EXPECT_EQ(walk(kRoot, 2, {"plain"}), EINVAL) << "it is in use";
  EXPECT_EQ(walk(1, 1, {}), 0);
  EXPECT_EQ(walk(1, ~0u, {}), EINVAL);
  EXPECT_EQ(walk(99, 3, {}), EBADF);
  EXPECT_EQ(walk(kRoot, 3, std::vector<std::string>(17, "below")), EINVAL);
}

TEST_F(NinepTest, FilesAreMadeWrittenAndRead) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  ASSERT_EQ(create(1, "new", 2 | 0200, 0640), 0);
  EXPECT_EQ(write(1, 0, "hello"), 0);
  EXPECT_EQ(write(1, 7, "world"), 0);
  EXPECT_EQ(read(1), std::string("hello\0\0world", 12));
  EXPECT_EQ(read(1, 7, 3), "wor");
  EXPECT_EQ(read(1, 100), "");
  EXPECT_EQ(host_status("new").st_mode & 0777, 0640u);
  EXPECT_EQ(ask(kTfsync, Body().u32(1).u32(0)), 0);
  EXPECT_EQ(ask(kTfsync, Body().u32(kRoot).u32(0)), EBADF) << "not open";
  EXPECT_EQ(clunk(1), 0);
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  EXPECT_EQ(create(1, "new", 2 | 0200), EEXIST);
  EXPECT_EQ(create(1, "new", 1 | 01000), 0) << "opened, and made empty";
  EXPECT_EQ(read(1), format("error %d", EBADF)) << "for writing alone";
  EXPECT_EQ(on_host("inside/new"), "");
  EXPECT_EQ(open(1), EINVAL) << "open already";
}

TEST_F(NinepTest, TheUmaskOfTheProcessIsNotTheGuests) {
  const mode_t old = umask(077);
  share();
  EXPECT_EQ(walk(kRoot, 1, {}), 0);
  EXPECT_EQ(create(1, "new", 2, 0666), 0);
  EXPECT_EQ(make_folder("folder", 01777), 0);
  umask(old);
  EXPECT_EQ(host_status("new").st_mode & 07777, 0666u);
  EXPECT_EQ(host_status("folder").st_mode & 07777, 01777u);
}

TEST_F(NinepTest, AttributesAreChanged) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  Changes changes;
  changes.valid = Changes::kMode | Changes::kSize | Changes::kMtime | Changes::kMtimeSet;
  changes.mode = 0604;
  changes.size = 3;
  changes.mtime = {1234, 5678};
  EXPECT_EQ(set_attributes(1, changes), 0);
  const struct stat status = host_status("plain");
  EXPECT_EQ(status.st_mode & 07777, 0604u);
  EXPECT_EQ(status.st_mtim.tv_sec, 1234);
  EXPECT_EQ(status.st_mtim.tv_nsec, 5678);
  EXPECT_EQ(on_host("inside/plain"), "pla");
  changes = {};
  changes.valid = Changes::kSize;
  changes.size = ~std::uint64_t{0};
  EXPECT_EQ(set_attributes(1, changes), EFBIG);
  EXPECT_EQ(set_attributes(kRoot, changes), EFBIG);
  changes.size = 1;
  EXPECT_NE(set_attributes(kRoot, changes), 0) << "a folder";
}

TEST_F(NinepTest, FoldersShowEachNameOnceWhateverFits) {
  share();
  std::string wanted = "below plain ";
  for (unsigned i = 100; i < 300; ++i) {
    std::ofstream(base_ / "inside" / format("z%u-with-a-longer-name", i)) << i;
    wanted += format("z%u-with-a-longer-name ", i);
  }
  for (const std::uint32_t count : {60u, 300u, 4000u, 65000u}) {
    ASSERT_EQ(walk(kRoot, 1, {}), 0);
    ASSERT_EQ(open(1), 0);
    EXPECT_EQ(names_of(1, count), wanted) << count;
    EXPECT_EQ(clunk(1), 0);
  }
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  ASSERT_EQ(open(1), 0);
  EXPECT_EQ(names_of(1, 10), format("error %d", EINVAL)) << "not one fits";
  EXPECT_EQ(read(1), format("error %d", EISDIR));
}

TEST_F(NinepTest, NamesAreMadeMovedAndRemoved) {
  share();
  EXPECT_EQ(make_folder("folder"), 0);
  EXPECT_EQ(make_folder("folder"), EEXIST);
  EXPECT_EQ(make_symlink("link", "folder/../nowhere"), 0);
  EXPECT_EQ(target_of("link"), "folder/../nowhere");
  EXPECT_EQ(make_special("pipe", S_IFIFO | 0600), 0);
  EXPECT_EQ(attributes("pipe").mode, S_IFIFO | 0600u);
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  ASSERT_EQ(walk(kRoot, 2, {"folder"}), 0);
  EXPECT_EQ(ask(kTlink, Body().u32(2).u32(1).text("hard")), 0);
  EXPECT_EQ(attributes(1).links, 2u);
  EXPECT_EQ(ask(kTrenameat, Body().u32(2).text("hard").u32(kRoot).text("moved")), 0);
  EXPECT_EQ(on_host("inside/moved"), "plain");
  EXPECT_EQ(remove("folder"), EISDIR);
  EXPECT_EQ(remove("plain", true), ENOTDIR);
  EXPECT_EQ(remove("folder", true), 0);
  EXPECT_EQ(remove("moved"), 0);
  EXPECT_EQ(remove("below", true), ENOTEMPTY);
  EXPECT_EQ(attributes(1).size, 5u) << "the fid is still its file";
  EXPECT_EQ(remove("plain"), 0);
  EXPECT_EQ(attributes(1).links, 0u) << "even without a name";
}

TEST_F(NinepTest, AFidIsRemovedAndRenamedWhereItIsNow) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"below", "deep"}), 0);
  EXPECT_EQ(rename("below", "elsewhere"), 0);
  EXPECT_EQ(ask(kTrename, Body().u32(1).u32(kRoot).text("up")), 0);
  EXPECT_EQ(on_host("inside/up"), "deep");
  EXPECT_EQ(ask(kTremove, Body().u32(1)), 0);
  EXPECT_FALSE(fs::exists(base_ / "inside/up"));
  EXPECT_EQ(clunk(1), EBADF) << "it is gone with the file";
  ASSERT_EQ(walk(kRoot, 1, {"elsewhere"}), 0);
  EXPECT_EQ(ask(kTremove, Body().u32(1)), 0);
  ASSERT_EQ(walk(kRoot, 1, {}), 0);
  EXPECT_EQ(ask(kTremove, Body().u32(1)), EBUSY) << "the root stays";
  EXPECT_EQ(clunk(1), EBADF) << "and the fid is gone all the same";
  EXPECT_TRUE(fs::exists(base_ / "inside"));
}

TEST_F(NinepTest, AFidOfWhatWasReplacedTakesNothingElseAway) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  fs::remove(base_ / "inside/plain");
  std::ofstream(base_ / "inside/plain") << "another";
  EXPECT_EQ(ask(kTremove, Body().u32(1)), ESTALE);
  EXPECT_EQ(on_host("inside/plain"), "another");
}

TEST_F(NinepTest, TheFileSystemIsDescribed) {
  share();
  ASSERT_EQ(ask(kTstatfs, Body().u32(kRoot)), 0);
  Reader in(reply_);
  in.take<std::uint32_t>();
  EXPECT_GT(in.take<std::uint32_t>(), 0u) << "bytes of a block";
  EXPECT_GT(in.take<std::uint64_t>(), 0u) << "blocks";
  EXPECT_EQ(reply_.size(), 4u + 4 + 6 * 8 + 4);
}

TEST_F(NinepTest, LocksAreTheGuestsOwn) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  const auto lock = [&](std::uint8_t type) {
    return ask(kTlock, Body().u32(1).u8(type).u32(1).u64(0).u64(0).u32(42).text("guest"));
  };
  EXPECT_EQ(lock(1), EBADF) << "not open";
  ASSERT_EQ(open(1), 0);
  EXPECT_EQ(lock(1), 0);
  EXPECT_EQ(reply_, std::vector<std::uint8_t>{0});
  EXPECT_EQ(lock(3), EINVAL);
  ASSERT_EQ(ask(kTgetlock, Body().u32(1).u8(1).u64(5).u64(6).u32(42).text("guest")), 0);
  EXPECT_EQ(reply_, Body().u8(2).u64(5).u64(6).u32(42).text("guest").bytes());
}

TEST_F(NinepTest, FlushAndAuthAreAnswered) {
  share();
  EXPECT_EQ(ask(kTflush, Body().u16(3)), 0);
  EXPECT_EQ(ask(kTauth, Body().u32(1).text("").text("").u32(0)), EOPNOTSUPP);
  EXPECT_EQ(ask(10, Body()), EOPNOTSUPP) << "nobody knows it";
}

TEST_F(NinepTest, AShortMessageIsRefusedWhereverItEnds) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"plain"}), 0);
  ASSERT_EQ(open(1), 0);
  const std::pair<std::uint8_t, Body> requests[] = {
      {kTstatfs, Body().u32(kRoot)},
      {kTlopen, Body().u32(kRoot).u32(0)},
      {kTlcreate, Body().u32(kRoot).text("n").u32(2).u32(0644).u32(0)},
      {kTsymlink, Body().u32(kRoot).text("n").text("t").u32(0)},
      {kTmknod, Body().u32(kRoot).text("n").u32(S_IFIFO).u32(0).u32(0).u32(0)},
      {kTrename, Body().u32(1).u32(kRoot).text("n")},
      {kTgetattr, Body().u32(1).u64(0x7ff)},
      {kTxattrwalk, Body().u32(1).u32(9).text("user.n")},
      {kTxattrcreate, Body().u32(1).text("user.n").u64(1).u32(0)},
      {kTreaddir, Body().u32(kRoot).u64(0).u32(100)},
      {kTlink, Body().u32(kRoot).u32(1).text("n")},
      {kTmkdir, Body().u32(kRoot).text("n").u32(0755).u32(0)},
      {kTrenameat, Body().u32(kRoot).text("plain").u32(kRoot).text("n")},
      {kTunlinkat, Body().u32(kRoot).text("plain").u32(0)},
      {kTwalk, Body().u32(kRoot).u32(9).u16(1).text("plain")},
      {kTread, Body().u32(1).u64(0).u32(10)},
      {kTwrite, Body().u32(1).u64(0).data("bytes")},
  };
  for (const auto& [type, body] : requests) {
    for (std::size_t size = 0; size < body.bytes().size(); ++size) {
      Body part;
      for (std::size_t i = 0; i < size; ++i) part.u8(body.bytes()[i]);
      EXPECT_EQ(ask(type, part), EPROTO) << "type " << int{type} << " of " << size << " bytes";
    }
  }
  EXPECT_FALSE(fs::exists(base_ / "inside/n"));
  EXPECT_EQ(on_host("inside/plain"), "plain");
}

TEST_F(NinepTest, WhatIsNoMessageHasNoAnswer) {
  share();
  std::vector<std::uint8_t> reply(100);
  const std::vector<std::uint8_t> message = Body().u32(kRoot).message(kTclunk);
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_EQ(session_->answer(std::span(message).first(size), reply), 0u) << size;
  EXPECT_EQ(session_->answer(message, std::span(reply).first(10)), 0u) << "no room for an error";
  EXPECT_EQ(session_->answer(message, std::span(reply).first(11)), 7u);
}

TEST_F(NinepTest, AnAnswerWithoutRoomIsAnError) {
  share();
  EXPECT_EQ(ask(kTgetattr, Body().u32(kRoot).u64(0x7ff), 20), EMSGSIZE);
  EXPECT_EQ(ask(kTwalk, Body().u32(kRoot).u32(1).u16(1).text("plain"), 12), EMSGSIZE);
  EXPECT_EQ(clunk(1), EBADF);
}

TEST_F(NinepTest, ASavedSessionGoesOnInAnother) {
  share();
  ASSERT_EQ(walk(kRoot, 1, {"below", "deep"}), 0);
  ASSERT_EQ(open(1, 2), 0);
  ASSERT_EQ(walk(kRoot, 2, {"plain"}), 0);
  ASSERT_EQ(walk(kRoot, 3, {"plain"}), 0);
  ASSERT_EQ(ask(kTxattrcreate, Body().u32(3).text("user.n").u64(5).u32(0)), 0);
  ASSERT_EQ(write(3, 0, "he"), 0);
  ASSERT_EQ(rename("below", "elsewhere"), 0);
  fs::remove(base_ / "inside/plain");
  const std::vector<std::uint8_t> saved = session_->save();
  auto other = Share::open(options_);
  ASSERT_TRUE(other.ok());
  session_ = std::make_unique<Session>(*other);
  session_->load(saved);
  EXPECT_EQ(session_->save(), saved);
  EXPECT_EQ(session_->fids(), 4u);
  EXPECT_EQ(read(1), "deep");
  EXPECT_EQ(write(1, 4, "er"), 0);
  EXPECT_EQ(on_host("inside/elsewhere/deep"), "deeper");
  EXPECT_EQ(ask(kTgetattr, Body().u32(2).u64(0x7ff)), EBADF) << "its file is gone";
  EXPECT_EQ(write(3, 2, "llo"), 0);
  EXPECT_EQ(clunk(3), ESTALE);
  for (std::size_t size = 0; size < saved.size(); ++size) session_->load(std::span(saved).first(size));
}

}  // namespace
}  // namespace gstage::ninep
