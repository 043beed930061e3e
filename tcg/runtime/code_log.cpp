// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/code_log.h"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "softmmu/base/types.h"

namespace gstage::tcg {

namespace {

struct DumpHeader {
  std::uint32_t magic = 0x4a69'5444;
  std::uint32_t version = 1;
  std::uint32_t total_size = sizeof(DumpHeader);
  std::uint32_t elf_mach = EM_X86_64;
  std::uint32_t pad = 0;
  std::uint32_t pid = 0;
  std::uint64_t timestamp = 0;
  std::uint64_t flags = 0;
};

struct LoadRecord {
  std::uint32_t id = 0;  // JIT_CODE_LOAD
  std::uint32_t total_size = 0;
  std::uint64_t timestamp = 0;
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::uint64_t vma = 0;
  std::uint64_t code_addr = 0;
  std::uint64_t code_size = 0;
  std::uint64_t code_index = 0;
};

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

/// A new file of ours. In a folder of everybody's a name that is there already may be somebody's trap.
int create(const std::string& path) {
  unlink(path.c_str());
  return open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
}

}  // namespace

CodeLogWants& code_log_wants() {
  static CodeLogWants wants;
  return wants;
}

Result<std::unique_ptr<CodeLog>> CodeLog::make(const CodeLogWants& wants) {
  if (!wants.perf_map && !wants.jitdump) return std::unique_ptr<CodeLog>();
  std::unique_ptr<CodeLog> log(new CodeLog);
  if (wants.perf_map)
    if (const Status status = log->open_map(); !status.ok()) return status.error();
  if (wants.jitdump)
    if (const Status status = log->open_dump(); !status.ok()) return status.error();
  return log;
}

CodeLog::~CodeLog() {
  if (marker_ != nullptr) munmap(marker_, kPageSize);
  if (map_ >= 0) close(map_);
  if (dump_ >= 0) close(dump_);
}

Status CodeLog::open_map() {
  const std::string path = format("/tmp/perf-%d.map", static_cast<int>(getpid()));
  map_ = create(path);
  if (map_ >= 0) return Ok{};
  return error("-perfmap: cannot make %s (%s): make room for it", path.c_str(), std::strerror(errno));
}

Status CodeLog::open_dump() {
  const std::string path = format("jit-%d.dump", static_cast<int>(getpid()));
  dump_ = create(path);
  DumpHeader header;
  header.pid = static_cast<std::uint32_t>(getpid());
  header.timestamp = now_ns();
  const bool is_written = dump_ >= 0 && write(dump_, &header, sizeof header) == sizeof header;
  // perf notes executable mappings of files: this one tells it where the dump is.
  if (is_written) {
    void* const mapped = mmap(nullptr, kPageSize, PROT_READ | PROT_EXEC, MAP_PRIVATE, dump_, 0);
    marker_ = mapped == MAP_FAILED ? nullptr : mapped;
  }
  if (marker_ != nullptr) return Ok{};
  return error("-jitdump: cannot make %s in the working directory (%s): start gstage where it can",
               path.c_str(), std::strerror(errno));
}

void CodeLog::add(const std::string& name, std::span<const std::uint8_t> code) {
  if (code.empty()) return;
  const auto address = reinterpret_cast<std::uintptr_t>(code.data());
  // What a full disk does not take is missing in the profile, no more.
  [[maybe_unused]] ssize_t written = 0;
  if (map_ >= 0) {
    const std::string line =
        format("%llx %zx %s\n", static_cast<unsigned long long>(address), code.size(), name.c_str());
    written = write(map_, line.data(), line.size());
  }
  if (dump_ < 0) return;
  LoadRecord record;
  record.total_size = static_cast<std::uint32_t>(sizeof record + name.size() + 1 + code.size());
  record.timestamp = now_ns();
  record.pid = static_cast<std::uint32_t>(getpid());
  record.tid = static_cast<std::uint32_t>(gettid());
  record.vma = record.code_addr = address;
  record.code_size = code.size();
  record.code_index = index_++;
  const iovec parts[] = {{&record, sizeof record},
                         {const_cast<char*>(name.c_str()), name.size() + 1},
                         {const_cast<std::uint8_t*>(code.data()), code.size()}};
  written = writev(dump_, parts, 3);
}

}  // namespace gstage::tcg
