// SPDX-License-Identifier: Apache-2.0
#include "softmmu/nmi.h"

#include <mutex>
#include <utility>

namespace gstage {

namespace {

struct Sender {
  std::mutex mutex;
  std::function<void()> send;
};
Sender& sender() {
  static Sender only;
  return only;
}

}  // namespace

void set_nmi_sender(std::function<void()> send) {
  const std::lock_guard lock(sender().mutex);
  sender().send = std::move(send);
}

bool send_nmi() {
  const std::lock_guard lock(sender().mutex);
  if (!sender().send) return false;
  sender().send();
  return true;
}

}  // namespace gstage
