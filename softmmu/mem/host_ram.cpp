// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/host_ram.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "softmmu/base/bits.h"

namespace gstage {

namespace {

constexpr std::uint64_t kHugePage = 2 << 20;
/// Linux 5.14; older headers lack it.
constexpr int kPopulateWrite = 23;

unsigned long long mib(std::uint64_t bytes) { return bytes >> 20; }

Error refused(const std::string& name, const RamPart& part) {
  if (part.file == nullptr)
    return error("the host cannot provide %llu MiB for %s (%s): choose a smaller -m", mib(part.size),
                 name.c_str(), std::strerror(errno));
  return error("the host cannot map %llu MiB of the file that is to be %s (%s): choose another file, or less",
               mib(part.size), name.c_str(), std::strerror(errno));
}

/// Whether the host would account for so much: so the kernel says now, not by killing us later, that a size
/// is absurd.
bool can_provide(std::uint64_t size) {
  void* const probe = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return false;
  munmap(probe, size);
  return true;
}

/// Address space for all parts, aligned. Null: there is none.
std::byte* reserve(std::uint64_t size, std::uint64_t align) {
  const std::uint64_t room = align == kPageSize ? size : size + align;
  void* const memory = mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* const first = static_cast<std::byte*>(memory);
  const std::uint64_t before = -reinterpret_cast<std::uint64_t>(first) & (align - 1);
  if (before != 0) munmap(first, before);
  if (room - before != size) munmap(first + before + size, room - before - size);
  return first + before;
}

/// What the host could give without swapping, as it says itself; nothing is known: no bound.
std::uint64_t available_memory() {
  std::FILE* const file = std::fopen("/proc/meminfo", "re");
  if (file == nullptr) return UINT64_MAX;
  std::uint64_t bytes = UINT64_MAX;
  char line[128];
  unsigned long long kib = 0;
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::sscanf(line, "MemAvailable: %llu kB", &kib) == 1) bytes = kib << 10;
  std::fclose(file);
  return bytes;
}

/// Whether the part's bytes are in the host's memory for good: a disk's are not, nor are huge pages, which
/// are set aside already.
bool takes_memory(const RamPart& part) {
  struct statfs status {};
  return part.file == nullptr || !part.is_shared ||
         (fstatfs(part.file->fd(), &status) == 0 && status.f_type == TMPFS_MAGIC);
}

Status populate(const std::string& name, const RamPart& part, std::byte* host) {
  // Looked at before: where memory is short Linux ends a process, and perhaps another one.
  const std::uint64_t free = available_memory();
  if (takes_memory(part) && free < part.size)
    return error(
        "prealloc=on takes %llu MiB for %s and the host has %llu MiB free: choose less, or leave it out",
        mib(part.size), name.c_str(), mib(free));
  if (madvise(host, part.size, kPopulateWrite) == 0) return Ok{};
  if (errno == EINVAL) return error("prealloc=on needs a host with Linux 5.14 or later: leave it out");
  return error("the host cannot provide the %llu MiB that prealloc=on takes for %s at once (%s): choose less",
               mib(part.size), name.c_str(), std::strerror(errno));
}

Status map_part(const std::string& name, const RamPart& part, std::byte* host) {
  if (!is_aligned(reinterpret_cast<std::uint64_t>(host), part.page_bytes))
    return error("%s: a part of it has pages of %llu KiB: let the parts before it be multiples of that",
                 name.c_str(), static_cast<unsigned long long>(part.page_bytes >> 10));
  const bool is_file = part.file != nullptr;
  if (!is_file && !can_provide(part.size)) return refused(name, part);
  const int flags = MAP_FIXED | MAP_NORESERVE | (is_file ? 0 : MAP_ANONYMOUS) |
                    (is_file && part.is_shared ? MAP_SHARED : MAP_PRIVATE);
  const void* const mapped = mmap(host, part.size, PROT_READ | PROT_WRITE, flags,
                                  is_file ? part.file->fd() : -1, static_cast<off_t>(part.offset));
  if (mapped == MAP_FAILED) return refused(name, part);
  // The host's own TLB: a chase of pointers through 1 MiB took 0.8 of the time with it, the boot of a KVM
  // guest 0.98, and resident memory grew from 491 to 498 MiB.
  madvise(host, part.size, MADV_HUGEPAGE);
  madvise(host, part.size, part.is_dumped ? MADV_DODUMP : MADV_DONTDUMP);
  if (part.is_mergeable) madvise(host, part.size, MADV_MERGEABLE);
  return part.is_preallocated ? populate(name, part, host) : Ok{};
}

}  // namespace

RamFile::~RamFile() { close(fd_); }

Result<std::unique_ptr<HostRam>> HostRam::map(const std::string& name, std::vector<RamPart> parts) {
  std::uint64_t size = 0;
  std::uint64_t align = kPageSize;
  for (const RamPart& part : parts) {
    size += part.size;
    align = std::max(align, part.page_bytes);
  }
  if (size >= kHugePage) align = std::max(align, kHugePage);
  std::byte* host = reserve(size, align);
  if (host == nullptr) return refused(name, RamPart{size});
  std::unique_ptr<HostRam> ram(new HostRam(host, size, std::move(parts)));
  for (const RamPart& part : ram->parts_) {
    if (Status status = map_part(name, part, host); !status.ok()) return status.error();
    host += part.size;
  }
  return ram;
}

HostRam::~HostRam() {
  std::uint64_t at = 0;
  for (const RamPart& part : parts_) {
    if (part.is_discarded && part.is_shared) madvise(host_ + at, part.size, MADV_REMOVE);
    at += part.size;
  }
  munmap(host_, size_);
}

bool HostRam::discard(std::uint64_t offset, std::uint64_t size) const {
  std::uint64_t base = 0;  // of the part
  bool is_done = true;
  for (const RamPart& part : parts_) {
    const std::uint64_t first = std::max(offset, base);
    const std::uint64_t end = std::min(offset + size, base + part.size);
    base += part.size;
    if (first >= end) continue;
    // In a private mapping of a file, what comes back is the file's.
    const bool can_drop = part.file == nullptr || part.is_shared;
    const int advice = part.file == nullptr ? MADV_DONTNEED : MADV_REMOVE;
    if (!can_drop || madvise(host_ + first, end - first, advice) != 0) is_done = false;
  }
  return is_done;
}

}  // namespace gstage
