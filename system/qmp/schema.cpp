// SPDX-License-Identifier: Apache-2.0
#include "system/qmp/schema.h"

#include <algorithm>

#include "system/monitor/commands.h"

namespace gstage {

namespace {

constexpr const char* kEvents[] = {
#define EVENT(name, data) name,
#include "system/monitor/events.inc"
#undef EVENT
};

const char* type_name(ArgumentType type) {
  switch (type) {
    case ArgumentType::kInteger:
    case ArgumentType::kSize: return "int";
    case ArgumentType::kBool:
    case ArgumentType::kFlag: return "bool";
    case ArgumentType::kAny: return "any";
    default: return "str";
  }
}

Json builtin(const char* name, const char* json_type) {
  return Json{{"name", name}, {"meta-type", "builtin"}, {"json-type", json_type}};
}

Json object(const std::string& name, Json members) {
  return Json{{"name", name}, {"meta-type", "object"}, {"members", std::move(members)}};
}

Json members_of(const Command& command) {
  Json members = Json::array();
  for (const CommandArgument& argument : command.arguments) {
    Json member{{"name", argument.name}, {"type", type_name(argument.type)}};
    if (argument.is_optional) member["default"] = nullptr;
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace

std::span<const char* const> event_names() { return kEvents; }

Json qmp_schema() {
  constexpr const char* kNoMembers = "0";
  Json all = Json::array();
  find_command([&](const Command& command) {
    if (command.qmp == nullptr) return false;
    const bool takes_nothing = command.arguments.empty();
    const std::string type = takes_nothing ? kNoMembers : std::string(command.qmp) + "-arg";
    all.push_back(Json{{"name", command.qmp},
                       {"meta-type", "command"},
                       {"arg-type", type},
                       {"ret-type", "any"},
                       {"allow-oob", false}});
    if (!takes_nothing) all.push_back(object(type, members_of(command)));
    return false;
  });
  for (const char* const event : kEvents)
    all.push_back(Json{{"name", event}, {"meta-type", "event"}, {"arg-type", kNoMembers}});
  all.push_back(object(kNoMembers, Json::array()));
  all.push_back(builtin("str", "string"));
  all.push_back(builtin("int", "int"));
  all.push_back(builtin("bool", "boolean"));
  all.push_back(builtin("any", "value"));
  return all;
}

}  // namespace gstage
