// SPDX-License-Identifier: Apache-2.0
// Memory into files.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "system/monitor/commands.h"

namespace gstage {

namespace {

Status save(AddressSpace& memory, const Json& arguments) {
  const auto first = arguments["val"].get<std::uint64_t>();
  const auto size = arguments["size"].get<std::uint64_t>();
  const std::string name = arguments["filename"].get<std::string>();
  if (arguments["size"].get<std::int64_t>() < 0 || first + size < first)
    return error("the range 0x%llx, %llu bytes, goes beyond the end of the address space",
                 static_cast<unsigned long long>(first), static_cast<unsigned long long>(size));
  const int file = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0)
    return error("Could not open '%s': %s (-sandbox off lets commands open files)", name.c_str(),
                 std::strerror(errno));
  constexpr std::uint64_t kPiece = 1 << 16;
  std::vector<std::byte> bytes(kPiece);
  Status status = Ok{};
  for (std::uint64_t done = 0; done < size && status.ok(); done += kPiece) {
    const std::uint64_t count = std::min(kPiece, size - done);
    if (!memory.read(Paddr{first + done}, bytes.data(), count))
      status = error("there is no memory at 0x%llx", static_cast<unsigned long long>(first + done));
    else if (write(file, bytes.data(), count) != static_cast<ssize_t>(count))
      status = error("Could not write '%s': %s", name.c_str(), std::strerror(errno));
  }
  close(file);
  return status;
}

CommandResult pmemsave(CommandContext& context, const Json& arguments) {
  if (context.subjects.options == nullptr) return error("this machine writes no files");
  return save(context.machine.memory(), arguments);
}

constexpr CommandArgument kSaveArguments[] = {
    {"val", ArgumentType::kInteger, false, "the first address"},
    {"size", ArgumentType::kInteger, false, "bytes"},
    {"filename", ArgumentType::kString, false, "the file, which is overwritten"}};

constexpr Command kCommands[] = {
    {.qmp = "pmemsave",
     .hmp = "pmemsave",
     .arguments = kSaveArguments,
     .run = pmemsave,
     .help = "save physical memory into a file",
     .needs_stopped_harts = true},
};

}  // namespace

std::span<const Command> memory_commands() { return kCommands; }

}  // namespace gstage
