// SPDX-License-Identifier: Apache-2.0
#include "system/qmp/qmp_session.h"

#include <chrono>

#include "system/monitor/commands.h"
#include "system/qmp/qmp_version.h"

namespace gstage {

namespace {

Json failure(const CommandError& why) {
  return Json{{"error", Json{{"class", why.error_class}, {"desc", why.description}}}};
}

/// Of events: the host's time.
Json timestamp() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  constexpr long long kMicros = 1'000'000;
  return Json{{"seconds", now / kMicros}, {"microseconds", now % kMicros}};
}

/// What a request may consist of.
Status check_request(const Json& request) {
  if (!request.is_object()) return error("QMP input must be a JSON object");
  for (const auto& [name, value] : request.items()) {
    if (name == "execute") {
      if (!value.is_string()) return error("QMP input member 'execute' must be a string");
    } else if (name == "arguments") {
      if (!value.is_object()) return error("QMP input member 'arguments' must be an object");
    } else if (name != "id") {
      return error("QMP input member '%s' is unexpected", name.c_str());
    }
  }
  return request.contains("execute") ? Status(Ok{}) : error("QMP input lacks member 'execute'");
}

}  // namespace

QmpSession::QmpSession(std::shared_ptr<Chardev> chardev, CommandContext context, bool is_pretty)
    : chardev_(std::move(chardev)),
      context_(std::move(context)),
      is_pretty_(is_pretty),
      stream_([this](Result<Json> request) { accept(std::move(request)); }),
      events_(context_.subjects.events.subscribe(
          [this](const std::string& name, const Json& data) { hear(name, data); })) {
  constexpr std::size_t kRoom = 4096;
  chardev_->attach([this](std::span<const std::uint8_t> bytes) { stream_.feed(bytes); },
                   [] { return kRoom; });
  if (!chardev_->on_focus([this] { connected(); })) connected();
}

QmpSession::~QmpSession() {
  chardev_->on_focus(nullptr);
  chardev_->attach(nullptr, nullptr);
}

/// Whoever comes begins anew.
void QmpSession::connected() {
  stream_.reset();
  is_negotiated_ = false;
  send(Json{{"QMP", Json{{"version", qmp_version()}, {"capabilities", Json::array()}}}});
}

void QmpSession::hear(const std::string& name, const Json& data) {
  if (!is_negotiated_) return;
  Json event{{"timestamp", timestamp()}, {"event", name}};
  if (!data.is_null()) event["data"] = data;
  send(event);
}

void QmpSession::send(const Json& message) {
  // What is no UTF-8 (names of files, output of the guest) must not end us.
  const std::string text =
      message.dump(is_pretty_ ? 4 : -1, ' ', false, Json::error_handler_t::replace) + "\r\n";
  chardev_->write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

void QmpSession::accept(Result<Json> request) {
  if (!request.ok()) return send(failure({"GenericError", request.error().message}));
  Json reply = answer(request.value());
  if (request.value().is_object() && request.value().contains("id")) reply["id"] = request.value()["id"];
  send(reply);
}

Json QmpSession::answer(const Json& request) {
  if (const Status status = check_request(request); !status.ok())
    return failure({"GenericError", status.error().message});
  const Json arguments = request.contains("arguments") ? request["arguments"] : nothing();
  const CommandResult result = execute(request["execute"].get<std::string>(), arguments);
  return result.ok() ? Json{{"return", result.value()}} : failure(result.error());
}

CommandResult QmpSession::execute(const std::string& name, const Json& arguments) {
  if (name == "qmp_capabilities") return negotiate(arguments);
  if (!is_negotiated_)
    return CommandError{"CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'"};
  const Command* const command = find_qmp_command(name);
  if (command == nullptr)
    return CommandError{"CommandNotFound", "The command " + name + " has not been found"};
  return run_command(context_, *command, arguments);
}

/// There is nothing to choose: no command runs out of band.
CommandResult QmpSession::negotiate(const Json& arguments) {
  if (is_negotiated_)
    return CommandError{"CommandNotFound", "Capabilities negotiation is already complete, command ignored"};
  for (const auto& [name, value] : arguments.items()) {
    if (name != "enable") return error("Parameter '%s' is unexpected", name.c_str());
    if (!value.is_array()) return error("Invalid parameter type for 'enable', expected: array");
    if (!value.empty())
      return error("Capability %s not available",
                   value[0].dump(-1, ' ', true, Json::error_handler_t::replace).c_str());
  }
  is_negotiated_ = true;
  return nothing();
}

}  // namespace gstage
