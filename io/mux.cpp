// SPDX-License-Identifier: Apache-2.0
#include "io/mux.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "io/event_loop.h"

namespace gstage {

namespace {

/// Typed ahead of a front that takes nothing; so much must be read on to find Ctrl-a x.
constexpr std::size_t kQueueBytes = 4096;

constexpr char kHelp[] =
    "\r\n"
    "Ctrl-a h       this help\r\n"
    "Ctrl-a x       quit the emulator\r\n"
    "Ctrl-a c       switch between the serial port and the monitor\r\n"
    "Ctrl-a b       send a break (ignored)\r\n"
    "Ctrl-a Ctrl-a  send Ctrl-a\r\n";

}  // namespace

MuxEscape::Event MuxEscape::feed(std::uint8_t byte) {
  if (!is_escaped_) {
    is_escaped_ = byte == kKey;
    return is_escaped_ ? Event::kNone : Event::kByte;
  }
  is_escaped_ = false;
  switch (byte) {
    case kKey: return Event::kByte;
    case 'x': return Event::kQuit;
    case 'c': return Event::kNext;
    case 'h':
    case '?': return Event::kHelp;
    case 'b': return Event::kBreak;
    default: return Event::kNone;
  }
}

class Mux::Front final : public Chardev, public std::enable_shared_from_this<Front> {
 public:
  explicit Front(std::shared_ptr<Mux> mux) : mux_(std::move(mux)) {}

  void write(std::span<const std::uint8_t> bytes) override { mux_->base_->write(bytes); }
  void attach(Receive receive, CanReceive can_receive) override {
    receive_ = std::move(receive);
    can_receive_ = std::move(can_receive);
    resume_input();
  }
  void resume_input() override {
    EventLoop::post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->mux_->pump(*self);
    });
  }
  std::shared_ptr<Chardev> add_front() override { return mux_->add_front(); }
  [[nodiscard]] std::string describe() const override { return "mux:" + mux_->base_->describe(); }
  Ringbuf* ringbuf() override { return mux_->base_->ringbuf(); }
  bool on_focus(std::function<void()> callback) override {
    focus_ = std::move(callback);
    return true;
  }

 private:
  friend class Mux;
  std::shared_ptr<Mux> mux_;
  Receive receive_;
  CanReceive can_receive_;
  std::function<void()> focus_;
  std::vector<std::uint8_t> queue_;
};

Mux::Mux(std::shared_ptr<Chardev> base, std::function<void()> on_quit)
    : base_(std::move(base)), on_quit_(std::move(on_quit)) {}

std::shared_ptr<Mux> Mux::make(std::shared_ptr<Chardev> base, std::function<void()> on_quit) {
  const std::shared_ptr<Mux> mux(new Mux(std::move(base), std::move(on_quit)));
  const std::weak_ptr<Mux> weak = mux;
  mux->base_->attach(
      [weak](std::span<const std::uint8_t> bytes) {
        if (const auto self = weak.lock()) self->receive(bytes);
      },
      [weak]() -> std::size_t {
        const auto self = weak.lock();
        const auto front = self ? self->focused() : nullptr;
        return front ? kQueueBytes - std::min(kQueueBytes, front->queue_.size()) : 0;
      });
  mux->base_->on_focus([weak] {
    const auto self = weak.lock();
    const auto front = self ? self->focused() : nullptr;
    if (front && front->focus_) front->focus_();
  });
  return mux;
}

std::shared_ptr<Chardev> Mux::add_front() {
  auto front = std::make_shared<Front>(shared_from_this());
  fronts_.push_back(front);
  base_->resume_input();
  return front;
}

std::shared_ptr<Mux::Front> Mux::focused() {
  return focus_ < fronts_.size() ? fronts_[focus_].lock() : nullptr;
}

void Mux::receive(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) {
    switch (escape_.feed(byte)) {
      case MuxEscape::Event::kNone:
      case MuxEscape::Event::kBreak: break;
      case MuxEscape::Event::kByte:
        if (const auto front = focused()) front->queue_.push_back(byte);
        break;
      case MuxEscape::Event::kQuit:
        // First the quit: it makes writes that block give up.
        on_quit_();
        say("\r\ngstage: terminated by Ctrl-a x\r\n");
        return;
      case MuxEscape::Event::kNext: focus_next(); break;
      case MuxEscape::Event::kHelp: say(kHelp); break;
    }
  }
  if (const auto front = focused()) pump(*front);
}

void Mux::pump(Front& front) {
  while (!front.queue_.empty() && front.receive_ && front.can_receive_) {
    const std::size_t n = std::min(front.can_receive_(), front.queue_.size());
    if (n == 0) break;
    const std::vector<std::uint8_t> piece(front.queue_.begin(), front.queue_.begin() + static_cast<long>(n));
    front.queue_.erase(front.queue_.begin(), front.queue_.begin() + static_cast<long>(n));
    front.receive_(piece);
  }
  if (front.queue_.size() < kQueueBytes) base_->resume_input();
}

void Mux::focus_next() {
  if (const auto old = focused()) pump(*old);
  for (std::size_t step = 1; step <= fronts_.size(); ++step) {
    const std::size_t next = (focus_ + step) % fronts_.size();
    const auto front = fronts_[next].lock();
    if (!front || !front->receive_) continue;
    if (next == focus_) return;
    focus_ = next;
    if (front->focus_) front->focus_();
    return;
  }
}

void Mux::say(const char* text) {
  base_->write({reinterpret_cast<const std::uint8_t*>(text), std::strlen(text)});
}

}  // namespace gstage
