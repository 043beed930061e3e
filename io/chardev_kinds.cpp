// SPDX-License-Identifier: Apache-2.0
#include "io/chardev_kinds.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <utility>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "io/chardev_open.h"
#include "io/fd_chardev.h"
#include "io/log_chardev.h"
#include "io/mux.h"
#include "io/ringbuf.h"
#include "io/terminal.h"

namespace gstage {

namespace {

using Opened = Result<std::shared_ptr<Chardev>>;

/// Takes everything, gives nothing.
class NullChardev final : public Chardev {
 public:
  explicit NullChardev(std::string name) : name_(std::move(name)) {}
  void write(std::span<const std::uint8_t>) override {}
  void attach(Receive, CanReceive) override {}
  void resume_input() override {}
  [[nodiscard]] std::string describe() const override { return name_; }

 private:
  const std::string name_;
};

/// Who uses standard input and output; there is one of it.
std::string& stdio_user() {
  static std::string user;
  return user;
}

Opened open_stdio(const ChardevRequest& r) {
  if (!stdio_user().empty())
    return error(
        "standard input and output are in use by %s already: choose another back end for one of them, or "
        "mon:stdio for both",
        stdio_user().c_str());
  stdio_user() = r.label;
  // With Ctrl-a c and x at hand, Ctrl-c is the guest's.
  make_terminal_raw(r.flag("signal", !r.flag("mux", false)) ? TerminalKeys::kSignals : TerminalKeys::kGuest);
  return make_stdio_chardev();
}

Opened open_null(const ChardevRequest& r) {
  return std::shared_ptr<Chardev>(std::make_shared<NullChardev>(r.options.driver));
}

Opened open_pty(const ChardevRequest& r) { return make_pty_chardev(r.label, r.text("path")); }

Opened open_file(const ChardevRequest& r) {
  return make_file_chardev(r.text("path"), r.flag("append", false), r.text("input-path"));
}

Opened open_pipe(const ChardevRequest& r) { return make_pipe_chardev(r.text("path")); }
Opened open_serial(const ChardevRequest& r) { return make_serial_chardev(r.text("path")); }

Opened open_ringbuf(const ChardevRequest& r) {
  constexpr std::uint64_t kMost = 1u << 30;
  auto size = parse_size("ringbuf", r.has("size") ? r.text("size") : "64K", 1);
  if (!size) return size.error();
  if (!std::has_single_bit(*size) || *size > kMost)
    return error("the size of a ring buffer is a power of two up to 1G, not %s", r.text("size").c_str());
  return std::shared_ptr<Chardev>(std::make_shared<Ringbuf>(*size));
}

/// Values of these forms are checked by the row alone.
constexpr const char* kSwitch = "on|off";
constexpr const char* kNumber = "N";

/// What all kinds take.
constexpr PropertyRow kCommonProperties[] = {
    {"id", "ID", "for -serial, -mon and devices to name"},
    {"mux", kSwitch, "several may use it; Ctrl-a c goes from one to the next"},
    {"logfile", "FILE", "what is written goes there as well"},
    {"logappend", kSwitch, "the log file is continued, not made anew"},
    missing_property("logtimestamp"),
};
constexpr PropertyRow kStdioProperties[] = {{"signal", kSwitch, "off: Ctrl-c is the guest's"}};
constexpr PropertyRow kFileProperties[] = {
    {"path", "FILE", "what is written"},
    {"append", kSwitch, "the file is continued, not made anew"},
    {"input-path", "FILE", "what the guest reads"},
};
constexpr PropertyRow kPtyProperties[] = {{"path", "FILE", "a symbolic link to it"}};
constexpr PropertyRow kPipeProperties[] = {
    {"path", "FILE", "the fifos FILE.in and FILE.out, or FILE for both"}};
constexpr PropertyRow kSerialProperties[] = {{"path", "FILE", "the device"}};
constexpr PropertyRow kRingbufProperties[] = {{"size", "N[K|M]", "a power of two (default 64K)"}};
constexpr PropertyRow kVcProperties[] = {ignored_property("width"), ignored_property("height"),
                                         ignored_property("cols"), ignored_property("rows")};
constexpr PropertyRow kSocketProperties[] = {
    {"host", "NAME", "the host, or the address to listen on (default: loopback)"},
    {"port", "PORT", "its port; a server gets a free one for 0"},
    {"to", kNumber, "a server tries the ports up to this one"},
    {"ipv4", kSwitch, "on: IPv4 alone"},
    {"ipv6", kSwitch, "on: IPv6 alone"},
    {"path", "FILE", "a Unix socket instead"},
    {"fd", kNumber, "a descriptor that is open already instead"},
    {"server", kSwitch, "clients come (default off)"},
    {"wait", kSwitch, "a server waits for its first client before the machine starts (default on)"},
    {"telnet", kSwitch, "the telnet protocol"},
    {"delay", kSwitch, "off: small pieces are sent at once"},
    {"reconnect", kNumber, "a client tries again after so many seconds"},
    {"reconnect-ms", kNumber, "likewise, milliseconds"},
    missing_property("abstract"),
    missing_property("tight"),
    missing_property("tls-creds"),
    missing_property("tls-authz"),
    missing_property("tn3270"),
    missing_property("websocket"),
};
constexpr PropertyRow kUdpProperties[] = {
    {"host", "NAME", "to whom (default: this host)"},
    {"port", "PORT", "to which port"},
    {"localaddr", "NAME", "from where"},
    {"localport", "PORT", "from which port"},
    {"ipv4", kSwitch, "on: IPv4 alone"},
    {"ipv6", kSwitch, "on: IPv6 alone"},
};

/// A kind of back end.
struct KindRow {
  const char* name;
  const char* alias;  ///< or null
  const char* help;
  PropertyRows properties;
  const char* must_have;  ///< a property, or null
  Opened (*open)(const ChardevRequest& request);
};
constexpr KindRow kKinds[] = {
    {"stdio", nullptr, "the terminal", kStdioProperties, nullptr, open_stdio},
    {"socket", nullptr, "a TCP or Unix socket, server or client", kSocketProperties, nullptr,
     open_socket_chardev},
    {"udp", nullptr, "datagrams", kUdpProperties, "port", open_udp_chardev},
    {"pty", nullptr, "a pseudo-terminal, whose name is printed", kPtyProperties, nullptr, open_pty},
    {"pipe", nullptr, "a pair of fifos", kPipeProperties, "path", open_pipe},
    {"file", nullptr, "output into a file", kFileProperties, "path", open_file},
    {"serial", "tty", "a serial line of the host", kSerialProperties, "path", open_serial},
    {"ringbuf", "memory", "keeps the last output for the monitor", kRingbufProperties, nullptr, open_ringbuf},
    {"vc", nullptr, "a console in a window, which is not there: as null", kVcProperties, nullptr, open_null},
    {"null", nullptr, "takes everything, gives nothing", {}, nullptr, open_null},
};
constexpr std::array kMissing{"braille",      "console",   "dbus",     "fdset",    "gdb",
                              "hub",          "msmouse",   "mux",      "parallel", "parport",
                              "qemu-vdagent", "spiceport", "spicevmc", "testdev",  "wctablet"};

const KindRow* find_kind(const std::string& name) {
  const auto* const row = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindRow& kind) {
    return name == kind.name || (kind.alias != nullptr && name == kind.alias);
  });
  return row == std::end(kKinds) ? nullptr : row;
}

std::string kind_names() {
  std::string names;
  for (const KindRow& row : kKinds) names += std::string(names.empty() ? "" : ", ") + row.name;
  return names;
}

std::vector<PropertyRow> rows_of(const KindRow& kind) {
  std::vector<PropertyRow> rows(std::begin(kCommonProperties), std::end(kCommonProperties));
  rows.insert(rows.end(), kind.properties.begin(), kind.properties.end());
  return rows;
}

/// "nowait" is wait=off, and so on with all switches.
void normalize(PropertyRows rows, Property& property) {
  if (property.value != "on" || !property.name.starts_with("no")) return;
  const PropertyRow* const row = find_property(rows, property.name.substr(2));
  if (row != nullptr && std::string_view(row->value) == kSwitch) property = {row->name, "off"};
}

Status check_value(const std::string& what, PropertyRows rows, const Property& property) {
  constexpr std::uint64_t kMostNumber = 0x7fffffff;
  if (Status status = check_property(what, rows, property); !status.ok()) return status;
  const PropertyRow* const row = find_property(rows, property.name);
  if (std::string_view(row->value) == kSwitch) {
    if (auto is_on = parse_switch(what, property); !is_on) return is_on.error();
  } else if (std::string_view(row->value) == kNumber) {
    auto number = parse_number(what + " " + property.name, property.value, 0, kMostNumber);
    if (!number) return number.error();
  }
  return Ok{};
}

}  // namespace

std::string ChardevRequest::text(const char* name) const {
  const std::string* const value = options.find(name);
  return value == nullptr ? "" : *value;
}

bool ChardevRequest::flag(const char* name, bool otherwise) const {
  const std::string* const value = options.find(name);
  if (value == nullptr) return otherwise;
  auto is_on = parse_switch(name, {name, *value});
  CHECK(is_on.ok());
  return *is_on;
}

unsigned ChardevRequest::number(const char* name) const {
  const std::string* const value = options.find(name);
  if (value == nullptr) return 0;
  auto number = parse_number(name, *value, 0, 0xffffffff);
  CHECK(number.ok());
  return static_cast<unsigned>(*number);
}

Status check_chardev(const std::string& what, DeviceOptions& options) {
  const KindRow* const kind = find_kind(options.driver);
  if (kind == nullptr) {
    const bool is_missing = std::any_of(kMissing.begin(), kMissing.end(),
                                        [&](const char* name) { return options.driver == name; });
    return error(is_missing ? "%s: the character back end '%s' is not supported yet: use %s"
                            : "%s: unknown character back end '%s': use %s",
                 what.c_str(), options.driver.c_str(), kind_names().c_str());
  }
  const std::string whole = what + (what.starts_with("-") ? " " : ": ") + kind->name;
  const std::vector<PropertyRow> rows = rows_of(*kind);
  for (Property& property : options.properties) {
    normalize(rows, property);
    if (Status status = check_value(whole, rows, property); !status.ok()) return status;
  }
  if (kind->must_have == nullptr) return Ok{};
  const std::string* const value = options.find(kind->must_have);
  if (value != nullptr && !value->empty()) return Ok{};
  return error("%s has no %s: add %s=", whole.c_str(), kind->must_have, kind->must_have);
}

Result<std::shared_ptr<Chardev>> open_chardev(const DeviceOptions& options, const std::string& label,
                                              const ChardevHost& host, ChardevNeeds& needs) {
  const KindRow* const kind = find_kind(options.driver);
  CHECK(kind != nullptr);
  const ChardevRequest request{options, label, host, needs};
  auto chardev = kind->open(request);
  if (chardev.ok() && request.has("logfile"))
    chardev = make_log_chardev(*chardev, request.text("logfile"), request.flag("logappend", false));
  if (!chardev) return error("%s: %s", label.c_str(), chardev.error().message.c_str());
  if (!request.flag("mux", false)) return chardev;
  return Mux::make(*chardev, host.quit)->add_front();
}

Result<std::shared_ptr<Chardev>> make_chardev(const std::string& text, const std::string& label,
                                              const ChardevHost& host) {
  auto options = parse_chardev(label, text);
  if (!options) return options.error();
  if (const Status status = check_chardev(label, *options); !status.ok()) return status.error();
  ChardevNeeds needs;
  return open_chardev(*options, label, host, needs);
}

std::string chardev_help(const std::string& kind) {
  if (const KindRow* const row = find_kind(kind); row != nullptr)
    return properties_help(format("Properties of -chardev %s:", row->name), rows_of(*row));
  if (!kind.empty()) return "";
  std::string text = "Character back ends (-chardev KIND,id=ID[,PROP=VALUE...]):\n";
  for (const KindRow& row : kKinds) {
    const std::string names =
        std::string(row.name) + (row.alias != nullptr ? std::string(", ") + row.alias : "");
    text += format("  %-16s%s\n", names.c_str(), row.help);
  }
  return text;
}

}  // namespace gstage
