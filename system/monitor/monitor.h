// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/chardev.h"
#include "system/monitor/command.h"
#include "system/monitor/line_editor.h"

namespace gstage {

/// The human monitor: commands typed on a character device. Lives on the event loop's thread.
class Monitor {
 public:
  /// `context` is what the session begins with.
  Monitor(std::shared_ptr<Chardev> chardev, CommandContext context);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Executes one command line and writes its answer.
  void execute(const std::string& line);

 private:
  /// Writes text whose lines end in "\n".
  void say(const std::string& text);
  void greet();

  std::shared_ptr<Chardev> chardev_;
  CommandContext context_;
  LineEditor editor_;
  bool is_greeted_ = false;
};

}  // namespace gstage
