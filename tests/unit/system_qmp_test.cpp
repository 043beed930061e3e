// SPDX-License-Identifier: Apache-2.0
// QMP: the stream of JSON, the session, the commands that clients begin with.
#include <sstream>

#include <glib.h>

#include "softmmu/base/format.h"
#include "system/qmp/json_stream.h"
#include "system/qmp/qmp_session.h"
#include "system/qmp/run_events.h"
#include "system/qmp/schema.h"

#include "tests/unit/monitor_fixture.h"

namespace gstage {
namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What a stream makes of a text: values and the word "error", a line each. `piece` bytes come at once.
std::string parsed(const std::string& text, std::size_t piece = 1000) {
  std::string found;
  JsonStream stream([&](Result<Json> value) { found += value.ok() ? value->dump() + "\n" : "error\n"; });
  for (std::size_t i = 0; i < text.size(); i += piece) stream.feed(bytes_of(text.substr(i, piece)));
  return found;
}

TEST(JsonStream, ValuesComeOneAfterTheOtherHoweverTheyAreCut) {
  const std::string text = " {\"a\": [1, \"}\\\"]\"]}[2]\n{}\n3 {\"b\":null}";
  for (std::size_t piece = 1; piece < text.size(); ++piece)
    EXPECT_EQ(parsed(text, piece), "{\"a\":[1,\"}\\\"]\"]}\n[2]\n{}\n3\n{\"b\":null}\n") << piece;
}

TEST(JsonStream, WhatIsNoJsonIsToldOnceAndTheNextValueIsFound) {
  EXPECT_EQ(parsed("garbage of words\n{}"), "error\nerror\nerror\n{}\n");
  EXPECT_EQ(parsed("} } }\n{}"), "error\n{}\n");
  EXPECT_EQ(parsed("{\"a\" 1}{}"), "error\n{}\n");
  EXPECT_EQ(parsed("{\"a\": \"no end\n{}"), "error\n{}\n");
  EXPECT_EQ(parsed("{\"\xff\xfe\": 1}{}"), "error\n{}\n") << "no UTF-8";
  EXPECT_EQ(parsed("[1e999]{}"), "error\n{}\n") << "no number of ours";
}

TEST(JsonStream, DepthAndSizeAreBounded) {
  const auto nested = [](unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(parsed(nested(JsonStream::kMaxDepth)), nested(JsonStream::kMaxDepth) + "\n");
  EXPECT_EQ(parsed(nested(JsonStream::kMaxDepth + 1) + "{}"), "error\n{}\n");
  EXPECT_EQ(parsed(nested(100'000) + "{}"), "error\n{}\n");
  const std::string large = "[\"" + std::string(JsonStream::kMaxBytes, 'x') + "\"]";
  EXPECT_EQ(parsed(large + "{}"), "error\n{}\n");
}

/// A client's end.
struct Client final : Chardev {
  std::string text;
  Receive receive;
  std::function<void()> connect;
  void write(std::span<const std::uint8_t> bytes) override { text.append(bytes.begin(), bytes.end()); }
  void attach(Receive r, CanReceive) override { receive = std::move(r); }
  void resume_input() override {}
  bool on_focus(std::function<void()> callback) override {
    connect = std::move(callback);
    return true;
  }
};

class QmpTest : public MonitorTest {
 protected:
  QmpTest() {
    g_main_context_acquire(nullptr);
    client_->connect();
  }
  ~QmpTest() override { g_main_context_release(nullptr); }

  /// The lines that come in answer.
  std::vector<Json> all(const std::string& text) {
    client_->text.clear();
    client_->receive(bytes_of(text));
    std::vector<Json> lines;
    std::istringstream stream(client_->text);
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line, nullptr, false));
    return lines;
  }
  Json one(const std::string& text) {
    const auto lines = all(text);
    EXPECT_EQ(lines.size(), 1u) << client_->text;
    return lines.empty() ? Json() : lines[0];
  }
  Json execute(const std::string& name, const Json& arguments = nothing()) {
    return one(Json{{"execute", name}, {"arguments", arguments}}.dump());
  }
  /// "Class: description", or "" for success.
  static std::string failure(const Json& answer) {
    if (!answer.contains("error")) return "";
    return answer["error"]["class"].get<std::string>() + ": " + answer["error"]["desc"].get<std::string>();
  }
  void negotiate() { EXPECT_EQ(execute("qmp_capabilities").dump(), R"({"return":{}})"); }

  std::shared_ptr<Client> client_ = std::make_shared<Client>();
  QmpSession session_{client_, context_, false};
};

TEST_F(QmpTest, TheGreetingHasAVersionByWhichClientsJudge) {
  const Json greeting = Json::parse(client_->text);
  EXPECT_EQ(greeting["QMP"]["version"]["qemu"]["major"], 10);
  EXPECT_EQ(greeting["QMP"]["version"]["package"].get<std::string>().find("gstage"), 0u);
  EXPECT_EQ(greeting["QMP"]["capabilities"].dump(), "[]");
}

TEST_F(QmpTest, NothingRunsBeforeTheNegotiation) {
  EXPECT_EQ(failure(execute("query-status")).find("CommandNotFound: Expecting"), 0u);
  EXPECT_NE(failure(execute("qmp_capabilities", Json{{"enable", Json{"oob"}}})), "");
  EXPECT_NE(failure(execute("qmp_capabilities", Json{{"enable", 1}})), "");
  negotiate();
  EXPECT_EQ(failure(execute("query-status")), "");
  EXPECT_EQ(failure(execute("qmp_capabilities")).find("CommandNotFound: Capabilities"), 0u);
}

TEST_F(QmpTest, WhoeverConnectsBeginsAnew) {
  negotiate();
  client_->receive(bytes_of("{\"half\": "));
  client_->connect();
  EXPECT_EQ(failure(execute("query-status")).find("CommandNotFound: Expecting"), 0u);
}

TEST_F(QmpTest, EachErrorHasItsClass) {
  negotiate();
  EXPECT_EQ(failure(execute("no-such")), "CommandNotFound: The command no-such has not been found");
  EXPECT_EQ(failure(execute("device_del", Json{{"id", "x"}})), "DeviceNotFound: Device 'x' not found");
  EXPECT_EQ(failure(execute("query-balloon")).find("DeviceNotActive: "), 0u);
  EXPECT_EQ(failure(execute("device_del")), "GenericError: Parameter 'id' is missing");
  EXPECT_EQ(failure(execute("stop", Json{{"x", 1}})), "GenericError: Parameter 'x' is unexpected");
  EXPECT_EQ(failure(one("[]")), "GenericError: QMP input must be a JSON object");
  EXPECT_EQ(failure(one("{}")), "GenericError: QMP input lacks member 'execute'");
  EXPECT_EQ(failure(one(R"({"execute":1})")), "GenericError: QMP input member 'execute' must be a string");
  EXPECT_EQ(failure(one(R"({"execute":"stop","x":1})")), "GenericError: QMP input member 'x' is unexpected");
  EXPECT_EQ(failure(one(R"({"execute":"stop","arguments":[]})")),
            "GenericError: QMP input member 'arguments' must be an object");
  EXPECT_EQ(failure(one("{nonsense}")).find("GenericError: JSON parse error"), 0u);
}

TEST_F(QmpTest, MigrationsEventsCanBeAskedForAndNothingElseOfIt) {
  negotiate();
  const auto set = [&](const Json& rows) {
    return failure(execute("migrate-set-capabilities", Json{{"capabilities", rows}}));
  };
  EXPECT_EQ(set(Json::array({{{"capability", "events"}, {"state", true}}})), "");
  EXPECT_EQ(set(Json::array({{{"capability", "xbzrle"}, {"state", false}}})), "");
  EXPECT_EQ(set(Json::array({{{"capability", "xbzrle"}, {"state", true}}})),
            "GenericError: there is no migration yet, so it cannot have 'xbzrle'");
  for (const char* const rows :
       {"1", "[1]", "[{}]", R"([{"capability":1,"state":true}])", R"([{"capability":"events","state":1}])"})
    EXPECT_EQ(set(Json::parse(rows)).find("GenericError: Invalid parameter type for 'capabilities'"), 0u);
  EXPECT_EQ(execute("query-migrate-capabilities")["return"][0]["capability"], "events");
}

TEST_F(QmpTest, TheIdComesBackWithTheAnswer) {
  negotiate();
  EXPECT_EQ(one(R"({"execute":"query-name","id":{"a":[1]}})")["id"].dump(), R"({"a":[1]})");
  EXPECT_EQ(one(R"({"execute":"no-such","id":"x"})")["id"], "x");
  EXPECT_FALSE(execute("query-name").contains("id"));
}

TEST_F(QmpTest, EventsComeAfterTheNegotiationWithATime) {
  const RunEvents events(run_state_, subjects_);
  EXPECT_EQ(all(R"({"execute":"stop"})").size(), 1u);
  negotiate();
  const auto lines = all(R"({"execute":"stop"})");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["event"], "STOP");
  EXPECT_GT(lines[0]["timestamp"]["seconds"].get<std::int64_t>(), 1'000'000'000);
  EXPECT_EQ(execute("query-status")["return"].dump(), R"({"running":false,"status":"paused"})");
  EXPECT_EQ(all(R"({"execute":"stop"})").size(), 1u) << "it is stopped already";
  EXPECT_EQ(all(R"({"execute":"cont"})")[0]["event"], "RESUME");
}

TEST_F(QmpTest, HumanMonitorCommandsAnswerAsText) {
  negotiate();
  EXPECT_EQ(execute("human-monitor-command", Json{{"command-line", "info uuid"}})["return"], "\r\n");
  EXPECT_NE(failure(execute("human-monitor-command", Json{{"command-line", "stop"}, {"cpu-index", 3}})), "");
}

TEST_F(QmpTest, EveryQueryAnswersWithoutArgumentsOrSaysWhatIsMissing) {
  negotiate();
  find_command([&](const Command& command) {
    const std::string name = command.qmp != nullptr ? command.qmp : "";
    if (!name.starts_with("query-")) return false;
    const Json answer = execute(name);
    EXPECT_TRUE(answer.contains("return") || failure(answer).starts_with("DeviceNotActive")) << name;
    return false;
  });
}

TEST_F(QmpTest, TheSchemaNamesEachTypeThatItUses) {
  negotiate();
  const Json schema = execute("query-qmp-schema")["return"];
  std::set<std::string> names;
  for (const Json& entry : schema) EXPECT_TRUE(names.insert(entry["name"]).second) << entry;
  for (const Json& entry : schema) {
    for (const char* const reference : {"arg-type", "ret-type"})
      EXPECT_TRUE(!entry.contains(reference) || names.count(entry[reference]) == 1) << entry;
    for (const Json& member : entry.value("members", Json::array()))
      EXPECT_EQ(names.count(member["type"]), 1u) << entry;
  }
  EXPECT_EQ(names.count("device_add"), 1u);
  EXPECT_EQ(names.count("DEVICE_DELETED"), 1u);
}

TEST_F(QmpTest, ClientsFindBoardsModelsTypesAndProperties) {
  negotiate();
  const Json boards = execute("query-machines")["return"];
  for (const Json& board : boards) {
    EXPECT_EQ(board["acpi"], board["name"] == "virt") << board;
    EXPECT_EQ(board["numa-mem-supported"].get<bool>(), board["name"] != "none") << board;
  }
  const std::string machines = boards.dump();
  EXPECT_NE(machines.find("\"virt\""), std::string::npos);
  EXPECT_NE(machines.find("\"none\""), std::string::npos);
  EXPECT_NE(execute("query-cpu-definitions")["return"].dump().find("\"rv64\""), std::string::npos);
  EXPECT_NE(execute("qom-list-types")["return"].dump().find("virtio-net-pci"), std::string::npos);
  const Json properties = execute("device-list-properties", Json{{"typename", "virtio-net-pci"}});
  EXPECT_NE(properties["return"].dump().find("\"mac\""), std::string::npos);
  for (const char* const kind : {"memory-backend-ram", "memory-backend-file", "memory-backend-memfd"}) {
    EXPECT_NE(execute("qom-list-types")["return"].dump().find(kind), std::string::npos) << kind;
    const std::string all = execute("qom-list-properties", Json{{"typename", kind}})["return"].dump();
    for (const char* const name : {"size", "share", "prealloc", "policy"})
      EXPECT_NE(all.find(format("\"name\":\"%s\"", name)), std::string::npos) << kind << ": " << all;
  }
  EXPECT_NE(execute("qom-list-properties", Json{{"typename", "memory-backend-file"}})["return"].dump().find(
                "\"mem-path\""),
            std::string::npos);
  EXPECT_EQ(failure(execute("device-list-properties", Json{{"typename", "no"}})),
            "DeviceNotFound: Device 'no' not found");
}

TEST_F(QmpTest, SeveralSessionsHearTheSameEvents) {
  const auto second = std::make_shared<Client>();
  const QmpSession other(second, context_, true);
  second->connect();
  negotiate();
  second->receive(bytes_of(R"({"execute":"qmp_capabilities"})"));
  second->text.clear();
  subjects_.events.emit("RESET", Json{{"guest", true}});
  EXPECT_NE(second->text.find("\n    \"event\": \"RESET\""), std::string::npos) << second->text;
  EXPECT_NE(client_->text.find("\"RESET\""), std::string::npos);
}

}  // namespace
}  // namespace gstage
