// SPDX-License-Identifier: Apache-2.0
#include "io/block/image_lock.h"

#include <array>
#include <cerrno>

#include <fcntl.h>

namespace gstage {

namespace {

/// What can be done with an image, and the byte behind the base that stands for it.
enum Permission : unsigned { kConsistentRead = 0, kWrite = 1, kResize = 3 };
/// A read lock of a byte from here on: somebody does it.
constexpr off_t kDoneBase = 100;
/// And from here on: somebody relies on nobody else doing it.
constexpr off_t kForbiddenBase = 200;

constexpr std::array kWritersDo{kConsistentRead, kWrite, kResize};
constexpr std::array kReadersDo{kConsistentRead};
/// Nobody shares an image with a writer.
constexpr std::array kForbidden{kWrite, kResize};

struct flock byte_lock(short type, off_t at) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = at;
  lock.l_len = 1;
  return lock;
}

/// 0 or an errno value.
int lock_byte(int fd, off_t at) {
  struct flock lock = byte_lock(F_RDLCK, at);
  return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

bool is_locked_by_others(int fd, off_t at) {
  struct flock lock = byte_lock(F_WRLCK, at);
  return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

LockOutcome outcome(int failure) {
  return failure == EAGAIN || failure == EACCES ? LockOutcome::kInUse : LockOutcome::kUnavailable;
}

template <class Does>
LockOutcome lock(int fd, const Does& does) {
  for (const unsigned permission : does)
    if (const int failure = lock_byte(fd, kDoneBase + permission); failure != 0) return outcome(failure);
  for (const unsigned permission : kForbidden)
    if (const int failure = lock_byte(fd, kForbiddenBase + permission); failure != 0) return outcome(failure);
  // Both sides lock first and look afterwards, so that of two that begin at once at least one sees the other.
  for (const unsigned permission : does)
    if (is_locked_by_others(fd, kForbiddenBase + permission)) return LockOutcome::kInUse;
  for (const unsigned permission : kForbidden)
    if (is_locked_by_others(fd, kDoneBase + permission)) return LockOutcome::kInUse;
  return LockOutcome::kLocked;
}

}  // namespace

LockOutcome lock_image(int fd, bool is_writer) {
  return is_writer ? lock(fd, kWritersDo) : lock(fd, kReadersDo);
}

}  // namespace gstage
