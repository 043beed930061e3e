// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/monitor.h"

#include "system/monitor/hmp.h"

namespace gstage {

Monitor::Monitor(std::shared_ptr<Chardev> chardev, CommandContext context)
    : chardev_(std::move(chardev)),
      context_(std::move(context)),
      editor_([this](const std::string& text) { say(text); },
              [this](const std::string& line) { execute(line); }) {
  chardev_->attach(
      [this](std::span<const std::uint8_t> bytes) {
        for (const std::uint8_t byte : bytes) editor_.feed(byte);
      },
      [] { return std::size_t{256}; });
  if (!chardev_->on_focus([this] { greet(); })) greet();
}

Monitor::~Monitor() {
  chardev_->on_focus(nullptr);
  chardev_->attach(nullptr, nullptr);
}

void Monitor::greet() {
  say(is_greeted_ ? "\n" : "\ngstage monitor: type 'help' for the commands\n");
  is_greeted_ = true;
  editor_.show_prompt();
}

void Monitor::say(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  chardev_->write({reinterpret_cast<const std::uint8_t*>(out.data()), out.size()});
}

void Monitor::execute(const std::string& line) { say(execute_hmp(context_, line)); }

}  // namespace gstage
