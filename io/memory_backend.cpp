// SPDX-License-Identifier: Apache-2.0
#include "io/memory_backend.h"

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "softmmu/base/bits.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "io/host_fd.h"

namespace gstage {

namespace {

using Options = MemoryBackendOptions;

template <std::size_t kA, std::size_t kB>
constexpr std::array<PropertyRow, kA + kB> joined(const PropertyRow (&a)[kA], const PropertyRow (&b)[kB]) {
  std::array<PropertyRow, kA + kB> all{};
  for (std::size_t i = 0; i < kA; ++i) all[i] = a[i];
  for (std::size_t i = 0; i < kB; ++i) all[kA + i] = b[i];
  return all;
}

constexpr PropertyRow kCommon[] = {
    property<&Options::id>("id", "ID", "for -machine memory-backend= and -numa memdev= to name"),
    property<&Options::size>("size", "N[K|M|G|T]", "bytes, a multiple of 4 KiB",
                             {kPageSize, std::uint64_t{1} << 42}),
    property<&Options::share>("share", "on|off", "whether others that map it see what the machine writes"),
    property<&Options::is_preallocated>("prealloc", "take all of the host's memory at once"),
    property<&Options::is_mergeable>("merge", "let the host keep like pages once (KSM)"),
    property<&Options::is_dumped>("dump", "make it part of core files"),
    property<&Options::policy>("policy", "default",
                               "on which of the host's nodes it lies: as the host likes it"),
    ignored_property("prealloc-threads"),
    ignored_property("reserve"),
    ignored_property("x-use-canonical-path-for-ramblock-id"),
    missing_property("host-nodes"),
    missing_property("prealloc-context"),
};
constexpr PropertyRow kOfFiles[] = {
    property<&Options::path>("mem-path", "FILE",
                             "made where it is missing; a folder: a file without a name in it"),
    property<&Options::offset>("offset", "N[K|M|G|T]", "where in the file it begins, a multiple of 4 KiB"),
    property<&Options::is_discarded>("discard-data", "with share=on: what is in it is of no use at the end"),
    ignored_property("align"),
    missing_property("pmem"),
    missing_property("readonly"),
    missing_property("rom"),
};
constexpr PropertyRow kOfMemfds[] = {
    property<&Options::is_sealed>("seal", "nobody can change its size (default: on)"),
    property<&Options::has_huge_pages>("hugetlb", "of huge pages, which the host must have set aside"),
    property<&Options::huge_page_bytes>("hugetlbsize", "N[M|G]", "their size (default: the host's)",
                                        {kPageSize, std::uint64_t{1} << 40}),
};
constexpr auto kFileProperties = joined(kCommon, kOfFiles);
constexpr auto kMemfdProperties = joined(kCommon, kOfMemfds);

Error failed(const std::string& what, const char* step, const char* remedy) {
  return error("%s: %s: %s; %s", what.c_str(), step, std::strerror(errno), remedy);
}

/// Gives an empty file its size, and says when the file system has less room than that.
Status resize(const std::string& what, int fd, std::uint64_t bytes) {
  if (ftruncate(fd, static_cast<off_t>(bytes)) != 0)
    return failed(what, "the file cannot be made as large", "choose a smaller size= or another file system");
  struct statfs room {};
  if (fstatfs(fd, &room) == 0 && room.f_type != HUGETLBFS_MAGIC && room.f_blocks != 0 &&
      bytes / static_cast<std::uint64_t>(room.f_bsize) > room.f_bavail)
    warn("%s: its file system has room for %llu of %llu MiB: the host ends the program when it is full",
         what.c_str(), static_cast<unsigned long long>(room.f_bavail * room.f_bsize >> 20),
         static_cast<unsigned long long>(bytes >> 20));
  return Ok{};
}

Result<int> open_memfd(const std::string& what, const Options& options) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (options.has_huge_pages) flags |= MFD_HUGETLB;
  if (options.huge_page_bytes != 0) {
    if (!options.has_huge_pages || !std::has_single_bit(options.huge_page_bytes))
      return error("%s: hugetlbsize= is a power of two, and goes with hugetlb=on", what.c_str());
    flags |= static_cast<unsigned>(std::countr_zero(options.huge_page_bytes)) << MAP_HUGE_SHIFT;
  }
  HostFd file(memfd_create(("gstage-" + options.id).c_str(), flags));
  if (file.fd < 0) return failed(what, "the host makes no such memory", "choose another hugetlbsize=");
  if (Status status = resize(what, file.fd, options.size); !status.ok()) return status.error();
  if (options.is_sealed) fcntl(file.fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return file.release();
}

/// The process's own memory; shared, it is a file that nothing but its descriptor leads to.
Result<int> open_ram(const std::string& what, const Options& options) {
  return options.share == OnOffAuto::kOn ? open_memfd(what, options) : Result<int>(-1);
}

Result<int> open_shm(const std::string& what, const Options& options) {
  if (options.share == OnOffAuto::kOff)
    return error("%s: POSIX shared memory is shared: leave share=off out", what.c_str());
  static std::atomic<unsigned> count{0};
  const std::string name = format("/gstage-%d-%u", static_cast<int>(getpid()), count.fetch_add(1));
  HostFd file(shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (file.fd < 0) return failed(what, "the host makes no shared memory", "use memory-backend-memfd");
  shm_unlink(name.c_str());
  if (Status status = resize(what, file.fd, options.size); !status.ok()) return status.error();
  return file.release();
}

/// A private mapping writes nothing: a file that can be read will do.
int open_existing(const Options& options) {
  const int fd = open(options.path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  const bool is_protected = fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM);
  if (!is_protected || options.share == OnOffAuto::kOn) return fd;
  return open(options.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

Result<int> open_file(const std::string& what, const Options& options) {
  if (options.path.empty()) return error("%s has no mem-path: add mem-path=FILE", what.c_str());
  const std::string name = what + ": '" + options.path + "'";
  const std::uint64_t bytes = options.offset + options.size;
  struct stat status {};
  const bool is_there = stat(options.path.c_str(), &status) == 0;
  if (is_there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return error("%s is neither a file nor a folder: name one", name.c_str());
  const bool is_folder = is_there && S_ISDIR(status.st_mode);
  HostFd file(is_folder  ? open_nameless(options.path)
              : is_there ? open_existing(options)
                         : open(options.path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (file.fd < 0) return failed(name, is_there ? "cannot be opened" : "cannot be made", "check mem-path=");
  const std::uint64_t has = is_folder || !is_there ? 0 : static_cast<std::uint64_t>(status.st_size);
  if (has >= bytes) return file.release();
  if (has != 0)
    return error(
        "%s has %llu bytes, fewer than the %llu of offset= and size=: choose a smaller size=, or remove it",
        name.c_str(), static_cast<unsigned long long>(has), static_cast<unsigned long long>(bytes));
  if (Status resized = resize(name, file.fd, bytes); !resized.ok()) return resized.error();
  return file.release();
}

constexpr MemoryBackendKind kKinds[] = {
    {"memory-backend-file", "memory that is a file", kFileProperties, false, open_file},
    {"memory-backend-memfd", "memory that other processes can be handed", kMemfdProperties, true, open_memfd},
    {"memory-backend-ram", "memory of the emulator's own", kCommon, false, open_ram},
    {"memory-backend-shm", "the same by POSIX shared memory", kCommon, true, open_shm},
};

/// What -mem-path makes has no name.
std::string name_of(const DeviceOptions& object) {
  const std::string* const id = object.find("id");
  return id == nullptr ? "-mem-path" : "-object " + object.driver + ",id=" + *id;
}

Result<Options> read(const DeviceOptions& object) {
  const std::string what = name_of(object);
  const MemoryBackendKind& kind = *find_memory_backend(object.driver);
  Options options;
  if (Status status = read_properties(what, kind.properties, object, options); !status.ok())
    return status.error();
  if (options.size == 0) return error("%s has no size: add size=N", what.c_str());
  if (options.size % kPageSize != 0 || options.offset % kPageSize != 0)
    return error("%s: size= and offset= are multiples of 4 KiB", what.c_str());
  if (options.policy != "default")
    return error("%s: policy=%s is not supported yet: use policy=default", what.c_str(),
                 options.policy.c_str());
  if (options.share == OnOffAuto::kAuto) options.share = kind.is_shared ? OnOffAuto::kOn : OnOffAuto::kOff;
  return options;
}

}  // namespace

std::span<const MemoryBackendKind> memory_backend_kinds() { return kKinds; }

const MemoryBackendKind* find_memory_backend(const std::string& name) {
  for (const MemoryBackendKind& kind : kKinds)
    if (name == kind.name) return &kind;
  return nullptr;
}

Result<const DeviceOptions*> find_memory_object(std::span<const DeviceOptions> objects,
                                                const std::string& id) {
  for (const DeviceOptions& object : objects) {
    const std::string* const name = object.find("id");
    if (name != nullptr && *name == id && find_memory_backend(object.driver) != nullptr) return &object;
  }
  return error("there is no memory '%s': add -object memory-backend-ram,id=%s,size=N", id.c_str(),
               id.c_str());
}

Result<std::uint64_t> memory_backend_size(const DeviceOptions& object) {
  auto options = read(object);
  if (!options.ok()) return options.error();
  return options->size;
}

Result<RamPart> open_memory_backend(const DeviceOptions& object) {
  auto options = read(object);
  if (!options.ok()) return options.error();
  const std::string what = name_of(object);
  auto fd = find_memory_backend(object.driver)->open(what, *options);
  if (!fd.ok()) return fd.error();
  RamPart part{options->size};
  part.offset = options->offset;
  part.is_shared = options->share == OnOffAuto::kOn;
  part.is_preallocated = options->is_preallocated;
  part.is_mergeable = options->is_mergeable;
  part.is_dumped = options->is_dumped;
  part.is_discarded = options->is_discarded;
  if (*fd < 0) return part;
  part.file = std::make_shared<const RamFile>(*fd);
  struct statfs system {};
  if (fstatfs(*fd, &system) == 0 && system.f_type == HUGETLBFS_MAGIC)
    part.page_bytes = static_cast<std::uint64_t>(system.f_bsize);
  if (part.size % part.page_bytes != 0 || part.offset % part.page_bytes != 0)
    return error("%s: its pages have %llu KiB: let size= and offset= be multiples of that", what.c_str(),
                 static_cast<unsigned long long>(part.page_bytes >> 10));
  return part;
}

}  // namespace gstage
