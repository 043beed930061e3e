// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace gstage {

/// Says how the machine's non-maskable interrupt is sent; null: there is none.
void set_nmi_sender(std::function<void()> send);
/// Sends it. False: the machine has none.
bool send_nmi();

}  // namespace gstage
