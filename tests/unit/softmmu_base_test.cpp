// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/bits.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"

namespace gstage {
namespace {

TEST(Bits, FieldGetsAndSetsItsBitsAlone) {
  using F = Field<12, 11>;
  EXPECT_EQ(F::get(0x1800), 3u);
  EXPECT_EQ(F::set(~0ull, 0), ~0x1800ull);
  EXPECT_EQ(F::set(0, 7), 0x1800u) << "bits beyond the field must not leak";
  EXPECT_EQ((Field<63, 0>::get(~0ull)), ~0ull);
}

TEST(Bits, SignExtendAndBits) {
  EXPECT_EQ(sign_extend(0x800, 12), 0xfffffffffffff800ull);
  EXPECT_EQ(sign_extend(0x7ff, 12), 0x7ffull);
  EXPECT_EQ(sign_extend(0x1000, 12), 0u);
  EXPECT_EQ(bits(0xabcd, 11, 4), 0xbcull);
  EXPECT_EQ(bits(~0ull, 63, 0), ~0ull);
}

TEST(Format, LongTextIsWhole) {
  const std::string longest(5000, 'x');
  EXPECT_EQ(format("%s!", longest.c_str()), longest + "!");
  EXPECT_EQ(error("%d %s", 7, "seven").message, "7 seven");
}

TEST(Format, ControlCharactersAndWhatIsNoUtf8AreEscaped) {
  const std::pair<std::string, const char*> rows[] = {
      {"plain, 'quoted' ~", "plain, 'quoted' ~"},
      {"a\x1b[31mb\r\n\t\x7f", "a\\x1b[31mb\\x0d\\x0a\\x09\\x7f"},
      {std::string("\0x", 2), "\\x00x"},
      {"Fahrt über \u20ac \U0001f600", "Fahrt über \u20ac \U0001f600"},
      {"\xc2\x9b"
       "1m",
       "\\xc2\\x9b1m"},                                         // a control character of C1
      {"\xc2\xa0", "\xc2\xa0"},                                 // the first behind them
      {"\xc0\xaf \xe0\x80\xaf", "\\xc0\\xaf \\xe0\\x80\\xaf"},  // longer than need be
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                      // half of a surrogate pair
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},             // beyond U+10FFFF
      {"\xe2\x82", "\\xe2\\x82"},                               // cut off
      {"\xe2\x82x", "\\xe2\\x82x"},
      {"\xff\x80", "\\xff\\x80"},
  };
  for (const auto& [text, shown] : rows) {
    EXPECT_EQ(printable(text), shown);
    EXPECT_EQ(printable(printable(text)), shown) << "what is printable stays";
  }
}

TEST(Format, MessagesQuoteOutsideTextPrintably) {
  EXPECT_EQ(error("'%s': no", "\x1b]0;x\a").message, "'\\x1b]0;x\\x07': no");
  ::testing::internal::CaptureStderr();
  warn("'%s'\n", "\xff");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "gstage: warning: '\\xff'\\x0a\n");
}

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + format("gstage-log-%d", getpid());
    ASSERT_TRUE(log_set_file(path_).ok());
  }
  void TearDown() override {
    log_mask.store(0);
    unlink(path_.c_str());
  }
  std::string text() const {
    log_flush();
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }
  std::string path_;
};

TEST_F(LogTest, OnlyEnabledCategoriesAreWritten) {
  ASSERT_TRUE(log_set_categories("int,mmu").ok());
  log_line(Log::kInt, "trap %d", 5);
  log_line(Log::kExec, "not this");
  log_text(Log::kMmu, "two\nlines\n");
  EXPECT_EQ(text(), "trap 5\ntwo\nlines\n");
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  log_mask.store(static_cast<std::uint32_t>(Log::kExec));
  constexpr int kThreads = 4;
  constexpr int kLines = 2000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([t] {
      const std::string body(80, static_cast<char>('a' + t));
      for (int i = 0; i < kLines; ++i) log_line(Log::kExec, "%s", body.c_str());
    });
  for (auto& thread : threads) thread.join();
  std::istringstream lines(text());
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) ASSERT_EQ(line, std::string(80, line[0]));
  EXPECT_EQ(count, kThreads * kLines);
}

TEST_F(LogTest, NamesAreChecked) {
  const Status unknown = log_set_categories("int,nonsense");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("'nonsense'"), std::string::npos);
  EXPECT_NE(unknown.error().message.find("guest_errors"), std::string::npos) << "the known ones are listed";
  EXPECT_EQ(log_mask.load(), 0u) << "a bad list changes nothing";
  EXPECT_EQ(log_set_categories("fpu").error().message, "-d fpu is not supported yet");
  ASSERT_TRUE(log_set_categories("all").ok());
  EXPECT_TRUE(log_enabled(Log::kInAsm));
  EXPECT_FALSE(log_enabled(Log::kNoChain)) << "nochain changes behaviour, all does not";
}

TEST(LogFile, UnwritableIsAnError) { EXPECT_FALSE(log_set_file("/nonexistent/directory/log").ok()); }

}  // namespace
}  // namespace gstage
