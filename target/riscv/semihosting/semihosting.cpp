// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/semihosting/semihosting.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "target/riscv/cpu.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

namespace {

/// slli x0, x0, 0x1f; ebreak; srai x0, x0, 7, each of 32 bits ("Semihosting Breakpoint Instruction
/// Sequence").
constexpr std::uint32_t kEntryNop = 0x01f0'1013;
constexpr std::uint32_t kEbreak = 0x0010'0073;
constexpr std::uint32_t kExitNop = 0x4070'5013;

/// Bytes that are copied at once.
constexpr std::size_t kChunk = 64 << 10;
/// A text that ends with a zero byte is no longer than this.
constexpr std::uint64_t kMostText = 1 << 20;
constexpr std::uint64_t kApplicationExit = 0x20026;  ///< ADP_Stopped_ApplicationExit
constexpr std::uint64_t kTicksPerCentisecond = kTimebaseHz / 100;

bool is_call(Hart& hart, Vaddr pc) {
  CallerMemory memory(hart);
  return memory.fetch(pc) == kEbreak && memory.fetch(Vaddr{pc.value - 4}) == kEntryNop &&
         memory.fetch(pc + 4) == kExitNop;
}

/// No buffer is longer than all RAM: what a longer one names is the same memory again and again, through page
/// tables that map it so, and the call would hold the hart and all others that call for as long as it lasts.
std::uint64_t longest_buffer(const Hart& hart) {
  std::uint64_t bytes = 0;
  for (const BusRange& range : hart.memory->ranges())
    if (range.is_memory()) bytes += range.size;
  return bytes;
}

std::string make_command_line(const SemihostingOptions& options) {
  if (options.arguments.empty()) return options.command_line;
  std::string line;
  for (const std::string& argument : options.arguments) line += (line.empty() ? "" : " ") + argument;
  return line;
}

}  // namespace

const Semihosting::Row Semihosting::kRows[] = {
    {0x01, 3, &Semihosting::open},
    {0x02, 1, &Semihosting::close},
    {0x03, 0, &Semihosting::write_character},
    {0x04, 0, &Semihosting::write_text},
    {0x05, 3, &Semihosting::write},
    {0x06, 3, &Semihosting::read},
    {0x07, 0, &Semihosting::read_character},
    {0x08, 1, &Semihosting::is_error},
    {0x09, 1, &Semihosting::is_terminal},
    {0x0a, 2, &Semihosting::seek},
    {0x0c, 1, &Semihosting::length},
    {0x0d, 3, &Semihosting::temporary_name},
    {0x0e, 2, &Semihosting::remove},
    {0x0f, 4, &Semihosting::rename},
    {0x10, 0, &Semihosting::clock},
    {0x11, 0, &Semihosting::time},
    {0x12, 2, &Semihosting::system},
    {0x13, 0, &Semihosting::last_error},
    {0x15, 2, &Semihosting::command_line},
    {0x16, 1, &Semihosting::heap_info},
    {0x18, 0, &Semihosting::exit},
    {0x20, 0, &Semihosting::exit},
    {0x30, 0, &Semihosting::elapsed},
    {0x31, 0, &Semihosting::tick_frequency},
};

Semihosting::Semihosting(const SemihostingOptions& options, MachineControl& control,
                         std::unique_ptr<HostFolder> folder)
    : control_(control),
      has_userspace_(options.has_userspace),
      command_line_(make_command_line(options)),
      console_(options.console),
      files_(std::move(folder), console_) {}

Result<std::unique_ptr<Semihosting>> Semihosting::make(const SemihostingOptions& options,
                                                       MachineControl& control) {
  std::unique_ptr<HostFolder> folder;
  if (!options.root.empty()) {
    auto opened = HostFolder::open("-semihosting-config root=", options.root);
    if (!opened.ok()) return opened.error();
    folder = std::move(*opened);
  }
  return std::unique_ptr<Semihosting>(new Semihosting(options, control, std::move(folder)));
}

std::optional<Vaddr> Semihosting::call(Hart& hart, Vaddr pc) {
  if ((hart.priv == kUser && !has_userspace_) || !is_call(hart, pc)) return std::nullopt;
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    answer = dispatch(hart);
  }
  if (!answer.has_value()) {
    if (hart.core.attention.load(std::memory_order_acquire) == 0) console_.wait_for_input();
    return pc;
  }
  constexpr unsigned kA0 = 10;
  hart.x[kA0] = static_cast<std::uint64_t>(*answer);
  return pc + 4;
}

Semihosting::Answer Semihosting::dispatch(Hart& hart) {
  constexpr unsigned kA0 = 10;
  constexpr unsigned kA1 = 11;
  const std::uint64_t number = hart.x[kA0];
  const auto row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& other) { return other.number == number; });
  if (row == std::end(kRows)) {
    log_line(Log::kGuestErrors, "semihosting: there is no call 0x%llx",
             static_cast<unsigned long long>(number));
    return fail(ENOSYS);
  }
  Call call{hart, CallerMemory(hart), hart.x[kA1], {}};
  for (unsigned i = 0; i < row->words; ++i) {
    const auto word = call.memory.read_word(Vaddr{call.parameter} + 8 * i);
    if (!word) return fail(EFAULT);
    call.words[i] = *word;
  }
  return (this->*row->run)(call);
}

Semihosting::Answer Semihosting::fail(int error) {
  errno_ = error;
  return -1;
}

Semihosting::Answer Semihosting::plain(std::int64_t result) {
  return result < 0 ? fail(static_cast<int>(-result)) : result;
}

Semihosting::Answer Semihosting::open(Call& call) {
  const auto name = call.memory.read_text(Vaddr{call.words[0]}, call.words[2]);
  if (!name) return fail(EFAULT);
  return plain(files_.open(*name, call.words[1]));
}

Semihosting::Answer Semihosting::close(Call& call) { return plain(files_.close(call.words[0])); }

Semihosting::Answer Semihosting::write_character(Call& call) {
  std::byte character{};
  if (!call.memory.read(Vaddr{call.parameter}, {&character, 1})) return fail(EFAULT);
  console_.write(SemihostingConsole::Stream::kError, {&character, 1});
  return 0;
}

Semihosting::Answer Semihosting::write_text(Call& call) {
  std::vector<std::byte> text;
  for (std::uint64_t at = 0; at < kMostText; ++at) {
    std::byte character{};
    if (!call.memory.read(Vaddr{call.parameter} + at, {&character, 1})) return fail(EFAULT);
    if (character == std::byte{0}) break;
    text.push_back(character);
  }
  console_.write(SemihostingConsole::Stream::kError, text);
  return 0;
}

/// The answer is how many bytes were not written.
Semihosting::Answer Semihosting::write(Call& call) {
  std::vector<std::byte> chunk;
  std::uint64_t left = std::min(call.words[2], longest_buffer(call.hart));
  const std::uint64_t refused = call.words[2] - left;
  Vaddr from{call.words[1]};
  while (left > 0) {
    chunk.resize(std::min<std::uint64_t>(left, kChunk));
    if (!call.memory.read(from, chunk)) {
      errno_ = EFAULT;
      break;
    }
    const std::int64_t written = files_.write(call.words[0], chunk);
    if (written < 0) errno_ = static_cast<int>(-written);
    if (written <= 0) break;
    left -= static_cast<std::uint64_t>(written);
    from = from + static_cast<std::uint64_t>(written);
  }
  return static_cast<std::int64_t>(left + refused);
}

/// The answer is how many bytes were not read: all at the end of the file.
Semihosting::Answer Semihosting::read(Call& call) {
  std::vector<std::byte> chunk;
  const std::uint64_t wanted = std::min(call.words[2], longest_buffer(call.hart));
  const std::uint64_t refused = call.words[2] - wanted;
  std::uint64_t left = wanted;
  Vaddr to{call.words[1]};
  while (left > 0) {
    chunk.resize(std::min<std::uint64_t>(left, kChunk));
    const std::int64_t count = files_.read(call.words[0], chunk);
    // The console has no more for now: what was typed is enough, but there is something.
    if (count == -EAGAIN && left == wanted) return std::nullopt;
    if (count < 0 && count != -EAGAIN) errno_ = static_cast<int>(-count);
    if (count <= 0) break;
    chunk.resize(static_cast<std::size_t>(count));
    if (!call.memory.write(to, chunk)) {
      errno_ = EFAULT;
      break;
    }
    left -= chunk.size();
    to = to + chunk.size();
  }
  return static_cast<std::int64_t>(left + refused);
}

Semihosting::Answer Semihosting::read_character(Call&) {
  if (!console_.has_input()) return fail(EIO);
  std::byte character{};
  if (console_.read({&character, 1}) == 0) return std::nullopt;
  return static_cast<std::int64_t>(character);
}

Semihosting::Answer Semihosting::is_error(Call& call) {
  return static_cast<std::int64_t>(call.words[0]) < 0 ? 1 : 0;
}

Semihosting::Answer Semihosting::is_terminal(Call& call) { return plain(files_.is_terminal(call.words[0])); }

Semihosting::Answer Semihosting::seek(Call& call) { return plain(files_.seek(call.words[0], call.words[1])); }

Semihosting::Answer Semihosting::length(Call& call) { return plain(files_.length(call.words[0])); }

/// A name in the folder: there is no other place for files.
Semihosting::Answer Semihosting::temporary_name(Call& call) {
  constexpr std::uint64_t kMostIdentifier = 255;
  if (call.words[1] > kMostIdentifier) return fail(EINVAL);
  const std::string name = format("tmp-%03u", static_cast<unsigned>(call.words[1]));
  if (call.words[2] <= name.size()) return fail(EINVAL);
  const auto bytes = std::as_bytes(std::span(name.c_str(), name.size() + 1));
  return call.memory.write(Vaddr{call.words[0]}, bytes) ? Answer(0) : fail(EFAULT);
}

/// 0 or the error.
Semihosting::Answer Semihosting::remove(Call& call) {
  const auto name = call.memory.read_text(Vaddr{call.words[0]}, call.words[1]);
  if (!name) return fail(EFAULT);
  const std::int64_t result = files_.remove(*name);
  if (result < 0) errno_ = static_cast<int>(-result);
  return -result;
}

/// 0 or the error.
Semihosting::Answer Semihosting::rename(Call& call) {
  const auto from = call.memory.read_text(Vaddr{call.words[0]}, call.words[1]);
  const auto to = call.memory.read_text(Vaddr{call.words[2]}, call.words[3]);
  if (!from || !to) return fail(EFAULT);
  const std::int64_t result = files_.rename(*from, *to);
  if (result < 0) errno_ = static_cast<int>(-result);
  return -result;
}

/// Centiseconds since the machine began.
Semihosting::Answer Semihosting::clock(Call& call) {
  return static_cast<std::int64_t>(call.hart.cpu->uptime() / kTicksPerCentisecond);
}

Semihosting::Answer Semihosting::time(Call&) { return static_cast<std::int64_t>(std::time(nullptr)); }

/// Commands of the host are not for guests.
Semihosting::Answer Semihosting::system(Call&) { return fail(EPERM); }

Semihosting::Answer Semihosting::last_error(Call&) { return errno_; }

Semihosting::Answer Semihosting::command_line(Call& call) {
  if (call.words[1] <= command_line_.size()) return fail(E2BIG);
  const auto bytes = std::as_bytes(std::span(command_line_.c_str(), command_line_.size() + 1));
  const bool is_written = call.memory.write(Vaddr{call.words[0]}, bytes) &&
                          call.memory.write_word(Vaddr{call.parameter} + 8, command_line_.size());
  return is_written ? Answer(0) : fail(EFAULT);
}

/// Zeros: the program's own idea of its heap and stack is the better one.
Semihosting::Answer Semihosting::heap_info(Call& call) {
  constexpr std::array<std::uint64_t, 4> kUnknown{};
  const auto bytes = std::as_bytes(std::span(kUnknown));
  return call.memory.write(Vaddr{call.words[0]}, bytes) ? Answer(0) : fail(EFAULT);
}

/// Both calls for an end take a reason and, where that is the application's own exit, its code. A parameter
/// that is no address of them is the reason, as it is to callers of 32 bits.
Semihosting::Answer Semihosting::exit(Call& call) {
  const auto reason = call.memory.read_word(Vaddr{call.parameter});
  const auto code = call.memory.read_word(Vaddr{call.parameter} + 8);
  const bool has_block = reason.has_value() && code.has_value();
  const bool is_regular = (has_block ? *reason : call.parameter) == kApplicationExit;
  control_.request(MachineRequest::kPoweroff, is_regular ? static_cast<int>(has_block ? *code : 0) : 1);
  // There is no way back from it, also not before the machine has stopped.
  return std::nullopt;
}

Semihosting::Answer Semihosting::elapsed(Call& call) {
  return call.memory.write_word(Vaddr{call.parameter}, call.hart.cpu->uptime()) ? Answer(0) : fail(EFAULT);
}

Semihosting::Answer Semihosting::tick_frequency(Call&) { return static_cast<std::int64_t>(kTimebaseHz); }

}  // namespace gstage::riscv
