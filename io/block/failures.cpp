// SPDX-License-Identifier: Apache-2.0
#include "io/block/failures.h"

#include <algorithm>
#include <cerrno>

namespace gstage {

namespace {

struct ActionName {
  const char* name;
  FailureAction action;
};
constexpr ActionName kNames[] = {{"auto", FailureAction::kAuto},
                                 {"report", FailureAction::kReport},
                                 {"ignore", FailureAction::kIgnore},
                                 {"enospc", FailureAction::kEnospc},
                                 {"stop", FailureAction::kStop}};

/// Of a host that has no room, or none that this user may have.
bool is_no_room(int error) { return error == ENOSPC || error == EDQUOT; }

}  // namespace

bool PropertyCodec<FailureAction>::parse(const std::string& text, const PropertyRow&, FailureAction& to) {
  const auto* const found = std::find_if(std::begin(kNames), std::end(kNames),
                                         [&](const ActionName& row) { return text == row.name; });
  if (found == std::end(kNames)) return false;
  to = found->action;
  return true;
}

std::string PropertyCodec<FailureAction>::show(FailureAction value) {
  const auto* const found = std::find_if(std::begin(kNames), std::end(kNames),
                                         [&](const ActionName& row) { return value == row.action; });
  return found->name;
}

FailureActions FailureActions::or_else(const FailureActions& others) const {
  return {on_write == FailureAction::kAuto ? others.on_write : on_write,
          on_read == FailureAction::kAuto ? others.on_read : on_read};
}

Status check_read_action(const std::string& what, FailureAction action) {
  if (action != FailureAction::kEnospc) return Ok{};
  return error("%s: rerror=enospc is of no use, reads take no room: use report, ignore or stop",
               what.c_str());
}

void DiskFailures::on_failure(Listener listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void DiskFailures::tell(const DiskFailure& failure) {
  const std::lock_guard lock(mutex_);
  if (listener_) listener_(failure);
}

unsigned DiskFailures::on_resume(std::function<void()> again) {
  waiting_.emplace_back(++ids_, std::move(again));
  return ids_;
}

void DiskFailures::forget(unsigned id) {
  std::erase_if(waiting_, [id](const auto& entry) { return entry.first == id; });
}

void DiskFailures::resume() {
  for (const auto& [id, again] : waiting_) again();
}

DiskFailure FailureRule::decide(bool is_write, int error) const {
  FailureAction action = is_write ? actions.on_write : actions.on_read;
  if (action == FailureAction::kAuto) action = is_write ? FailureAction::kEnospc : FailureAction::kReport;
  if (action == FailureAction::kEnospc)
    action = is_no_room(error) ? FailureAction::kStop : FailureAction::kReport;
  // Nobody would make the machine stop and go on.
  if (all == nullptr) action = FailureAction::kReport;
  return {disk, is_write, error, action};
}

}  // namespace gstage
