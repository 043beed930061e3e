// SPDX-License-Identifier: Apache-2.0
#include "hw/misc/fw_cfg.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstring>
#include <iterator>
#include <utility>

#include "softmmu/base/check.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kDmaSignature = 0x51454d5520434647;  // "QEMU CFG"
enum DmaControl : std::uint32_t {
  kDmaError = 1,
  kDmaRead = 2,
  kDmaSkip = 4,
  kDmaSelect = 8,
  kDmaWrite = 16,
};
constexpr std::size_t kFileNameBytes = FwCfg::kMaxFileName + 1;
constexpr std::size_t kChunk = 64 << 10;  ///< bytes that a request copies at once

void append_big_endian(std::vector<std::uint8_t>& to, std::uint64_t value, unsigned size) {
  for (unsigned i = size; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> (i * 8)));
}

}  // namespace

std::span<const Register<FwCfg>> FwCfg::registers() {
  using F = FwCfg;
  static constexpr Register<F> kTable[] = {
      {0x00, 8, "data", &F::read_data, &F::write_data, 1, 0, 1 | 2 | 4 | 8, true},
      {0x08, 2, "selector", nullptr, &F::write_selector},
      {0x10, 4, "DMA address", &F::read_dma_signature, &F::write_dma_address, 2, 0, 4 | 8, true},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

FwCfg::FwCfg(AddressSpace& memory) : memory_(memory) {
  add_item(kSignature, {'Q', 'E', 'M', 'U'});
  add_number(kInterfaces, 3, 4);  // bit 0: selector and data; bit 1: DMA
  build_directory();
}

void FwCfg::add_item(std::uint16_t key, std::vector<std::uint8_t> bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  items_[key] = {std::move(bytes), size};
}

void FwCfg::add_number(std::uint16_t key, std::uint64_t value, unsigned size) {
  std::vector<std::uint8_t> bytes(size);
  for (unsigned i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (i * 8));
  add_item(key, std::move(bytes));
}

void FwCfg::add_text(std::uint16_t key, const std::string& text) {
  add_item(key, {text.c_str(), text.c_str() + text.size() + 1});
}

void FwCfg::add_source(std::uint16_t key, std::uint32_t size, Reader read) {
  items_[key] = {{}, size, std::move(read)};
}

void FwCfg::add_file(const std::string& name, std::vector<std::uint8_t> bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  put_file(name, {std::move(bytes), size});
}

void FwCfg::add_file(const std::string& name, std::uint32_t size, Reader read) {
  put_file(name, {{}, size, std::move(read)});
}

void FwCfg::put_file(const std::string& name, Item item) {
  CHECK(name.size() <= kMaxFileName);
  const std::lock_guard lock(mutex_);
  files_[name] = std::move(item);
  build_directory();
}

void FwCfg::build_directory() {
  std::vector<std::uint8_t> directory;
  append_big_endian(directory, files_.size(), 4);
  std::uint16_t key = kFirstFile;
  for (const auto& [file, item] : files_) {
    append_big_endian(directory, item.size, 4);
    append_big_endian(directory, key++, 2);
    append_big_endian(directory, 0, 2);
    std::array<std::uint8_t, kFileNameBytes> name{};
    std::memcpy(name.data(), file.data(), file.size());
    directory.insert(directory.end(), name.begin(), name.end());
  }
  add_item(kFileDirectory, std::move(directory));
}

const FwCfg::Item* FwCfg::selected() const {
  const unsigned file = state_.key - unsigned{kFirstFile};
  if (state_.key >= kFirstFile && file < files_.size()) return &std::next(files_.begin(), file)->second;
  const auto item = items_.find(state_.key);
  return item == items_.end() ? nullptr : &item->second;
}

void FwCfg::reset() {
  const std::lock_guard lock(mutex_);
  state_ = State{};
}

/// The items are the machine's, which is built alike.
void FwCfg::visit(Visitor& visitor) {
  visitor.field("key", state_.key);
  visitor.field("offset", state_.offset);
  visitor.field("dma_high", state_.dma_high);
}

void FwCfg::select(std::uint16_t key) {
  state_.key = key;
  state_.offset = 0;
}

void FwCfg::take(std::span<std::byte> to) {
  const Item* const item = selected();
  const std::uint32_t left = item == nullptr || item->size < state_.offset ? 0 : item->size - state_.offset;
  const std::span<std::byte> known = to.first(std::min<std::size_t>(left, to.size()));
  std::fill(to.begin(), to.end(), std::byte{0});
  if (known.empty()) return;
  if (item->read == nullptr) {
    std::memcpy(known.data(), item->bytes.data() + state_.offset, known.size());
  } else if (!item->read(state_.offset, known) && !std::exchange(has_failed_, true)) {
    warn("fw-cfg: a file that firmware reads is not what it was when the machine was built");
  }
  state_.offset += static_cast<std::uint32_t>(known.size());
}

std::uint64_t FwCfg::read_data(Access access) {
  // Bytes keep their order in memory whatever the size of the access.
  std::uint64_t value = 0;
  take({reinterpret_cast<std::byte*>(&value), access.size});
  return value;
}

void FwCfg::write_data(Access, std::uint64_t) {
  log_line(Log::kGuestErrors, "fw-cfg: item 0x%x cannot be written", state_.key);
}

void FwCfg::write_selector(Access, std::uint64_t value) {
  select(__builtin_bswap16(static_cast<std::uint16_t>(value)));
}

std::uint64_t FwCfg::read_dma_signature(Access access) {
  if (access.size == 8) return __builtin_bswap64(kDmaSignature);
  return __builtin_bswap32(static_cast<std::uint32_t>(kDmaSignature >> (access.index == 0 ? 32 : 0)));
}

void FwCfg::write_dma_address(Access access, std::uint64_t value) {
  if (access.size == 8) return run_dma(Paddr{__builtin_bswap64(value)});
  const std::uint32_t half = __builtin_bswap32(static_cast<std::uint32_t>(value));
  if (access.index == 0) {
    state_.dma_high = half;
    return;
  }
  const Paddr request_at{(std::uint64_t{state_.dma_high} << 32) | half};
  state_.dma_high = 0;
  run_dma(request_at);
}

bool FwCfg::read_to_guest(Paddr to, std::uint32_t length) {
  std::vector<std::byte> buffer(std::min<std::size_t>(length, kChunk));
  for (std::uint32_t done = 0; done < length;) {
    const std::size_t part = std::min<std::size_t>(length - done, buffer.size());
    take({buffer.data(), part});
    if (!memory_.write(to + done, buffer.data(), part)) return false;
    done += static_cast<std::uint32_t>(part);
  }
  return true;
}

void FwCfg::run_dma(Paddr request_at) {
  DmaRequest request{};
  if (!memory_.read(request_at, &request, sizeof request)) {
    log_line(Log::kGuestErrors, "fw-cfg: DMA request at 0x%" PRIx64 " is not in memory", request_at.value);
    return;
  }
  const std::uint32_t control = __builtin_bswap32(request.control);
  const std::uint32_t length = __builtin_bswap32(request.length);
  const Paddr address{__builtin_bswap64(request.address)};
  bool is_good = true;
  if ((control & kDmaSelect) != 0) select(static_cast<std::uint16_t>(control >> 16));
  if ((control & kDmaRead) != 0) {
    is_good = read_to_guest(address, length);
  } else if ((control & kDmaWrite) != 0) {
    is_good = false;
  } else if ((control & kDmaSkip) != 0) {
    const Item* const item = selected();
    const std::uint64_t size = item == nullptr ? 0 : item->size;
    state_.offset =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(state_.offset + std::uint64_t{length}, size));
  }
  if (!is_good) log_line(Log::kGuestErrors, "fw-cfg: DMA request with control 0x%x failed", control);
  const std::uint32_t result = __builtin_bswap32(is_good ? 0u : std::uint32_t{kDmaError});
  memory_.write(request_at, &result, sizeof result);
}

void FwCfg::describe(FdtBuilder& fdt) const {
  const auto node = fdt.node("fw-cfg", place().base);
  fdt.empty("dma-coherent");
  fdt.wide_cells("reg", {place().base, place().size});
  fdt.string("compatible", "qemu,fw-cfg-mmio");
}

}  // namespace gstage::hw
