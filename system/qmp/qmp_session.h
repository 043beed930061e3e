// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/chardev.h"
#include "system/monitor/command.h"
#include "system/qmp/json_stream.h"

namespace gstage {

/// One end of QMP: commands and answers as JSON on a character device, for programs. The protocol is that of
/// QEMU's "QEMU Machine Protocol Specification". Lives on the event loop's thread.
class QmpSession {
 public:
  /// `context` is what the session begins with; with `is_pretty` answers are indented.
  QmpSession(std::shared_ptr<Chardev> chardev, CommandContext context, bool is_pretty);
  ~QmpSession();
  QmpSession(const QmpSession&) = delete;
  QmpSession& operator=(const QmpSession&) = delete;

 private:
  void connected();
  void accept(Result<Json> request);
  Json answer(const Json& request);
  CommandResult execute(const std::string& name, const Json& arguments);
  CommandResult negotiate(const Json& arguments);
  void hear(const std::string& name, const Json& data);
  void send(const Json& message);

  const std::shared_ptr<Chardev> chardev_;
  CommandContext context_;
  const bool is_pretty_;
  bool is_negotiated_ = false;
  JsonStream stream_;
  EventHub::Subscription events_;
};

}  // namespace gstage
