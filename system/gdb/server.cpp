// SPDX-License-Identifier: Apache-2.0
#include "system/gdb/server.h"

#include <utility>
#include <vector>

#include "softmmu/base/format.h"

namespace gstage::gdb {

namespace {

/// A debugger that keeps talking while it is to wait for the harts is not listened to.
constexpr std::size_t kMostWaiting = 64;

const PacketRow* find_row(std::string_view body) {
  for (const auto& rows : {query_packets(), run_packets(), data_packets()})
    for (const PacketRow& row : rows)
      if (body.starts_with(row.start)) return &row;
  return nullptr;
}

}  // namespace

Server::Server(Target& target, std::function<void(std::string_view)> send)
    : stream_({std::move(send), [this](const std::string& body) { take_packet(body); },
               [this] { interrupt(); }, [this] { stream_.send(kBadPacket); }}),
      session_(target, stream_) {}

Server::~Server() {
  if (session_.is_attached) session_.target.listen(nullptr);
}

void Server::attach() {
  Target& target = session_.target;
  stream_.reset();
  waiting_.clear();
  static_cast<SessionState&>(session_) = SessionState{};
  session_.is_attached = true;
  session_.stops.resize(target.harts());
  for (unsigned hart = 0; hart < target.harts(); ++hart) session_.stops[hart].hart = hart;
  target.set_non_stop(false);
  target.listen(this);
  target.stop(0, kSigtrap);
}

void Server::lose() {
  if (!session_.is_attached) return;
  session_.is_attached = false;
  waiting_.clear();
  Target& target = session_.target;
  target.remove_all_points();
  target.listen(nullptr);
  if (!std::exchange(session_.is_non_stop, false)) return;
  bool is_any_stopped = false;
  for (unsigned hart = 0; hart < target.harts(); ++hart) is_any_stopped |= !target.is_running(hart);
  target.set_non_stop(false);
  if (!is_any_stopped) target.resume(std::vector<Move>(target.harts(), Move::kContinue));
}

void Server::feed(std::span<const std::uint8_t> bytes) {
  // A debugger that went away in the middle leaves the rest to nobody.
  for (const std::uint8_t byte : bytes)
    if (session_.is_attached) stream_.feed({&byte, 1});
}

/// Where all harts stop together, packets wait until they have.
bool Server::must_wait() const {
  if (session_.is_non_stop) return false;
  for (unsigned hart = 0; hart < session_.target.harts(); ++hart)
    if (session_.target.is_running(hart)) return true;
  return false;
}

void Server::take_packet(const std::string& body) {
  if (!must_wait()) return execute(body);
  if (waiting_.size() < kMostWaiting) waiting_.push_back(body);
}

void Server::execute(const std::string& body) {
  const PacketRow* const row = find_row(body);
  Reader rest(std::string_view(body).substr(row == nullptr ? 0 : row->start.size()));
  const Reply reply = row == nullptr ? Reply("") : row->run(session_, rest);
  if (reply) stream_.send(*reply);
  if (!session_.is_attached) waiting_.clear();
  if (session_.is_attached && session_.unreported.empty() && !session_.later.empty()) {
    session_.unreported.swap(session_.later);
    stream_.notify("Stop:" + stop_reply(session_, session_.unreported.front()));
  }
}

void Server::interrupt() {
  if (session_.is_attached) session_.target.stop(session_.hart, kSigint);
}

void Server::stopped(const Stop& stop) {
  if (!session_.is_attached || stop.hart >= session_.stops.size()) return;
  session_.stops[stop.hart] = stop;
  if (session_.is_non_stop) {
    session_.unreported.push_back(stop);
    if (session_.unreported.size() == 1) stream_.notify("Stop:" + stop_reply(session_, stop));
    return;
  }
  session_.hart = stop.hart;
  if (std::exchange(session_.owes_stop, false)) stream_.send(stop_reply(session_, stop));
  while (!waiting_.empty() && session_.is_attached && !must_wait()) {
    const std::string body = waiting_.front();
    waiting_.pop_front();
    execute(body);
  }
}

void Server::exited(unsigned code) {
  if (!session_.is_attached) return;
  const std::string reply = format("W%02x", code & 0xff);
  if (session_.is_non_stop)
    stream_.notify("Stop:" + reply);
  else
    stream_.send(reply);
  lose();
}

}  // namespace gstage::gdb
