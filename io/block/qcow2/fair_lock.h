// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

namespace gstage::qcow2 {

/// A std::shared_mutex by its interface. Unlike that, who wants to change something gets in before those who
/// come later to look, so that a disk that is always being read can still be written.
class FairLock {
 public:
  FairLock() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock_, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }
  ~FairLock() { pthread_rwlock_destroy(&lock_); }
  FairLock(const FairLock&) = delete;
  FairLock& operator=(const FairLock&) = delete;

  // The names that std::unique_lock and std::shared_lock want.
  void lock() { pthread_rwlock_wrlock(&lock_); }                            ///< alone
  void unlock() { pthread_rwlock_unlock(&lock_); }                          ///< of lock
  void lock_shared() { pthread_rwlock_rdlock(&lock_); }                     ///< with others
  bool try_lock_shared() { return pthread_rwlock_tryrdlock(&lock_) == 0; }  ///< without waiting
  void unlock_shared() { pthread_rwlock_unlock(&lock_); }                   ///< of lock_shared

 private:
  pthread_rwlock_t lock_;
};

}  // namespace gstage::qcow2
