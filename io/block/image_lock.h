// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gstage {

/// Whether an image could be locked.
enum class LockOutcome { kLocked, kInUse, kUnavailable };

/// Says to other programs what is done with an image, by advisory locks of single bytes of the file, as
/// QEMU's programs do: one writer or many readers. The locks go with the descriptor. kUnavailable: the file
/// system has no locks.
LockOutcome lock_image(int fd, bool is_writer);

}  // namespace gstage
