// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/code_buffer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "softmmu/base/types.h"

namespace gstage::tcg {

namespace {

/// Stores `bytes` of `value` at an address that is in use as code.
void store_code(std::uint8_t* at, std::uint64_t value, unsigned bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  if (bytes == 4 && address % 4 == 0) {
    std::atomic_ref(*reinterpret_cast<std::uint32_t*>(at)).store(static_cast<std::uint32_t>(value));
    return;
  }
  const unsigned skip = address % 8;
  CHECK(skip + bytes <= 8);
  std::atomic_ref word(*reinterpret_cast<std::uint64_t*>(at - skip));
  std::uint64_t contents = word.load();
  std::memcpy(reinterpret_cast<std::uint8_t*>(&contents) + skip, &value, bytes);
  word.store(contents);
}

}  // namespace

Result<std::unique_ptr<CodeBuffer>> CodeBuffer::make(std::size_t bytes) {
  const std::size_t wanted = std::max(bytes == 0 ? kDefaultBytes : bytes, kMinimumBytes);
  const std::size_t size = (wanted + kPageMask) & ~std::size_t{kPageMask};
  const auto refused = [&] {
    return error("cannot map %zu MiB for translated code (%s); give a smaller -accel jit,tb-size=",
                 size >> 20, std::strerror(errno));
  };
  const int fd = memfd_create("gstage-code", MFD_CLOEXEC);
  if (fd < 0) return refused();
  void* writable = MAP_FAILED;
  void* executable = MAP_FAILED;
  if (ftruncate(fd, static_cast<off_t>(size)) == 0) {
    writable = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    executable = mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, fd, 0);
  }
  close(fd);
  if (writable == MAP_FAILED || executable == MAP_FAILED) {
    const Error failure = refused();
    if (writable != MAP_FAILED) munmap(writable, size);
    if (executable != MAP_FAILED) munmap(executable, size);
    return failure;
  }
  madvise(writable, size, MADV_DONTDUMP);
  return std::unique_ptr<CodeBuffer>(new CodeBuffer(static_cast<std::uint8_t*>(writable),
                                                    static_cast<const std::uint8_t*>(executable), size));
}

CodeBuffer::~CodeBuffer() {
  munmap(writable_, size_);
  munmap(const_cast<std::uint8_t*>(executable_), size_);
}

void CodeBuffer::patch_displacement(std::size_t offset, std::size_t target) {
  store_code(writable_ + offset, target - (offset + 4), 4);
}

void CodeBuffer::patch_jump(std::size_t offset, std::size_t target) {
  constexpr std::uint64_t kJmpRel32 = 0xe9;
  const std::uint64_t displacement = static_cast<std::uint32_t>(target - (offset + 5));
  store_code(writable_ + offset, kJmpRel32 | displacement << 8, 5);
}

void CodeBuffer::patch_nop(std::size_t offset) {
  constexpr std::uint64_t kNop = 0x00'00'44'1f'0f;
  store_code(writable_ + offset, kNop, 5);
}

void CodeBuffer::release_writable(std::size_t first, std::size_t end) {
  const std::size_t from = (first + kPageMask) & ~std::size_t{kPageMask};
  const std::size_t to = end & ~std::size_t{kPageMask};
  if (from >= to) return;
  madvise(writable_ + from, to - from, MADV_DONTNEED);
#ifdef MADV_POPULATE_WRITE
  // The pages will be written next: one call saves a fault for each. If the host does not know the call, they
  // fault.
  madvise(writable_ + to, std::min(to - from, size_ - to), MADV_POPULATE_WRITE);
#endif
}

}  // namespace gstage::tcg
