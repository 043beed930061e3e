// SPDX-License-Identifier: Apache-2.0
// No name that users of other emulators know is answered by "unknown": known_names.txt has them.
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/base/log.h"
#include "tcg/runtime/code_log.h"
#include "target/riscv/extensions.h"
#include "system/options.h"

#include "tests/unit/source_dir.h"

namespace gstage {
namespace {

/// What a command line is answered: its output, or its refusal.
std::string answer(const std::vector<std::string>& words) {
  auto options = parse_options(words);
  return options.ok() ? options->output : options.error().message;
}

/// What is wrong with its argument, "-help" where it has one, is no matter here.
std::string option_answer(const std::string& option) {
  const std::string said = answer({"-" + option, "-help", "-help"});
  return said.find("unknown option") == std::string::npos ? "" : said;
}

std::string cpu_answer(const std::string& property) {
  auto config = riscv::parse_cpu({"rv64", {{property, "1"}}});
  return config.ok() ? "" : config.error().message;
}

std::string log_answer(const std::string& item) {
  const Status status = log_set_categories(item);
  log_mask.store(0);
  return status.ok() ? "" : status.error().message;
}

/// DEVICE.PROPERTY or the like: "" if the help of `command` lists it.
std::string listed(std::vector<std::string> command, const std::string& name) {
  const std::string text = answer(command);
  for (const std::string& form : {" " + name + "=", " " + name + ",", " " + name + "\n"})
    if (text.find(form) != std::string::npos) return "";
  return "not listed";
}

/// How each kind of name is asked for.
const std::map<std::string, std::string (*)(const std::string&)> kAsk = {
    {"option", option_answer},
    {"model",
     [](const std::string& n) {
       return answer({"-cpu", n + ",help"});
     }},
    {"cpu", cpu_answer},
    {"machine",
     [](const std::string& n) {
       return listed({"-M", "virt,help"}, n);
     }},
    {"accel",
     [](const std::string& n) {
       return answer({"-accel", n});
     }},
    {"accel-property",
     [](const std::string& n) {
       return listed({"-accel", "tcg,help"}, n);
     }},
    {"device",
     [](const std::string& n) {
       return answer({"-device", n + ",help"});
     }},
    {"object",
     [](const std::string& n) {
       return answer({"-object", n + ",id=x"});
     }},
    {"chardev",
     [](const std::string& n) {
       return answer({"-chardev", n + ",id=x"});
     }},
    {"smp",
     [](const std::string& n) {
       return answer({"-smp", n + "=1"});
     }},
    {"log", log_answer},
    {"drive",
     [](const std::string& n) {
       return answer({"-drive", "file=x," + n + "=y"});
     }},
    {"property",
     [](const std::string& n) {
       const std::size_t dot = n.find('.');
       return listed({"-device", n.substr(0, dot) + ",help"}, n.substr(dot + 1));
     }},
};

TEST(KnownNames, NoneIsAnsweredByUnknown) {
  std::ifstream file(GSTAGE_SOURCE_DIR "/tests/unit/known_names.txt");
  std::string kind;
  std::string name;
  std::map<std::string, unsigned> count;
  while (file >> kind) {
    if (kind == "#") {
      std::getline(file, name);
      continue;
    }
    file >> name;
    ASSERT_TRUE(kAsk.contains(kind)) << kind;
    ++count[kind];
    const std::string said = kAsk.at(kind)(name);
    for (const char* const bad :
         {"unknown option", "unknown accelerator '", "unknown item", "unknown back end", "there is no model",
          "there is no property", "no such device", "has no property", "not listed"})
      EXPECT_EQ(said.find(bad), std::string::npos) << kind << " " << name << ": " << said;
  }
  tcg::code_log_wants() = {};  // -jitdump was one of them: no test after this one is to write such a file
  EXPECT_EQ(count.size(), kAsk.size()) << "a kind without names";
  EXPECT_GT(count["option"], 100u);
}

}  // namespace
}  // namespace gstage
