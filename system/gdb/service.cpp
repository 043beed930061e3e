// SPDX-License-Identifier: Apache-2.0
#include "system/gdb/service.h"

#include <utility>

#include "io/event_loop.h"

namespace gstage::gdb {

Service::Service(Machine& machine, RunState& run_state, MachineTarget::Hmp hmp)
    : target_(machine, run_state, std::move(hmp)), server_(target_, [this](std::string_view bytes) {
        if (endpoint_) endpoint_->send(bytes);
      }) {}

Service::~Service() {
  server_.lose();
  endpoint_.reset();
}

void Service::serve(std::unique_ptr<Endpoint> endpoint) {
  server_.lose();
  // It may be the old one that has brought the command, so that it is on the way back still.
  if (endpoint_) EventLoop::post([old = std::shared_ptr<Endpoint>(std::move(endpoint_))] {});
  endpoint_ = std::move(endpoint);
  if (!endpoint_) return;
  const auto if_current = [this, place = endpoint_.get()](auto&& tell) {
    if (endpoint_.get() == place) tell();
  };
  endpoint_->start(
      {[=, this] { if_current([&] { server_.attach(); }); },
       [=, this](std::span<const std::uint8_t> bytes) { if_current([&] { server_.feed(bytes); }); },
       [=, this] { if_current([&] { server_.lose(); }); }});
}

Status Service::serve(const std::string& text) {
  auto device = parse_device("gdbserver", text);
  if (!device) return device.error();
  if (device->kind == Device::Kind::kNone) return serve(std::unique_ptr<Endpoint>()), Status(Ok{});
  if (device->kind == Device::Kind::kChardev)
    return error("gdbserver: '%s' is for the command line alone: -gdb %s", text.c_str(), text.c_str());
  auto endpoint = listen_for_debuggers(*device);
  if (!endpoint)
    return error(
        "gdbserver: %s; once the machine runs, the sandbox gives no new sockets: start with -gdb %s, or "
        "with -sandbox off",
        endpoint.error().message.c_str(), text.c_str());
  serve(std::move(*endpoint));
  return Ok{};
}

}  // namespace gstage::gdb
