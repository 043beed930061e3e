// SPDX-License-Identifier: Apache-2.0
#include "io/chardev.h"

#include "io/fd_chardev.h"
#include "io/mux.h"
#include "io/terminal.h"

namespace gstage {

namespace {

/// Takes everything, gives nothing.
class NullChardev final : public Chardev {
 public:
  void write(std::span<const std::uint8_t>) override {}
  void attach(Receive, CanReceive) override {}
  void resume_input() override {}
};

/// Who uses standard input and output; there is one of it.
std::string& stdio_user() {
  static std::string user;
  return user;
}

Result<std::shared_ptr<Chardev>> make_stdio(const std::string& label, TerminalKeys keys) {
  if (!stdio_user().empty())
    return error(
        "%s: standard input and output are in use by %s already: choose another back end for one of them, "
        "or mon:stdio for both",
        label.c_str(), stdio_user().c_str());
  stdio_user() = label;
  make_terminal_raw(keys);
  return make_stdio_chardev();
}

constexpr const char* kMissing[] = {"vc",      "pipe",     "serial",       "tty",       "parport", "socket",
                                    "unix",    "tcp",      "telnet",       "websocket", "udp",     "fdset",
                                    "ringbuf", "spicevmc", "stdio-signal", "braille"};

}  // namespace

Result<std::shared_ptr<Chardev>> make_chardev(const std::string& spec, const std::string& label,
                                              const std::function<void()>& on_quit) {
  if (spec.starts_with("mon:")) {
    const std::string rest = spec.substr(4);
    auto base =
        rest == "stdio" ? make_stdio(label, TerminalKeys::kGuest) : make_chardev(rest, label, on_quit);
    if (!base) return base;
    return Mux::make(*base, on_quit)->add_front();
  }
  if (spec == "stdio") return make_stdio(label, TerminalKeys::kSignals);
  if (spec == "stdio,signal=off") return make_stdio(label, TerminalKeys::kGuest);
  if (spec == "null" || spec == "none") return std::shared_ptr<Chardev>(std::make_shared<NullChardev>());
  if (spec == "pty") return make_pty_chardev(label);
  if (spec.starts_with("file:")) {
    auto file = make_file_chardev(spec.substr(5));
    if (!file) return error("%s: %s", label.c_str(), file.error().message.c_str());
    return file;
  }
  const std::string kind = spec.substr(0, spec.find_first_of(":,"));
  for (const char* missing : kMissing)
    if (kind == missing)
      return error(
          "%s: the character back end '%s' is not supported yet: use stdio, mon:stdio, file:PATH, pty or "
          "null",
          label.c_str(), missing);
  return error("%s: unknown character back end '%s': use stdio, mon:stdio, file:PATH, pty or null",
               label.c_str(), spec.c_str());
}

}  // namespace gstage
