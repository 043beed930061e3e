// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>

#include "softmmu/machine_control.h"

namespace gstage {

/// What was asked of the machine and is not done yet: one request, the most urgent. Whoever may ask holds it
/// as MachineControl; the run state (run_state.h) does what is asked, and may come into being later.
class MachineRequests final : public MachineControl {
 public:
  using Wake = std::function<void(MachineRequest request)>;

  void request(MachineRequest request, int exit_code = 0) override;
  /// From now on `wake` follows each request, on the thread of who asks and with the lock held; it must not
  /// call back. Null: nothing does. A call that is under way has ended when this returns.
  void on_request(Wake wake);

  [[nodiscard]] MachineRequest pending() const;
  /// Of the request for the machine's end that won.
  [[nodiscard]] int exit_code() const;
  /// The request is done. False, and nothing changes, if something more urgent has come meanwhile.
  bool complete(MachineRequest request);

 private:
  mutable std::mutex mutex_;
  MachineRequest pending_ = MachineRequest::kNone;
  int exit_code_ = 0;
  Wake wake_;
};

}  // namespace gstage
