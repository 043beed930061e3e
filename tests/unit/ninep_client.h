// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/ninep/session.h"

namespace gstage::ninep {

/// The body of a request, a field after the other.
class Body {
 public:
  Body& u8(std::uint8_t value) { return add(&value, sizeof value); }
  Body& u16(std::uint16_t value) { return add(&value, sizeof value); }
  Body& u32(std::uint32_t value) { return add(&value, sizeof value); }
  Body& u64(std::uint64_t value) { return add(&value, sizeof value); }
  Body& text(const std::string& value) {
    u16(static_cast<std::uint16_t>(value.size()));
    return add(value.data(), value.size());
  }
  Body& data(const std::string& value) {
    u32(static_cast<std::uint32_t>(value.size()));
    return add(value.data(), value.size());
  }
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }

  /// The whole message.
  [[nodiscard]] std::vector<std::uint8_t> message(std::uint8_t type, std::uint16_t tag = 1) const {
    Body all;
    all.u32(static_cast<std::uint32_t>(kHeaderBytes + bytes_.size())).u8(type).u16(tag);
    all.add(bytes_.data(), bytes_.size());
    return all.bytes_;
  }

 private:
  Body& add(const void* from, std::size_t size) {
    const auto* const bytes = static_cast<const std::uint8_t*>(from);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    return *this;
  }
  std::vector<std::uint8_t> bytes_;
};

/// secret beside inside/, which is shared: inside/plain, inside/below/deep.
class NinepTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kRoot = 0;  ///< the fid of the root
  static constexpr std::uint32_t kNobody = ~0u;

  void SetUp() override {
    std::filesystem::create_directories(base_ / "inside/below");
    std::ofstream(base_ / "secret") << "secret";
    std::ofstream(base_ / "inside/plain") << "plain";
    std::ofstream(base_ / "inside/below/deep") << "deep";
    options_.id = "share";
    options_.path = base_ / "inside";
  }
  void TearDown() override {
    session_.reset();
    std::filesystem::remove_all(base_);
  }

  /// Shares the folder and attaches its root.
  void share(SecurityModel model = SecurityModel::kNone, bool is_read_only = false) {
    options_.model = model;
    options_.is_read_only = is_read_only;
    auto share = Share::open(options_);
    ASSERT_TRUE(share.ok()) << share.error().message;
    share_ = *share;
    session_ = std::make_unique<Session>(share_);
    begin();
  }
  void begin() {
    ASSERT_EQ(ask(kTversion, Body().u32(1 << 16).text("9P2000.L")), 0);
    ASSERT_EQ(ask(kTattach, Body().u32(kRoot).u32(~0u).text("").text("").u32(geteuid())), 0);
  }
  /// 0 or the errno of the answer, whose body is in `reply_`.
  int ask(std::uint8_t type, const Body& body, std::size_t room = 1 << 16) {
    const std::vector<std::uint8_t> message = body.message(type, 77);
    std::vector<std::uint8_t> reply(room);
    reply.resize(session_->answer(message, reply));
    if (reply.size() < kHeaderBytes) return -1;
    Reader in(reply);
    EXPECT_EQ(in.take<std::uint32_t>(), reply.size());
    const auto answered = in.take<std::uint8_t>();
    EXPECT_EQ(in.take<std::uint16_t>(), 77u);
    reply_.assign(reply.begin() + kHeaderBytes, reply.end());
    if (answered == kRlerror) return static_cast<int>(Reader(reply_).take<std::uint32_t>());
    EXPECT_EQ(answered, type + 1);
    return 0;
  }

  int walk(std::uint32_t from, std::uint32_t to, const std::vector<std::string>& names) {
    Body body;
    body.u32(from).u32(to).u16(static_cast<std::uint16_t>(names.size()));
    for (const std::string& name : names) body.text(name);
    const int failure = ask(kTwalk, body);
    walked_ = failure == 0 ? Reader(reply_).take<std::uint16_t>() : 0;
    return failure != 0 || walked_ == names.size() ? failure : ENOENT;
  }
  int clunk(std::uint32_t fid) { return ask(kTclunk, Body().u32(fid)); }
  int open(std::uint32_t fid, std::uint32_t flags = 0) { return ask(kTlopen, Body().u32(fid).u32(flags)); }
  /// `fid` is the folder, and the new file afterwards.
  int create(std::uint32_t fid, const std::string& name, std::uint32_t flags = 2, std::uint32_t mode = 0644) {
    return ask(kTlcreate, Body().u32(fid).text(name).u32(flags).u32(mode).u32(kNobody));
  }
  int make_folder(const std::string& name, std::uint32_t mode = 0755) {
    return ask(kTmkdir, Body().u32(kRoot).text(name).u32(mode).u32(kNobody));
  }
  int make_symlink(const std::string& name, const std::string& target) {
    return ask(kTsymlink, Body().u32(kRoot).text(name).text(target).u32(kNobody));
  }
  int make_special(const std::string& name, std::uint32_t mode, std::uint32_t major = 0,
                   std::uint32_t minor = 0) {
    return ask(kTmknod, Body().u32(kRoot).text(name).u32(mode).u32(major).u32(minor).u32(kNobody));
  }
  int remove(const std::string& name, bool is_folder = false) {
    return ask(kTunlinkat, Body().u32(kRoot).text(name).u32(is_folder ? 0x200 : 0));
  }
  int rename(const std::string& from, const std::string& to) {
    return ask(kTrenameat, Body().u32(kRoot).text(from).u32(kRoot).text(to));
  }
  int write(std::uint32_t fid, std::uint64_t offset, const std::string& bytes) {
    const int failure = ask(kTwrite, Body().u32(fid).u64(offset).data(bytes));
    if (failure == 0) {
      EXPECT_EQ(Reader(reply_).take<std::uint32_t>(), bytes.size());
    }
    return failure;
  }
  /// What there is, or "error N".
  std::string read(std::uint32_t fid, std::uint64_t offset = 0, std::uint32_t count = 1000) {
    const int failure = ask(kTread, Body().u32(fid).u64(offset).u32(count));
    if (failure != 0) return format("error %d", failure);
    Reader in(reply_);
    const auto bytes = in.data(in.take<std::uint32_t>());
    EXPECT_TRUE(in.is_whole());
    return {bytes.begin(), bytes.end()};
  }
  struct Attributes {
    std::uint8_t qid_type = 0;
    std::uint64_t qid_path = 0;
    std::uint32_t mode = 0, uid = 0, gid = 0;
    std::uint64_t links = 0, device = 0, size = 0;
  };
  Attributes attributes(std::uint32_t fid) {
    Attributes all;
    EXPECT_EQ(ask(kTgetattr, Body().u32(fid).u64(0x7ff)), 0);
    Reader in(reply_);
    EXPECT_EQ(in.take<std::uint64_t>(), 0x7ffu);
    all.qid_type = in.take<std::uint8_t>();
    in.take<std::uint32_t>();
    all.qid_path = in.take<std::uint64_t>();
    all.mode = in.take<std::uint32_t>();
    all.uid = in.take<std::uint32_t>();
    all.gid = in.take<std::uint32_t>();
    all.links = in.take<std::uint64_t>();
    all.device = in.take<std::uint64_t>();
    all.size = in.take<std::uint64_t>();
    in.data(8 * 12);
    EXPECT_TRUE(in.is_whole());
    return all;
  }
  /// Of a name in the root.
  Attributes attributes(const std::string& name) {
    EXPECT_EQ(walk(kRoot, 900, {name}), 0) << name;
    const Attributes all = attributes(900);
    EXPECT_EQ(clunk(900), 0);
    return all;
  }
  int set_attributes(std::uint32_t fid, const Changes& changes) {
    Body body;
    body.u32(fid).u32(changes.valid).u32(changes.mode).u32(changes.uid).u32(changes.gid).u64(changes.size);
    for (const timespec& time : {changes.atime, changes.mtime})
      body.u64(static_cast<std::uint64_t>(time.tv_sec)).u64(static_cast<std::uint64_t>(time.tv_nsec));
    return ask(kTsetattr, body);
  }
  std::string target_of(const std::string& name) {
    EXPECT_EQ(walk(kRoot, 901, {name}), 0);
    const int failure = ask(kTreadlink, Body().u32(901));
    const std::string target = failure == 0 ? Reader(reply_).text() : format("error %d", failure);
    EXPECT_EQ(clunk(901), 0);
    return target;
  }
  /// The names of an open folder but "." and "..", a blank after each, read so many bytes at a time.
  std::string names_of(std::uint32_t fid, std::uint32_t count) {
    std::vector<std::string> names;
    for (std::uint64_t offset = 0;;) {
      const int failure = ask(kTreaddir, Body().u32(fid).u64(offset).u32(count));
      if (failure != 0) return format("error %d", failure);
      Reader all(reply_);
      Reader in(all.data(all.take<std::uint32_t>()));
      bool is_end = true;
      for (;;) {
        in.data(13);
        const auto next = in.take<std::uint64_t>();
        in.take<std::uint8_t>();
        const std::string name = in.text();
        if (!in.is_whole()) break;
        is_end = false;
        offset = next;
        if (name != "." && name != "..") names.push_back(name);
      }
      if (is_end) break;
    }
    std::sort(names.begin(), names.end());
    std::string text;
    for (const std::string& name : names) text += name + " ";
    return text;
  }
  std::string on_host(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(base_ / name).rdbuf();
    return text.str();
  }
  struct stat host_status(const std::string& name) {
    struct stat status {};
    EXPECT_EQ(lstat((base_ / "inside" / name).c_str(), &status), 0) << name;
    return status;
  }

  const std::filesystem::path base_ = testing::TempDir() + format("gstage-ninep-%d", getpid());
  ShareOptions options_;
  std::shared_ptr<Share> share_;
  std::unique_ptr<Session> session_;
  std::vector<std::uint8_t> reply_;
  std::size_t walked_ = 0;
};

}  // namespace gstage::ninep
