// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "system/monitor/command.h"

namespace gstage {

/// The rows of events.inc.
std::span<const char* const> event_names();

/// What query-qmp-schema answers: all commands with their arguments, and all events, made of the tables. What
/// commands return has the type "any".
Json qmp_schema();

}  // namespace gstage
