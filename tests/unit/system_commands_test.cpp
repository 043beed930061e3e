// SPDX-License-Identifier: Apache-2.0
// The command table, and HMP's language over it.
#include <set>

#include <glib.h>

#include "softmmu/base/format.h"
#include "io/ringbuf.h"

#include "tests/unit/monitor_fixture.h"

namespace gstage {
namespace {

TEST(CommandTable, RowsAreWhole) {
  std::set<std::string> qmp;
  std::set<std::string> hmp;
  find_command([&](const Command& command) {
    EXPECT_TRUE(command.qmp != nullptr || command.hmp != nullptr);
    const std::string name = command.qmp != nullptr ? command.qmp : command.hmp;
    EXPECT_NE(command.run, nullptr) << name;
    EXPECT_STRNE(command.help, "") << name;
    EXPECT_TRUE(command.qmp == nullptr || qmp.insert(command.qmp).second) << name;
    for (const char* const word : {command.hmp, command.alias})
      EXPECT_TRUE(word == nullptr || hmp.insert(word).second) << name;
    bool was_optional = false;
    for (const CommandArgument& argument : command.arguments) {
      // HMP takes them in their order: what is behind one that may be missing may be missing too.
      const bool is_seen = argument.type == ArgumentType::kFlag || argument.type == ArgumentType::kFormat;
      EXPECT_TRUE(command.hmp == nullptr || is_seen || argument.is_optional || !was_optional) << name;
      was_optional = was_optional || (argument.is_optional && !is_seen);
    }
    return false;
  });
  EXPECT_TRUE(qmp.count("query-status") == 1 && hmp.count("info status") == 1);
}

/// The command echoes what it got.
CommandResult echo(CommandContext&, const Json& arguments) { return arguments; }
std::string dump(const Json& result) { return result.dump(); }

constexpr CommandArgument kEchoArguments[] = {{"flag", ArgumentType::kFlag, true},
                                              {"number", ArgumentType::kInteger},
                                              {"size", ArgumentType::kSize, true},
                                              {"is-on", ArgumentType::kBool, true},
                                              {"rest", ArgumentType::kRest, true}};
constexpr Command kEcho{.qmp = "echo", .arguments = kEchoArguments, .run = echo, .text = dump};

TEST_F(MonitorTest, ArgumentsAreCheckedBeforeACommandRuns) {
  const auto answer = [&](const char* arguments) {
    const CommandResult result = run_command(context_, kEcho, Json::parse(arguments));
    if (result.ok()) return result.value().dump();
    EXPECT_STREQ(result.error().error_class, "GenericError");
    return result.error().description;
  };
  EXPECT_EQ(answer(R"({"number":3})"), R"({"number":3})");
  EXPECT_EQ(answer(R"({"number":-3,"is-on":true})"), R"({"number":-3,"is-on":true})");
  EXPECT_EQ(answer("{}"), "Parameter 'number' is missing");
  EXPECT_EQ(answer(R"({"number":"3"})"), "Invalid parameter type for 'number', expected: integer");
  EXPECT_EQ(answer(R"({"number":3.5})"), "Invalid parameter type for 'number', expected: integer");
  EXPECT_EQ(answer(R"({"number":3,"is-on":1})"), "Invalid parameter type for 'is-on', expected: boolean");
  EXPECT_EQ(answer(R"({"number":3,"rest":[]})"), "Invalid parameter type for 'rest', expected: string");
  EXPECT_EQ(answer(R"({"number":3,"no":1})"), "Parameter 'no' is unexpected");
  EXPECT_EQ(answer("[]"), "The arguments must be an object");
}

TEST_F(MonitorTest, HmpLinesBecomeTypedArguments) {
  const auto parsed = [&](const std::string& line) {
    auto arguments = parse_hmp_arguments(context_, kEcho, line);
    return arguments.ok() ? arguments->dump() : arguments.error().message;
  };
  EXPECT_EQ(parsed("0x10"), R"({"number":16})");
  EXPECT_EQ(parsed("-f -2 1k off  two  words "),
            R"({"flag":true,"number":-2,"size":1024,"is-on":false,"rest":"two  words"})");
  EXPECT_EQ(parsed("1 2"), R"({"number":1,"size":2097152})");
  EXPECT_EQ(parsed("").find("NUMBER is missing: "), 0u);
  EXPECT_NE(parsed("many").find("number"), std::string::npos);
  EXPECT_EQ(parsed("$pc"), "number: there is no register 'pc'");
  context_.register_value = [](Machine&, unsigned hart, const std::string& name) {
    return name == "pc" ? std::optional<std::uint64_t>(0x1000 + hart) : std::nullopt;
  };
  context_.hart = 1;
  EXPECT_EQ(parsed("$pc"), R"({"number":4097})");
}

constexpr CommandArgument kMixedArguments[] = {{"format", ArgumentType::kFormat, true},
                                               {"name", ArgumentType::kString},
                                               {"driver", ArgumentType::kProperties, true}};
constexpr Command kMixed{.hmp = "mixed", .arguments = kMixedArguments, .run = echo};

TEST_F(MonitorTest, HmpFormatsQuotesAndProperties) {
  const auto parsed = [&](const std::string& line) {
    auto arguments = parse_hmp_arguments(context_, kMixed, line);
    return arguments.ok() ? arguments->dump() : arguments.error().message;
  };
  EXPECT_EQ(parsed("/8xw there"), R"({"format":"8xw","name":"there"})");
  EXPECT_EQ(parsed(R"("a \"b\" c" net,id=n0,mq)"),
            R"({"name":"a \"b\" c","driver":"net","id":"n0","mq":"on"})");
  EXPECT_EQ(parsed("\"open"), "the quotes are not closed: add \"");
  EXPECT_NE(parsed("a b,=c").find("empty item"), std::string::npos);
}

TEST_F(MonitorTest, WhatIsWrongIsOneLine) {
  for (const char* const line : {"frobnicate", "info frobnicate", "stop now", "ringbuf_read", "help frob",
                                 "ringbuf_read no 5", "balloon 5", "nmi", "info status x"}) {
    const std::string text = hmp(line);
    EXPECT_GT(text.size(), 5u) << line;
    EXPECT_EQ(text.find('\n'), text.size() - 1) << line;
  }
  EXPECT_EQ(hmp("stop now"), "'now' is too much: stop|s\n");
  EXPECT_EQ(hmp("fro\x1b"), "unknown command: 'fro\\x1b' (try 'help')\n");
  EXPECT_EQ(hmp("   "), "");
}

TEST_F(MonitorTest, HelpIsOfAllOrOfOneAndInfoAloneLists) {
  EXPECT_NE(hmp("help").find("\nstop|s "), std::string::npos);
  EXPECT_NE(hmp("help").find("info status"), std::string::npos);
  const std::string of_one = hmp("help ringbuf_read");
  EXPECT_EQ(of_one.find("ringbuf_read DEVICE SIZE"), 0u) << of_one;
  EXPECT_NE(of_one.find("1048576"), std::string::npos);
  const std::string infos = hmp("info");
  EXPECT_EQ(infos.find("info "), 0u);
  EXPECT_EQ(infos.find("stop"), std::string::npos) << infos;
  EXPECT_EQ(hmp("help info"), infos);
}

TEST_F(MonitorTest, Ringbuf) {
  subjects_.chardevs.emplace_back("ring", std::make_shared<Ringbuf>(16));
  EXPECT_EQ(hmp("ringbuf_write ring some  text"), "");
  EXPECT_EQ(hmp("ringbuf_read ring 100"), "some  text\n");
  EXPECT_NE(hmp("ringbuf_read ring 0").find("out of range"), std::string::npos);
  EXPECT_EQ(hmp("ringbuf_read no 5"), "There is no -chardev ringbuf,id=no.\n");
  EXPECT_EQ(hmp("info chardev"), "ring: filename=ringbuf\n");
}

TEST(EventHub, ListenersHearWhileTheySubscribe) {
  EventHub hub;
  std::string heard;
  auto first = hub.subscribe([&](const std::string& name, const Json& data) { heard += name + data.dump(); });
  g_main_context_acquire(nullptr);
  hub.emit("STOP", nullptr);
  EXPECT_EQ(heard, "STOPnull");
  first.reset();
  hub.emit("STOP", nullptr);
  g_main_context_release(nullptr);
  EXPECT_EQ(heard, "STOPnull");
}

TEST_F(MonitorTest, CommandsOfAHartSayWhenThereIsNone) {
  for (const char* const line : {"walk 0", "gva2gpa 0", "gpa2hpa 0", "info mem", "info vsstage",
                                 "info gstage 1", "info csrs", "info jit", "why-irq 0", "x/4xg 0", "xp 0"})
    EXPECT_NE(hmp(line).find("the machine has no harts"), std::string::npos) << line << ": " << hmp(line);
}

}  // namespace
}  // namespace gstage
