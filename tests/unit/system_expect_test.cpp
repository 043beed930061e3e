// SPDX-License-Identifier: Apache-2.0
// What --expect and --fail-on see of a console.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "system/output_matcher.h"

namespace gstage {
namespace {

using Verdict = OutputMatcher::Verdict;

std::vector<Regex> regexes(const std::vector<std::string>& patterns) {
  std::vector<Regex> all;
  for (const std::string& pattern : patterns) {
    auto regex = Regex::make("--expect", pattern);
    EXPECT_TRUE(regex.ok()) << pattern;
    if (regex) all.push_back(*regex);
  }
  return all;
}

Verdict put(OutputMatcher& matcher, std::string_view text) {
  return matcher.put({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

/// What one expression says of a text that comes at once, and of one that comes byte by byte.
bool finds(const std::string& pattern, std::string_view text) {
  OutputMatcher whole(regexes({pattern}), {});
  OutputMatcher bytes(regexes({pattern}), {});
  put(whole, text);
  for (std::size_t i = 0; i < text.size(); ++i) put(bytes, text.substr(i, 1));
  EXPECT_EQ(whole.verdict(), bytes.verdict()) << pattern << " in " << text;
  return whole.verdict() == Verdict::kAllFound;
}

TEST(OutputMatcherTest, LinesAndPrompts) {
  EXPECT_TRUE(finds("login: ", "a\r\nhost login: "));
  EXPECT_TRUE(finds("^host$", "a\r\nhost\r\n"));
  EXPECT_FALSE(finds("^host$", "a\r\nhost"));
  EXPECT_FALSE(finds("a.b", "a\nb\n"));
  EXPECT_FALSE(finds("^b", "ab"));
}

TEST(OutputMatcherTest, WhatMovesTheCursorIsNoText) {
  EXPECT_TRUE(finds("^good$", "\x1b[1;32mgo\x1b[0mod\x1b[K\r\n"));
  EXPECT_TRUE(finds("^title$", "\x1b]0;window\x07ti\x1b]2;x\x1b\\tle\n"));
  EXPECT_TRUE(finds("^ab$", "a\x1b(B\x1b=b\n"));
  EXPECT_TRUE(finds("^a\tb$",
                    "a\t\x08"
                    "b\n"));
  EXPECT_TRUE(finds("b", "\x1b[\nb"));
}

TEST(OutputMatcherTest, BytesThatAreNoTextMatchThemselves) {
  EXPECT_TRUE(finds("a\\xff.b",
                    "a\xff\xfe"
                    "b\n"));
}

TEST(OutputMatcherTest, ExpressionsAreFoundOneAfterTheOther) {
  OutputMatcher matcher(regexes({"a", "b", "a"}), {});
  EXPECT_EQ(put(matcher, "b a\n"), Verdict::kNone);
  EXPECT_EQ(matcher.found(), 1u);
  EXPECT_EQ(put(matcher, "ab"), Verdict::kNone);
  EXPECT_EQ(matcher.found(), 2u);
  EXPECT_EQ(put(matcher, "a"), Verdict::kAllFound);
}

TEST(OutputMatcherTest, TheFirstVerdictStays) {
  OutputMatcher matcher(regexes({"good"}), regexes({"never", "bad.*"}));
  EXPECT_EQ(put(matcher, "a bad day\n"), Verdict::kFailed);
  EXPECT_EQ(put(matcher, "good\n"), Verdict::kFailed);
  EXPECT_EQ(matcher.failed(), 1u);
  EXPECT_EQ(matcher.failed_line(), "a bad day");
  EXPECT_EQ(matcher.found(), 0u);
}

TEST(OutputMatcherTest, LongLinesAndOutputTakeBoundedMemory) {
  OutputMatcher matcher(regexes({"x.*end"}), {});
  put(matcher, "x");
  for (unsigned i = 0; i < 100; ++i) put(matcher, std::string(1000, 'y'));
  EXPECT_EQ(put(matcher, "end"), Verdict::kNone);
  EXPECT_EQ(put(matcher, "xend"), Verdict::kAllFound);
  for (unsigned i = 0; i < 1000; ++i) put(matcher, std::string(1000, 'z') + "\n");
  EXPECT_LE(matcher.tail().size(), 3u * (64 << 10));
  EXPECT_TRUE(matcher.tail().ends_with("z\n"));
}

TEST(OutputMatcherTest, BadExpressionsAreRefused) {
  for (const char* const pattern : {"(", "a{2", "[z-a]", "*"}) {
    const auto regex = Regex::make("--fail-on", pattern);
    if (std::string_view(pattern) == "a{2") {
      EXPECT_TRUE(regex.ok());  // braces that are no quantifier are text
      continue;
    }
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_TRUE(regex.error().message.starts_with("--fail-on: ")) << regex.error().message;
    EXPECT_EQ(regex.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace gstage
