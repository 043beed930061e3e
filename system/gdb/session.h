// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "system/gdb/packets.h"
#include "system/gdb/target.h"

namespace gstage::gdb {

/// The answer to a packet; nothing: it comes later, or never. An empty one says that the packet is not known.
using Reply = std::optional<std::string>;
inline const std::string kOk = "OK";
/// Of a packet that makes no sense, and of one that cannot be done.
inline const std::string kBadPacket = "E16";
inline const std::string kFailed = "E01";

/// What the server remembers of a debugger.
struct SessionState {
  bool is_attached = false;
  bool is_non_stop = false;
  bool owes_stop = false;            ///< all harts stop together, and a reply is due when they do
  bool knows_breakpoints = false;    ///< the debugger understands swbreak and hwbreak
  unsigned hart = 0;                 ///< whose registers and memory (Hg)
  std::optional<unsigned> moving{};  ///< what c and s are about (Hc), nothing: all
  std::vector<Stop> stops{};         ///< why each hart stopped last
  std::deque<Stop> unreported{};     ///< non-stop: the first one was sent as a notification
  std::deque<Stop> later{};          ///< non-stop: to be notified of once the answer to `?` was taken in full
  std::string object{};              ///< what qXfer hands out in pieces
};

/// The same with what it is about, for the handlers of packets.
struct Session : SessionState {
  Session(Target& debugged, PacketStream& packets) : target(debugged), stream(packets) {}
  Target& target;
  PacketStream& stream;
};

/// Why a hart stopped, as T packet.
std::string stop_reply(Session& session, const Stop& stop);
/// The harts that a thread id means, "-1": all, "0": any; nothing: there is no such thread.
std::optional<std::vector<unsigned>> harts_of(const Session& session, std::string_view thread);
/// A thread id of a hart.
std::string thread_of(unsigned hart);

/// A packet: what it starts with, and what is done with the rest of it.
struct PacketRow {
  std::string_view start;
  Reply (*run)(Session& session, Reader& rest);
};
/// All rows: the first whose start fits is meant.
std::span<const PacketRow> query_packets();
std::span<const PacketRow> run_packets();
std::span<const PacketRow> data_packets();

}  // namespace gstage::gdb
