// SPDX-License-Identifier: Apache-2.0
#include "io/net/slirp_library.h"

#include "softmmu/base/shared_library.h"

namespace gstage {

namespace {

struct Opened {
  SlirpLibrary functions;
  bool is_whole = false;
};

Opened open_library() {
  static const SharedLibrary library("libslirp.so.0");
  Opened opened;
  SlirpLibrary& f = opened.functions;
  opened.is_whole =
      library.find(f.make, "slirp_new") && library.find(f.destroy, "slirp_cleanup") &&
      library.find(f.input, "slirp_input") && library.find(f.fill, "slirp_pollfds_fill") &&
      library.find(f.dispatch, "slirp_pollfds_poll") &&
      library.find(f.add_host_forward, "slirp_add_hostfwd") &&
      library.find(f.add_program, "slirp_add_exec") && library.find(f.add_unix, "slirp_add_unix") &&
      library.find(f.add_guest_forward, "slirp_add_guestfwd") &&
      library.find(f.room_of_forward, "slirp_socket_can_recv") &&
      library.find(f.feed_forward, "slirp_socket_recv") && library.find(f.handle_timer, "slirp_handle_timer");
  return opened;
}

}  // namespace

Result<const SlirpLibrary*> open_slirp() {
  static const Opened opened = open_library();
  if (opened.is_whole) return &opened.functions;
  return error("-netdev user: libslirp.so.0 is not there: install the package libslirp0");
}

}  // namespace gstage
