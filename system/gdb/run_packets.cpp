// SPDX-License-Identifier: Apache-2.0
// Packets that stop harts and let them go ("Packets", "Notification Packets" of gdb's manual).
#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "softmmu/base/format.h"
#include "system/gdb/session.h"

namespace gstage::gdb {

namespace {

/// Registers that a stop reply brings along: what gdb asks for anyway.
constexpr unsigned kExpedited[] = {1, 2, 8, 32};  // ra, sp, s0, pc

Reply resume(Session& s, std::span<const Move> moves) {
  s.target.resume(moves);
  if (s.is_non_stop) return kOk;
  s.owes_stop = true;
  return std::nullopt;
}

/// c and s: of the thread that Hc chose; the others go on.
Reply resume_old(Session& s, Move move) {
  std::vector<Move> moves(s.target.harts(), Move::kContinue);
  moves[s.moving.value_or(s.hart)] = move;
  return resume(s, moves);
}

Reply go_on(Session& s, Reader& rest) {
  return rest.empty() ? resume_old(s, Move::kContinue) : Reply(kBadPacket);
}
Reply step(Session& s, Reader& rest) { return rest.empty() ? resume_old(s, Move::kStep) : Reply(kBadPacket); }
/// With a signal, which nobody here takes.
Reply go_on_signal(Session& s, Reader&) { return resume_old(s, Move::kContinue); }
Reply step_signal(Session& s, Reader&) { return resume_old(s, Move::kStep); }

/// One action of vCont: "c", "s", "Css", "Sss" or "t"; nothing: it is none of these.
struct Action {
  bool is_stop = false;
  Move move = Move::kStay;
};
std::optional<Action> action_of(std::string_view text) {
  if (text == "t") return Action{true, Move::kStay};
  const bool has_signal = text.size() == 3 && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0;
  if (text == "c" || (has_signal && text[0] == 'C')) return Action{false, Move::kContinue};
  if (text == "s" || (has_signal && text[0] == 'S')) return Action{false, Move::kStep};
  return std::nullopt;
}

/// "vCont;action[:thread];…": of several actions for a thread the first counts.
Reply actions(Session& s, Reader& rest) {
  std::vector<std::optional<Action>> chosen(s.target.harts());
  while (!rest.empty()) {
    Reader part(rest.until(';'));
    const std::optional<Action> action = action_of(part.until(':'));
    const auto harts = harts_of(s, part.empty() ? "-1" : part.rest());
    if (!action || !harts) return kBadPacket;
    for (const unsigned hart : *harts)
      if (!chosen[hart]) chosen[hart] = action;
  }
  std::vector<Move> moves(s.target.harts(), Move::kStay);
  bool goes = false;
  for (unsigned hart = 0; hart < moves.size(); ++hart) {
    if (!chosen[hart]) continue;
    moves[hart] = chosen[hart]->move;
    goes |= moves[hart] != Move::kStay;
    if (chosen[hart]->is_stop) s.target.stop(hart, kNoSignal);
  }
  if (goes) return resume(s, moves);
  return s.is_non_stop ? kOk : kBadPacket;
}

Reply known_actions(Session&, Reader&) { return "vCont;c;C;s;S;t"; }

Reply interrupt_request(Session& s, Reader&) {
  s.target.stop(s.hart, kSigint);
  return kOk;
}

/// The next of the stops that were not reported yet (vStopped).
Reply next_stop(Session& s, Reader&) {
  if (!s.unreported.empty()) s.unreported.pop_front();
  return s.unreported.empty() ? kOk : stop_reply(s, s.unreported.front());
}

Reply why(Session& s, Reader&) {
  if (!s.is_non_stop) return stop_reply(s, s.stops[s.hart]);
  // One at first: gdb 13 fails an assertion of its own if the answer has several threads.
  s.unreported.clear();
  s.later.clear();
  for (unsigned hart = 0; hart < s.target.harts(); ++hart) {
    if (s.target.is_running(hart)) continue;
    (s.unreported.empty() ? s.unreported : s.later).push_back(s.stops[hart]);
  }
  return s.unreported.empty() ? kOk : stop_reply(s, s.unreported.front());
}

/// Lets all harts go, once nothing is set any more.
Reply leave(Session& s, Reader&) {
  s.target.remove_all_points();
  s.target.listen(nullptr);
  s.target.set_non_stop(false);
  s.is_non_stop = false;
  s.target.resume(std::vector<Move>(s.target.harts(), Move::kContinue));
  s.is_attached = false;
  return kOk;
}

Reply kill(Session& s, Reader&) {
  s.target.kill();
  return std::nullopt;
}
Reply kill_process(Session& s, Reader&) {
  s.target.kill();
  return kOk;
}

Reply restart(Session& s, Reader&) {
  s.target.restart();
  return std::nullopt;
}
Reply run(Session& s, Reader&) {
  s.target.restart();
  s.hart = 0;
  s.stops.assign(s.target.harts(), Stop{});
  for (unsigned hart = 0; hart < s.stops.size(); ++hart) s.stops[hart].hart = hart;
  return stop_reply(s, s.stops[0]);
}

constexpr PacketRow kRows[] = {
    {"vCont?", known_actions},
    {"vCont;", actions},
    {"vCtrlC", interrupt_request},
    {"vStopped", next_stop},
    {"vRun;", run},
    {"vKill;", kill_process},
    {"?", why},
    {"c", go_on},
    {"s", step},
    {"C", go_on_signal},
    {"S", step_signal},
    {"D", leave},
    {"k", kill},
    {"R", restart},
};

}  // namespace

std::span<const PacketRow> run_packets() { return kRows; }

std::string thread_of(unsigned hart) { return format("%x", hart + 1); }

std::optional<std::vector<unsigned>> harts_of(const Session& session, std::string_view thread) {
  // "pPROCESS.THREAD": there is one process, whatever it is called.
  if (thread.starts_with('p')) {
    const std::size_t dot = thread.find('.');
    thread = dot == std::string_view::npos ? "-1" : thread.substr(dot + 1);
  }
  if (thread == "-1") {
    std::vector<unsigned> all(session.target.harts());
    std::iota(all.begin(), all.end(), 0u);
    return all;
  }
  std::uint64_t number = 0;
  if (Reader reader(thread); !reader.number(number) || !reader.empty()) return std::nullopt;
  if (number > session.target.harts()) return std::nullopt;
  return std::vector<unsigned>{number == 0 ? session.hart : static_cast<unsigned>(number - 1)};
}

std::string stop_reply(Session& session, const Stop& stop) {
  std::string text = format("T%02x", stop.signal);
  const auto address = static_cast<unsigned long long>(stop.address);
  if (stop.point) {
    switch (*stop.point) {
      case PointKind::kSoftware: text += session.knows_breakpoints ? "swbreak:;" : ""; break;
      case PointKind::kHardware: text += session.knows_breakpoints ? "hwbreak:;" : ""; break;
      case PointKind::kWrite: text += format("watch:%llx;", address); break;
      case PointKind::kRead: text += format("rwatch:%llx;", address); break;
      case PointKind::kAccess: text += format("awatch:%llx;", address); break;
    }
  }
  for (const unsigned number : kExpedited)
    if (const auto bytes = session.target.read_register(stop.hart, number))
      text += format("%02x:", number) + to_hex(*bytes) + ";";
  return text + "thread:" + thread_of(stop.hart) + ";";
}

}  // namespace gstage::gdb
