// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/net/frame.h"
#include "io/net/loop.h"

namespace gstage {

/// One side of a wire as the other side sees it. All of it is called on the wire's loop. A device is a source
/// of that loop as well, behind the back end: at the end of each round it tells the guest of the frames that
/// came.
class NetPeer {
 public:
  virtual ~NetPeer() = default;
  /// Takes a frame, or drops it where that is what a network does. False: there is no room; the sender keeps
  /// the frame and sends it again once `ready` was called.
  virtual bool deliver(const NetFrame& frame) = 0;
  /// The other side has room again after it refused a frame.
  virtual void ready() = 0;
};

/// Looks at the frames of a wire, as `-object filter-dump` does. On the wire's loop.
class NetObserver {
 public:
  virtual ~NetObserver() = default;
  virtual void saw(const NetFrame& frame) = 0;
};

/// A back end's end of one pair of queues. The device at the other end is attached while nothing is sent.
class NetQueue : public NetPeer {
 public:
  explicit NetQueue(NetLoop& loop) : loop_(loop) {}

  [[nodiscard]] NetLoop& loop() { return loop_; }
  /// The device's end; null: none. Any thread but the loop's.
  void attach(NetPeer* device) {
    loop_.synchronize([&] { device_ = device; });
  }
  /// From now on `observer` sees what goes either way.
  void observe(NetObserver& observer) {
    loop_.synchronize([&] { observers_.push_back(&observer); });
  }
  /// The device sends.
  bool send(const NetFrame& frame) {
    if (!deliver(frame)) return false;
    for (NetObserver* const observer : observers_) observer->saw(frame);
    return true;
  }

 protected:
  [[nodiscard]] NetPeer* device() { return device_; }
  /// The back end sends. Without a device frames are lost.
  bool send_to_device(const NetFrame& frame) {
    if (device_ != nullptr && !device_->deliver(frame)) return false;
    for (NetObserver* const observer : observers_) observer->saw(frame);
    return true;
  }

 private:
  NetLoop& loop_;
  NetPeer* device_ = nullptr;
  std::vector<NetObserver*> observers_;
};

/// What a `-netdev` makes: a network with one pair of queues or more.
class NetBackend {
 public:
  virtual ~NetBackend() = default;
  [[nodiscard]] virtual unsigned queues() const { return 1; }
  virtual NetQueue& queue(unsigned index) = 0;
  /// The offloads (NetOffloads) of frames that it takes.
  [[nodiscard]] virtual unsigned offloads() const { return 0; }
  /// The offloads of frames that the device takes. Any thread.
  virtual void use_offloads(unsigned /*offloads*/) {}
  /// "user,net=10.0.2.0/24,restrict=off": for the user to read.
  [[nodiscard]] virtual std::string describe() const = 0;

  /// From now on the observer sees all frames.
  void add_observer(std::shared_ptr<NetObserver> observer) {
    for (unsigned i = 0; i < queues(); ++i) queue(i).observe(*observer);
    observers_.push_back(std::move(observer));
  }

  /// Whether the wire is plugged in. Any thread.
  [[nodiscard]] bool is_link_up() const { return is_link_up_.load(std::memory_order_relaxed); }
  void set_link(bool is_up) {
    if (is_link_up_.exchange(is_up) == is_up) return;
    const std::lock_guard lock(link_mutex_);
    if (on_link_) on_link_();
  }
  /// Called after each change; a null function ends that.
  void on_link(std::function<void()> callback) {
    const std::lock_guard lock(link_mutex_);
    on_link_ = std::move(callback);
  }

 private:
  std::vector<std::shared_ptr<NetObserver>> observers_;
  std::atomic<bool> is_link_up_{true};
  std::mutex link_mutex_;
  std::function<void()> on_link_;
};

}  // namespace gstage
