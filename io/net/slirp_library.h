// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <slirp/libslirp.h>

#include "softmmu/base/result.h"

namespace gstage {

/// The functions of libslirp that are used, opened with the first user network: a machine without one does
/// not pay for its loading.
struct SlirpLibrary {
  decltype(&slirp_new) make = nullptr;
  decltype(&slirp_cleanup) destroy = nullptr;
  decltype(&slirp_input) input = nullptr;
  decltype(&slirp_pollfds_fill) fill = nullptr;
  decltype(&slirp_pollfds_poll) dispatch = nullptr;
  decltype(&slirp_add_hostfwd) add_host_forward = nullptr;
  decltype(&slirp_add_exec) add_program = nullptr;
  decltype(&slirp_add_unix) add_unix = nullptr;
  decltype(&slirp_add_guestfwd) add_guest_forward = nullptr;
  decltype(&slirp_socket_can_recv) room_of_forward = nullptr;
  decltype(&slirp_socket_recv) feed_forward = nullptr;
  decltype(&slirp_handle_timer) handle_timer = nullptr;
};

/// The library, or what to install.
Result<const SlirpLibrary*> open_slirp();

}  // namespace gstage
