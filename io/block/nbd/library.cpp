// SPDX-License-Identifier: Apache-2.0
#include "io/block/nbd/library.h"

#include "softmmu/base/shared_library.h"

namespace gstage::nbd {

namespace {

struct Opened {
  Library functions;
  bool is_whole = false;
};

Opened open_once() {
  static const SharedLibrary library("libnbd.so.0");
  Opened opened;
  Library& f = opened.functions;
  opened.is_whole =
      library.find(f.create, "nbd_create") && library.find(f.close, "nbd_close") &&
      library.find(f.get_error, "nbd_get_error") && library.find(f.get_errno, "nbd_get_errno") &&
      library.find(f.set_export_name, "nbd_set_export_name") &&
      library.find(f.connect_socket, "nbd_aio_connect_socket") &&
      library.find(f.is_ready, "nbd_aio_is_ready") && library.find(f.is_dead, "nbd_aio_is_dead") &&
      library.find(f.is_closed, "nbd_aio_is_closed") && library.find(f.poll, "nbd_poll") &&
      library.find(f.get_size, "nbd_get_size") && library.find(f.get_block_size, "nbd_get_block_size") &&
      library.find(f.is_read_only, "nbd_is_read_only") && library.find(f.can_flush, "nbd_can_flush") &&
      library.find(f.can_fua, "nbd_can_fua") && library.find(f.can_trim, "nbd_can_trim") &&
      library.find(f.can_zero, "nbd_can_zero") && library.find(f.pread, "nbd_aio_pread") &&
      library.find(f.pwrite, "nbd_aio_pwrite") && library.find(f.flush, "nbd_aio_flush") &&
      library.find(f.trim, "nbd_aio_trim") && library.find(f.zero, "nbd_aio_zero") &&
      library.find(f.is_completed, "nbd_aio_command_completed");
  return opened;
}

}  // namespace

Result<const Library*> open_library() {
  static const Opened opened = open_once();
  if (opened.is_whole) return &opened.functions;
  return error("libnbd.so.0 is not there: install the package libnbd0");
}

}  // namespace gstage::nbd
