// SPDX-License-Identifier: Apache-2.0
// Packets about registers, memory and breakpoints.
#include <algorithm>

#include "softmmu/base/format.h"
#include "system/gdb/session.h"

namespace gstage::gdb {

namespace {

/// The registers of g and G: x0–x31 and pc. All others gdb asks for one by one.
constexpr unsigned kInG = 33;
/// As much as an answer has room for.
constexpr std::uint64_t kMostBytes = kMostPacket / 2 - 16;

/// A hart that runs has no registers that anybody could see.
bool is_still(const Session& s) { return !s.target.is_running(s.hart); }

Reply read_registers(Session& s, Reader&) {
  if (!is_still(s)) return kFailed;
  std::string bytes;
  for (unsigned number = 0; number < kInG; ++number) {
    const auto part = s.target.read_register(s.hart, number);
    if (!part) return kFailed;
    bytes += *part;
  }
  return to_hex(bytes);
}

Reply write_registers(Session& s, Reader& rest) {
  const std::string bytes = from_hex(rest.rest());
  if (!is_still(s)) return kFailed;
  std::size_t at = 0;
  for (unsigned number = 0; number < kInG && at < bytes.size(); ++number) {
    const auto part = s.target.read_register(s.hart, number);
    if (!part || bytes.size() - at < part->size()) return kFailed;
    // x0 takes nothing.
    if (number != 0) s.target.write_register(s.hart, number, bytes.substr(at, part->size()));
    at += part->size();
  }
  return kOk;
}

Reply read_register(Session& s, Reader& rest) {
  std::uint64_t number = 0;
  if (!rest.number(number) || !rest.empty()) return kBadPacket;
  if (!is_still(s) || number > 0xffff) return kFailed;
  const auto bytes = s.target.read_register(s.hart, static_cast<unsigned>(number));
  return bytes ? to_hex(*bytes) : kFailed;
}

Reply write_register(Session& s, Reader& rest) {
  std::uint64_t number = 0;
  if (!rest.number(number) || !rest.take("=")) return kBadPacket;
  if (!is_still(s) || number > 0xffff) return kFailed;
  const bool is_done = s.target.write_register(s.hart, static_cast<unsigned>(number), from_hex(rest.rest()));
  return is_done ? kOk : kFailed;
}

/// "ADDRESS,SIZE".
bool take_range(Reader& rest, std::uint64_t& address, std::uint64_t& size) {
  return rest.number(address) && rest.take(",") && rest.number(size);
}

Reply read_memory(Session& s, Reader& rest) {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  if (!take_range(rest, address, size) || !rest.empty()) return kBadPacket;
  if (size == 0) return "";
  const std::string bytes = s.target.read_memory(s.hart, address, std::min(size, kMostBytes));
  return bytes.empty() ? kFailed : to_hex(bytes);
}

Reply write(Session& s, std::uint64_t address, std::uint64_t size, const std::string& bytes) {
  if (bytes.size() != size) return kBadPacket;
  // gdb tries whether X is known by a packet without bytes.
  if (size == 0) return kOk;
  return s.target.write_memory(s.hart, address, bytes) ? kOk : kFailed;
}

Reply write_memory(Session& s, Reader& rest) {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  if (!take_range(rest, address, size) || !rest.take(":")) return kBadPacket;
  return write(s, address, size, from_hex(rest.rest()));
}

Reply write_binary(Session& s, Reader& rest) {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  if (!take_range(rest, address, size) || !rest.take(":")) return kBadPacket;
  return write(s, address, size, unescape(rest.rest()));
}

/// "TYPE,ADDRESS,KIND" of Z and z; conditions and commands were not offered.
std::optional<Point> take_point(Reader& rest) {
  std::uint64_t kind = 0;
  Point point;
  if (!rest.number(kind) || kind >= kPointKinds || !rest.take(",") ||
      !take_range(rest, point.address, point.size))
    return std::nullopt;
  point.kind = static_cast<PointKind>(kind);
  return point;
}

Reply insert(Session& s, Reader& rest) {
  const std::optional<Point> point = take_point(rest);
  if (!point) return kBadPacket;
  return s.target.insert(*point).ok() ? kOk : kFailed;
}

Reply remove(Session& s, Reader& rest) {
  const std::optional<Point> point = take_point(rest);
  if (!point) return kBadPacket;
  s.target.remove(*point);
  return kOk;
}

/// Hg and Hc.
Reply choose_hart(Session& s, Reader& rest) {
  const bool is_general = rest.take("g");
  if (!is_general && !rest.take("c")) return kBadPacket;
  const auto harts = harts_of(s, rest.rest());
  if (!harts) return kFailed;
  const bool is_one = harts->size() == 1 && rest.rest() != "-1";
  if (is_general)
    s.hart = is_one ? harts->front() : s.hart;
  else
    s.moving = is_one ? std::optional(harts->front()) : std::nullopt;
  return kOk;
}

Reply is_alive(Session& s, Reader& rest) { return harts_of(s, rest.rest()) ? kOk : kFailed; }

constexpr PacketRow kRows[] = {
    {"g", read_registers}, {"G", write_registers}, {"p", read_register}, {"P", write_register},
    {"m", read_memory},    {"M", write_memory},    {"X", write_binary},  {"Z", insert},
    {"z", remove},         {"H", choose_hart},     {"T", is_alive},
};

}  // namespace

std::span<const PacketRow> data_packets() { return kRows; }

}  // namespace gstage::gdb
