// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/host_folder.h"

namespace gstage {
namespace {

namespace fs = std::filesystem;

/// outside/secret, and inside/, which the guest may use.
class HostFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(base_ / "inside/below");
    std::ofstream(base_ / "secret") << "secret";
    std::ofstream(base_ / "inside/plain") << "plain";
    auto folder = HostFolder::open("root=", base_ / "inside");
    ASSERT_TRUE(folder.ok());
    folder_ = std::move(*folder);
  }
  void TearDown() override { fs::remove_all(base_); }
  /// 0 or the errno of an attempt to open.
  int try_open(const std::string& path, int flags = O_RDONLY) {
    const int fd = folder_->open_file(path, flags);
    if (fd >= 0) close(fd);
    return fd >= 0 ? 0 : -fd;
  }

  const fs::path base_ = testing::TempDir() + format("gstage-folder-%d", getpid());
  std::unique_ptr<HostFolder> folder_;
};

TEST_F(HostFolderTest, FilesInsideCanBeUsed) {
  EXPECT_EQ(try_open("plain"), 0);
  EXPECT_EQ(try_open("below/../plain"), 0);
  EXPECT_EQ(try_open("new", O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(folder_->rename("new", "below/moved"), 0);
  EXPECT_EQ(try_open("below/moved"), 0);
  EXPECT_EQ(folder_->remove("below/moved"), 0);
  EXPECT_EQ(try_open("below/moved"), ENOENT);
}

TEST_F(HostFolderTest, DotDotLeadsNowhere) {
  EXPECT_EQ(try_open("../secret"), EXDEV);
  EXPECT_EQ(try_open("below/../../secret"), EXDEV);
  EXPECT_EQ(try_open("/etc/passwd"), EXDEV);
  EXPECT_EQ(folder_->remove("../secret"), EXDEV);
  EXPECT_EQ(folder_->remove("/" + (base_ / "secret").string()), EXDEV);
  EXPECT_EQ(folder_->rename("../secret", "mine"), EXDEV);
  EXPECT_EQ(folder_->rename("plain", "../theirs"), EXDEV);
  EXPECT_EQ(folder_->rename("below", ".."), EINVAL);
  EXPECT_EQ(folder_->remove("below/.."), EINVAL);
  EXPECT_TRUE(fs::exists(base_ / "secret"));
  EXPECT_TRUE(fs::exists(base_ / "inside/plain"));
}

TEST_F(HostFolderTest, SymbolicLinksLeadNowhereElse) {
  fs::create_symlink("../secret", base_ / "inside/relative");
  fs::create_symlink(base_ / "secret", base_ / "inside/absolute");
  fs::create_directory_symlink("..", base_ / "inside/up");
  fs::create_symlink("plain", base_ / "inside/good");
  fs::create_symlink("/proc/self/fd/0", base_ / "inside/magic");
  EXPECT_EQ(try_open("relative"), EXDEV);
  EXPECT_EQ(try_open("absolute"), EXDEV);
  EXPECT_EQ(try_open("up/secret"), EXDEV);
  EXPECT_EQ(try_open("magic"), EXDEV);
  EXPECT_EQ(folder_->remove("up/secret"), EXDEV);
  EXPECT_EQ(folder_->rename("up/secret", "mine"), EXDEV);
  EXPECT_EQ(try_open("relative", O_WRONLY | O_CREAT | O_TRUNC), EXDEV);
  EXPECT_EQ(try_open("good"), 0);
  EXPECT_EQ(fs::file_size(base_ / "secret"), 6u);
}

TEST_F(HostFolderTest, OnlyRegularFilesAreFiles) {
  ASSERT_EQ(mkfifo((base_ / "inside/pipe").c_str(), 0600), 0);
  EXPECT_EQ(try_open("below"), EACCES);
  EXPECT_EQ(try_open("."), EACCES);
  EXPECT_EQ(try_open("pipe"), EACCES) << "and it does not hang";
  EXPECT_EQ(try_open(""), ENOENT);
}

TEST_F(HostFolderTest, AFolderThatIsNotThereIsAnErrorThatNamesIt) {
  const auto folder = HostFolder::open("root=", base_ / "nowhere");
  ASSERT_FALSE(folder.ok());
  EXPECT_NE(folder.error().message.find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace gstage
