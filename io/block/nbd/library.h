// SPDX-License-Identifier: Apache-2.0
#pragma once

// Attributes of functions that are only pointed to here.
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#define LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(fn)
#include <libnbd.h>

#include "softmmu/base/result.h"

namespace gstage::nbd {

/// The functions of libnbd that are used, opened with the first server: a machine without one does not pay
/// for its loading.
struct Library {
  decltype(nbd_create)* create = nullptr;
  decltype(nbd_close)* close = nullptr;
  decltype(nbd_get_error)* get_error = nullptr;
  decltype(nbd_get_errno)* get_errno = nullptr;
  decltype(nbd_set_export_name)* set_export_name = nullptr;
  decltype(nbd_aio_connect_socket)* connect_socket = nullptr;
  decltype(nbd_aio_is_ready)* is_ready = nullptr;
  decltype(nbd_aio_is_dead)* is_dead = nullptr;
  decltype(nbd_aio_is_closed)* is_closed = nullptr;
  decltype(nbd_poll)* poll = nullptr;
  decltype(nbd_get_size)* get_size = nullptr;
  decltype(nbd_get_block_size)* get_block_size = nullptr;
  decltype(nbd_is_read_only)* is_read_only = nullptr;
  decltype(nbd_can_flush)* can_flush = nullptr;
  decltype(nbd_can_fua)* can_fua = nullptr;
  decltype(nbd_can_trim)* can_trim = nullptr;
  decltype(nbd_can_zero)* can_zero = nullptr;
  decltype(nbd_aio_pread)* pread = nullptr;
  decltype(nbd_aio_pwrite)* pwrite = nullptr;
  decltype(nbd_aio_flush)* flush = nullptr;
  decltype(nbd_aio_trim)* trim = nullptr;
  decltype(nbd_aio_zero)* zero = nullptr;
  decltype(nbd_aio_command_completed)* is_completed = nullptr;
};

/// The library, or what to install.
Result<const Library*> open_library();

}  // namespace gstage::nbd
