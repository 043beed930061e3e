// SPDX-License-Identifier: Apache-2.0
#include "hw/misc/htif.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstring>

#include "softmmu/base/bits.h"
#include "io/event_loop.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

constexpr unsigned kDeviceShift = 56;
constexpr unsigned kCommandShift = 48;
constexpr std::uint64_t kPayload = (std::uint64_t{1} << kCommandShift) - 1;

constexpr std::uint64_t command_of(std::uint64_t device, std::uint64_t command) {
  return device << kDeviceShift | command << kCommandShift;
}
constexpr std::uint64_t kSystem = command_of(0, 0);
constexpr std::uint64_t kGetCharacter = command_of(1, 0);
constexpr std::uint64_t kPutCharacter = command_of(1, 1);
/// Of an answer with a character: there is one.
constexpr std::uint64_t kHasCharacter = 0x100;

/// Numbers of system calls and errors are those of Linux.
enum SystemCall : std::uint64_t { kSysWrite = 64, kSysExit = 93 };
constexpr auto kErrorBadFile = static_cast<std::uint64_t>(-9);
constexpr auto kErrorBadAddress = static_cast<std::uint64_t>(-14);
constexpr auto kErrorNoCall = static_cast<std::uint64_t>(-38);

/// A program of 64 bits that stores a word by halves does so at once; what is stored of it after so long is
/// all.
constexpr std::int64_t kHalfWordNs = 100'000'000;
/// Answers kept for a program that reads none, and characters that it may have asked for.
constexpr std::size_t kMaxAnswers = 4096;

}  // namespace

std::span<const Register<Htif>> Htif::registers() {
  static constexpr Register<Htif> kTable[] = {
      {0, 8, "tohost, fromhost", &Htif::read_word, &Htif::write_word, 2, 0, 4 | 8},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

Htif::Htif(const HtifSetup& setup) : setup_(setup), output_(setup.console) {
  late_ = setup.timers.make([this] {
    const std::lock_guard lock(mutex_);
    look();
  });
}

Htif::Htif(const HtifSetup& setup, const HtifWords& words) : Htif(setup) {
  places_ = words;
  tohost_ = reinterpret_cast<std::uint64_t*>(setup.memory.dma(words.tohost, kWordBytes));
  fromhost_ = reinterpret_cast<std::uint64_t*>(setup.memory.dma(words.fromhost, kWordBytes));
  setup.memory.watch(words.tohost, kWordBytes, *this);
  setup.memory.watch(words.fromhost, kWordBytes, *this);
}

Htif::~Htif() {
  late_.reset();
  if (is_listening_) setup_.console->attach(nullptr, nullptr);
}

bool Htif::can_hold(const AddressSpace& memory, const HtifWords& words) {
  const auto fits = [&](Paddr paddr) {
    return is_aligned(paddr.value, kWordBytes) && memory.dma(paddr, kWordBytes) != nullptr;
  };
  return fits(words.tohost) && fits(words.fromhost) && words.tohost != words.fromhost;
}

void Htif::reset() {
  output_.flush();
  const std::lock_guard lock(mutex_);
  late_->arm(Timer::kNever);
  is_half_stored_ = false;
  answers_.clear();
  wanted_ = 0;
  std::fill(std::begin(registers_), std::end(registers_), 0);
}

/// Words in RAM are saved with it.
void Htif::visit(Visitor& visitor) {
  visitor.field("registers", registers_);
  visitor.list("answers", answers_, kMaxAnswers);
  visitor.field("wanted", wanted_);
  visitor.field("is_half_stored", is_half_stored_);
}

void Htif::restored() {
  late_->arm(is_half_stored_ ? setup_.clock.now_ns() + kHalfWordNs : Timer::kNever);
  if (wanted_ != 0 && setup_.console != nullptr) EventLoop::post([this] { listen(); });
}

void Htif::stored(Paddr paddr, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  const Paddr end = paddr + size;
  const bool is_half = end > places_->tohost && end < places_->tohost + kWordBytes;
  if (is_half) return wait_for_rest();
  look();
}

std::uint64_t Htif::read_word(Access access) { return registers_[access.index]; }

void Htif::write_word(Access access, std::uint64_t value) {
  registers_[access.index] = value;
  if (access.size < kWordBytes) return wait_for_rest();
  look();
}

/// A program that stores the half again and again does not put it off.
void Htif::wait_for_rest() {
  if (!std::exchange(is_half_stored_, true)) late_->arm(setup_.clock.now_ns() + kHalfWordNs);
}

/// Takes what is in tohost, and answers if the guest has read the last answer.
void Htif::look() {
  late_->arm(Timer::kNever);
  is_half_stored_ = false;
  const std::uint64_t command = __atomic_exchange_n(tohost_, 0, __ATOMIC_SEQ_CST);
  if (command != 0) execute(command);
  if (answers_.empty() || __atomic_load_n(fromhost_, __ATOMIC_SEQ_CST) != 0) return;
  __atomic_store_n(fromhost_, answers_.front(), __ATOMIC_SEQ_CST);
  answers_.pop_front();
}

void Htif::execute(std::uint64_t command) {
  const std::uint64_t payload = command & kPayload;
  switch (command & ~kPayload) {
    case kSystem: return (payload & 1) != 0 ? end_machine(payload >> 1) : call_system(Paddr{payload});
    case kGetCharacter: return want_character();
    case kPutCharacter: {
      const auto byte = static_cast<std::uint8_t>(payload);
      return output_.put({&byte, 1});
    }
    default: log_line(Log::kGuestErrors, "htif: no device takes the command 0x%" PRIx64, command);
  }
}

void Htif::call_system(Paddr at) {
  std::array<std::uint64_t, 8> call{};
  std::byte* const host = setup_.memory.dma(at, sizeof call);
  if (host == nullptr)
    return log_line(Log::kGuestErrors, "htif: no RAM for a system call at 0x%" PRIx64, at.value);
  std::memcpy(call.data(), host, sizeof call);
  switch (call[0]) {
    case kSysExit: return end_machine(call[1]);
    case kSysWrite: call[0] = write_console(call[1], Paddr{call[2]}, call[3]); break;
    default:
      log_line(Log::kGuestErrors, "htif: there is no system call %" PRIu64, call[0]);
      call[0] = kErrorNoCall;
  }
  std::memcpy(host, call.data(), sizeof call[0]);
  setup_.memory.dirty(at, sizeof call[0]);
  respond(kSystem | 1);
}

std::uint64_t Htif::write_console(std::uint64_t fd, Paddr from, std::uint64_t size) {
  if (fd != 1 && fd != 2) return kErrorBadFile;
  const std::byte* const host = setup_.memory.dma(from, size);
  if (host == nullptr) return kErrorBadAddress;
  output_.put({reinterpret_cast<const std::uint8_t*>(host), size});
  return size;
}

void Htif::end_machine(std::uint64_t code) {
  // What the guest printed before must be out before the program may end.
  OutputQueue::flush_all();
  setup_.control.request(MachineRequest::kPoweroff, static_cast<int>(code));
}

void Htif::respond(std::uint64_t answer) {
  if (answers_.size() < kMaxAnswers) return answers_.push_back(answer);
  log_line(Log::kGuestErrors, "htif: nobody reads fromhost");
}

/// The console's input comes here from the first time on that the guest asks for it.
void Htif::want_character() {
  if (wanted_ >= kMaxAnswers) return;
  ++wanted_;
  if (setup_.console != nullptr) EventLoop::post([this] { listen(); });
}

void Htif::listen() {
  if (std::exchange(is_listening_, true)) return setup_.console->resume_input();
  setup_.console->attach(
      [this](std::span<const std::uint8_t> bytes) {
        const std::lock_guard lock(mutex_);
        for (const std::uint8_t byte : bytes) respond(kGetCharacter | kHasCharacter | byte);
        wanted_ -= static_cast<unsigned>(std::min<std::size_t>(wanted_, bytes.size()));
        look();
      },
      [this] {
        const std::lock_guard lock(mutex_);
        return std::size_t{wanted_};
      });
}

void Htif::describe(FdtBuilder& fdt) const {
  if (places_.has_value()) return;
  const auto node = fdt.node("htif");
  fdt.wide_cells("reg", {place().base, place().size});
  fdt.string("compatible", "ucb,htif0");
}

}  // namespace gstage::hw
