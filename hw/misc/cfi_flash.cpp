// SPDX-License-Identifier: Apache-2.0
#include "hw/misc/cfi_flash.h"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "softmmu/base/check.h"
#include "softmmu/base/log.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

constexpr unsigned kChips = 2;
constexpr std::uint64_t kBusBytes = 4;
constexpr std::uint16_t kManufacturer = 0x89;
constexpr std::uint16_t kDevice = 0x18;
constexpr unsigned kBufferShift = 11;  ///< log2 of the write buffer of one chip, bytes
constexpr unsigned kBufferWords = (1u << kBufferShift) / 2;

enum Command : std::uint8_t {
  kProgramAlternative = 0x10,
  kBlockErase = 0x20,
  kProgramWord = 0x40,
  kClearStatus = 0x50,
  kLockSetup = 0x60,
  kReadStatus = 0x70,
  kIdentifyChip = 0x90,
  kCfiQuery = 0x98,
  kSuspend = 0xb0,
  kConfirm = 0xd0,
  kWriteBuffer = 0xe8,
  kReadArray = 0xff,
};
/// Bits of the status register (Intel, "StrataFlash Memory (J3)", "Status Register Definitions").
enum StatusBit : std::uint8_t { kReady = 0x80, kEraseError = 0x20, kProgramError = 0x10, kLocked = 0x02 };
constexpr std::uint8_t kErased = 0xff;

std::uint64_t mask(unsigned size) {
  return size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << size * 8) - 1;
}

/// Both chips answer at once, each on its half of the bus.
std::uint64_t on_both_chips(std::uint16_t value) { return std::uint64_t{value} << 16 | value; }

/// Erased flash that takes memory only where it is written: each block is a private mapping of one file of
/// ones.
std::uint8_t* map_erased(std::uint64_t size) {
  constexpr std::uint64_t kBlock = CfiFlash::kBlockBytes;
  const int fd = memfd_create("gstage-erased-flash", MFD_CLOEXEC);
  CHECK(fd >= 0 && ftruncate(fd, kBlock) == 0);
  const auto map = [fd](void* at, std::uint64_t bytes, int flags) {
    void* const memory = mmap(at, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    CHECK(memory != MAP_FAILED);
    return static_cast<std::uint8_t*>(memory);
  };
  std::uint8_t* const ones = map(nullptr, kBlock, MAP_SHARED);
  std::memset(ones, kErased, kBlock);
  munmap(ones, kBlock);
  // Reserves the addresses; what is behind the file's end is mapped anew.
  std::uint8_t* const first = map(nullptr, size, MAP_PRIVATE | MAP_NORESERVE);
  for (std::uint64_t at = kBlock; at < size; at += kBlock)
    map(first + at, kBlock, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED);
  close(fd);
  return first;
}

}  // namespace

CfiFlash::CfiFlash(std::uint64_t size) : size_(size), is_used_(size / kBlockBytes) {
  CHECK(std::has_single_bit(size) && size % kBlockBytes == 0);
  contents_ = map_erased(size);
}

CfiFlash::~CfiFlash() { munmap(contents_, size_); }

Status CfiFlash::use_image(const std::string& what, std::shared_ptr<BlockBackend> image) {
  if (image->size() != size_)
    return error("%s: the image has %" PRIu64 " bytes and the flash bank %" PRIu64
                 ": make it as large (truncate -s %" PRIu64 "M does)",
                 what.c_str(), image->size(), size_, size_ >> 20);
  std::vector<std::byte> bytes(kBlockBytes);
  for (std::size_t number = 0; number < is_used_.size(); ++number) {
    if (const int failure = image->read(number * kBlockBytes, bytes); failure != 0)
      return error("%s: the image cannot be read: %s", what.c_str(), std::strerror(failure));
    // Erased blocks go on taking no memory.
    if (std::memcmp(block(number).data(), bytes.data(), kBlockBytes) == 0) continue;
    std::memcpy(block(number).data(), bytes.data(), kBlockBytes);
    is_used_[number] = 1;
  }
  is_locked_ = image->is_read_only();
  image_ = std::move(image);
  return Ok{};
}

void CfiFlash::reset() {
  const std::lock_guard lock(mutex_);
  state_ = State{};
}

std::span<std::uint8_t> CfiFlash::block(std::size_t number) const {
  return {contents_ + number * kBlockBytes, kBlockBytes};
}

void CfiFlash::visit(Visitor& visitor) {
  visitor.field("mode", state_.mode, Mode::kBufferConfirm);
  visitor.field("status", state_.status);
  visitor.field("buffer_left", state_.buffer_left, kBufferWords);
  visitor.list("buffer", state_.buffer, kBufferWords);
  std::erase_if(state_.buffer, [this](const BufferedWrite& write) {
    return write.size > sizeof write.value || write.offset > size_ - write.size;
  });
  // Of the contents what is not erased.
  const std::vector<std::uint8_t> was_used = is_used_;
  visitor.block("is_used", is_used_);
  for (std::size_t number = 0; number < is_used_.size(); ++number) {
    if (is_used_[number] != 0)
      visitor.block(("block." + std::to_string(number)).c_str(), block(number));
    else if (was_used[number] != 0)
      std::memset(block(number).data(), kErased, kBlockBytes);
  }
  if (visitor.is_loading() && changed_) changed_(0, size_);
}

/// Into the bank, not into its image: what is loaded is loaded again at the next start.
void CfiFlash::load(std::uint64_t offset, std::span<const std::byte> bytes) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(offset <= size_ && bytes.size() <= size_ - offset);
    std::memcpy(contents_ + offset, bytes.data(), bytes.size());
    for (std::uint64_t at = offset; at < offset + bytes.size(); at = (at / kBlockBytes + 1) * kBlockBytes)
      is_used_[at / kBlockBytes] = 1;
  }
  if (changed_) changed_(offset, bytes.size());
}

std::uint64_t CfiFlash::read_array(std::uint64_t offset, unsigned size) const {
  std::uint64_t value = 0;
  std::memcpy(&value, contents_ + offset, size);
  return value;
}

bool CfiFlash::is_open(std::uint8_t bit) {
  if (is_locked_) state_.status |= bit | kLocked;
  return !is_locked_;
}

void CfiFlash::keep(const Range& range, std::uint8_t bit) {
  changes_.push_back(range);
  if (image_ == nullptr) return;
  const int failure =
      image_->write(range.offset, std::as_bytes(std::span(contents_ + range.offset, range.size)));
  if (failure == 0) return;
  state_.status |= bit;
  if (!has_failed_) warn("flash: its image cannot be written: %s", std::strerror(failure));
  has_failed_ = true;
}

void CfiFlash::program(std::uint64_t offset, std::uint64_t size, std::uint64_t value) {
  std::uint64_t word = 0;
  std::memcpy(&word, contents_ + offset, size);
  word &= value;
  std::memcpy(contents_ + offset, &word, size);
  is_used_[offset / kBlockBytes] = 1;
}

/// Writes that follow one another are one of the image's.
void CfiFlash::program_buffer() {
  Range run;
  for (const BufferedWrite& write : state_.buffer) {
    program(write.offset, write.size, write.value);
    if (run.size != 0 && write.offset != run.offset + run.size) {
      keep(run, kProgramError);
      run.size = 0;
    }
    if (run.size == 0) run.offset = write.offset;
    run.size += write.size;
  }
  if (run.size != 0) keep(run, kProgramError);
}

void CfiFlash::erase_block(std::uint64_t offset) {
  const std::size_t number = offset / kBlockBytes;
  std::memset(block(number).data(), kErased, kBlockBytes);
  is_used_[number] = 0;
  keep({number * kBlockBytes, kBlockBytes}, kEraseError);
}

std::uint16_t CfiFlash::identify(std::uint64_t word) const {
  switch (word & 0xff) {
    case 0: return kManufacturer;
    case 1: return kDevice;
    case 2: return is_locked_ ? 1 : 0;
    default: return 0;
  }
}

std::uint16_t CfiFlash::query(std::uint64_t word) const {
  // JESD68, tables 1 to 4, then Intel's primary extended table. Sizes are those of one chip.
  const auto chip_shift = static_cast<std::uint8_t>(std::countr_zero(size_ / kChips));
  const std::uint64_t blocks = size_ / kBlockBytes - 1;
  const std::uint64_t block_units = kBlockBytes / kChips / 256;
  const std::uint8_t table[] = {
      'Q',
      'R',
      'Y',  // 10: signature
      0x01,
      0x00,
      0x31,
      0x00,  // 13: primary command set and its table
      0x00,
      0x00,
      0x00,
      0x00,  // 17: no alternative
      0x45,
      0x55,
      0x00,
      0x00,  // 1b: supply 4.5–5.5 V, no programming voltage
      0x07,
      0x07,
      0x0a,
      0x00,  // 1f: typical times, log2 of µs or ms
      0x04,
      0x04,
      0x04,
      0x00,  // 23: maximum times, log2 of multiples
      chip_shift,
      0x02,
      0x00,  // 27: size, interface x8/x16
      kBufferShift,
      0x00,
      0x01,  // 2a: write buffer, one erase region
      static_cast<std::uint8_t>(blocks),
      static_cast<std::uint8_t>(blocks >> 8),
      static_cast<std::uint8_t>(block_units),
      static_cast<std::uint8_t>(block_units >> 8),
      'P',
      'R',
      'I',
      '1',
      '0',  // 31: primary table, version 1.0
      0x00,
      0x00,
      0x00,
      0x00,
      0x00,
      0x00,
      0x00,
      0x00,  // 36: no optional features
      0x00,
      0x00,
  };
  constexpr std::uint64_t kFirst = 0x10;
  if (word < kFirst || word - kFirst >= sizeof table) return 0;
  return table[word - kFirst];
}

bool CfiFlash::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  const std::lock_guard lock(mutex_);
  if (state_.mode == Mode::kArray) {
    value = read_array(offset, size);
    return true;
  }
  const std::uint64_t word = offset / kBusBytes;
  std::uint64_t answer = 0;
  switch (state_.mode) {
    case Mode::kIdentify: answer = on_both_chips(identify(word)); break;
    case Mode::kQuery: answer = on_both_chips(query(word)); break;
    default: answer = on_both_chips(state_.status); break;
  }
  value = size == 8 ? answer << 32 | answer : answer >> (offset % kBusBytes * 8) & mask(size);
  return true;
}

bool CfiFlash::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  std::vector<Range> changes;
  {
    const std::lock_guard lock(mutex_);
    if (!continue_command(offset, size, value)) start_command(offset, static_cast<std::uint8_t>(value));
    changes.swap(changes_);
  }
  if (changed_)
    for (const Range& range : changes) changed_(range.offset, range.size);
  return true;
}

bool CfiFlash::continue_command(std::uint64_t offset, unsigned size, std::uint64_t value) {
  const auto command = static_cast<std::uint8_t>(value);
  switch (state_.mode) {
    case Mode::kProgram:
      if (is_open(kProgramError)) {
        program(offset, size, value);
        keep({offset, size}, kProgramError);
      }
      state_.mode = Mode::kStatus;
      return true;
    case Mode::kErase:
      if (command == kConfirm) {
        if (is_open(kEraseError)) erase_block(offset);
      } else {
        state_.status |= kEraseError | kProgramError;  // a command sequence error
      }
      state_.mode = command == kReadArray ? Mode::kArray : Mode::kStatus;
      return true;
    case Mode::kLock:  // locks are accepted and have no effect
      state_.mode = command == kReadArray ? Mode::kArray : Mode::kStatus;
      return true;
    case Mode::kBufferCount:
    case Mode::kBufferData:
    case Mode::kBufferConfirm: fill_buffer(offset, size, value); return true;
    default: return false;
  }
}

void CfiFlash::fill_buffer(std::uint64_t offset, unsigned size, std::uint64_t value) {
  if (state_.mode == Mode::kBufferCount) {
    state_.buffer.clear();
    state_.buffer_left = static_cast<unsigned>(value & 0xffff) + 1;
    state_.mode = Mode::kBufferData;
    if (state_.buffer_left <= kBufferWords) return;
    state_.buffer_left = 0;
    state_.status |= kEraseError | kProgramError;
    state_.mode = Mode::kStatus;
    return;
  }
  if (state_.mode == Mode::kBufferData) {
    state_.buffer.push_back({offset, size, value});
    if (--state_.buffer_left == 0) state_.mode = Mode::kBufferConfirm;
    return;
  }
  if (static_cast<std::uint8_t>(value) == kConfirm) {
    if (is_open(kProgramError)) program_buffer();
  } else {
    state_.status |= kEraseError | kProgramError;
  }
  state_.buffer.clear();
  state_.mode = Mode::kStatus;
}

void CfiFlash::start_command(std::uint64_t offset, std::uint8_t command) {
  switch (command) {
    case 0x00:  // some drivers send zero as a second form of read array
    case kReadArray: state_.mode = Mode::kArray; return;
    case kProgramAlternative:
    case kProgramWord: state_.mode = Mode::kProgram; return;
    case kBlockErase: state_.mode = Mode::kErase; return;
    case kClearStatus:
      state_.status = kReady;
      state_.mode = Mode::kArray;
      return;
    case kLockSetup: state_.mode = Mode::kLock; return;
    case kSuspend:  // nothing ever takes long enough to be suspended
    case kConfirm:
    case kReadStatus: state_.mode = Mode::kStatus; return;
    case kIdentifyChip: state_.mode = Mode::kIdentify; return;
    case kCfiQuery: state_.mode = Mode::kQuery; return;
    case kWriteBuffer: state_.mode = Mode::kBufferCount; return;
    default:
      log_line(Log::kGuestErrors, "flash: no command 0x%02x (at offset 0x%" PRIx64 ")", command, offset);
      state_.mode = Mode::kArray;
  }
}

void CfiFlash::describe_banks(FdtBuilder& fdt, const NodePlace& place, unsigned banks) {
  const auto node = fdt.node("flash", place.base);
  fdt.cell("bank-width", kBusBytes);
  std::vector<std::uint32_t> reg;
  for (unsigned bank = 0; bank < banks; ++bank) {
    const std::uint64_t base = place.base + bank * place.size;
    reg.insert(reg.end(),
               {static_cast<std::uint32_t>(base >> 32), static_cast<std::uint32_t>(base),
                static_cast<std::uint32_t>(place.size >> 32), static_cast<std::uint32_t>(place.size)});
  }
  fdt.cells("reg", reg);
  fdt.string("compatible", "cfi-flash");
}

}  // namespace gstage::hw
