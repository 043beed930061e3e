// SPDX-License-Identifier: Apache-2.0
// Packets that ask, and those that set how the two talk ("General Query Packets" of gdb's manual).
#include <algorithm>

#include "softmmu/base/format.h"
#include "system/gdb/session.h"

namespace gstage::gdb {

namespace {

Reply empty(Session&, Reader&) { return ""; }
Reply ok(Session&, Reader&) { return kOk; }

Reply supported(Session& s, Reader& rest) {
  s.knows_breakpoints = rest.rest().find("swbreak+") != std::string_view::npos &&
                        rest.rest().find("hwbreak+") != std::string_view::npos;
  return format(
      "PacketSize=%zx;QStartNoAckMode+;QNonStop+;vContSupported+;swbreak+;hwbreak+;"
      "qXfer:features:read+;qXfer:threads:read+;qXfer:memory-map:read+",
      kMostPacket);
}

/// Text that may stand in XML.
std::string xml_text(const std::string& text) {
  std::string xml;
  for (const char c : text)
    xml += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return xml;
}

std::string thread_list(Session& s) {
  std::string xml = "<?xml version=\"1.0\"?>\n<threads>\n";
  for (unsigned hart = 0; hart < s.target.harts(); ++hart)
    xml += format("<thread id=\"%s\" core=\"%u\" name=\"hart%u\">%s</thread>\n", thread_of(hart).c_str(),
                  hart, hart, xml_text(s.target.hart_text(hart)).c_str());
  return xml + "</threads>\n";
}

/// The whole of an object; empty: there is none.
std::string object_of(Session& s, std::string_view name) {
  if (name == "features:read:target.xml") return s.target.description();
  if (name == "threads:read:") return thread_list(s);
  if (name == "memory-map:read:") return s.target.memory_map();
  return "";
}

/// "qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH".
Reply transfer(Session& s, Reader& rest) {
  std::string name;
  for (int part = 0; part < 3; ++part)
    name += std::string(part == 0 ? "" : ":") + std::string(rest.until(':'));
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  if (!rest.number(offset) || !rest.take(",") || !rest.number(length)) return "E00";
  if (offset == 0) s.object = object_of(s, name);
  if (s.object.empty() || offset > s.object.size()) return name.starts_with("features") ? "E00" : "";
  // Half a packet, lest escapes make it too long.
  const std::string part = s.object.substr(offset, std::min<std::uint64_t>(length, kMostPacket / 2 - 16));
  const bool is_last = offset + part.size() == s.object.size();
  return (is_last ? "l" : "m") + escape(part);
}

Reply first_threads(Session& s, Reader&) {
  std::string list;
  for (unsigned hart = 0; hart < s.target.harts(); ++hart) list += (hart == 0 ? "m" : ",") + thread_of(hart);
  return list;
}
Reply more_threads(Session&, Reader&) { return "l"; }

Reply extra_info(Session& s, Reader& rest) {
  const auto harts = harts_of(s, rest.rest());
  return harts && harts->size() == 1 ? to_hex(s.target.hart_text(harts->front())) : kFailed;
}

/// The answer goes out as console text.
Reply monitor(Session& s, Reader& rest) {
  constexpr std::size_t kPiece = 4096;
  const std::string answer = s.target.command(s.hart, from_hex(rest.rest()));
  for (std::size_t at = 0; at < answer.size(); at += kPiece)
    s.stream.send("O" + to_hex(std::string_view(answer).substr(at, kPiece)));
  return kOk;
}

Reply stop_acknowledging(Session& s, Reader&) {
  // The answer itself is acknowledged still; "+" that comes later is not looked at.
  s.stream.send(kOk);
  s.stream.stop_acknowledging();
  return std::nullopt;
}

Reply set_non_stop(Session& s, Reader& rest) {
  if (rest.rest() != "0" && rest.rest() != "1") return kBadPacket;
  s.is_non_stop = rest.rest() == "1";
  s.unreported.clear();
  s.target.set_non_stop(s.is_non_stop);
  return kOk;
}

Reply current(Session& s, Reader& rest) { return rest.empty() ? "QC" + thread_of(s.hart) : ""; }
/// The machine was there before gdb: gdb lets it go when it ends.
Reply attached(Session&, Reader&) { return "1"; }

constexpr PacketRow kRows[] = {
    {"qSupported", supported},
    {"qXfer:", transfer},
    {"qfThreadInfo", first_threads},
    {"qsThreadInfo", more_threads},
    {"qThreadExtraInfo,", extra_info},
    {"qRcmd,", monitor},
    {"qAttached", attached},
    {"qSymbol", ok},
    {"QStartNoAckMode", stop_acknowledging},
    {"QNonStop:", set_non_stop},
    {"qC", current},
    {"vMustReplyEmpty", empty},
    {"!", ok},
};

}  // namespace

std::span<const PacketRow> query_packets() { return kRows; }

}  // namespace gstage::gdb
