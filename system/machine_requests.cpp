// SPDX-License-Identifier: Apache-2.0
#include "system/machine_requests.h"

#include <utility>

namespace gstage {

namespace {

bool ends(MachineRequest request) {
  return request == MachineRequest::kPoweroff || request == MachineRequest::kQuit;
}

}  // namespace

void MachineRequests::request(MachineRequest request, int exit_code) {
  const std::lock_guard lock(mutex_);
  const bool is_first_end = ends(request) && !ends(pending_);
  if (is_first_end) exit_code_ = exit_code;
  if (is_first_end || pending_ == MachineRequest::kNone) pending_ = request;
  // The user's quit also ends what the guest's poweroff waits for (and what -no-shutdown keeps).
  if (request == MachineRequest::kQuit) pending_ = request;
  if (wake_) wake_(request);
}

void MachineRequests::on_request(Wake wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

MachineRequest MachineRequests::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

int MachineRequests::exit_code() const {
  const std::lock_guard lock(mutex_);
  return exit_code_;
}

bool MachineRequests::complete(MachineRequest request) {
  const std::lock_guard lock(mutex_);
  if (pending_ != request) return false;
  pending_ = MachineRequest::kNone;
  return true;
}

}  // namespace gstage
