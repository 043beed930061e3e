// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "hw/core/loadable.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// One bank of NOR flash: two 16-bit chips side by side on a 32-bit bus, with the Common Flash Memory
/// Interface (JEDEC JESD68) and the Intel/Sharp extended command set (0001). Contents last until the program
/// ends; programming can only clear bits, erasing sets a block to ones.
class CfiFlash final : public SystemDevice, public MmioHandler, public Loadable {
 public:
  static constexpr std::uint64_t kBlockBytes = 256 << 10;  ///< of the bank: 128 KiB of each chip

  /// `size` in bytes, a power of two and a multiple of kBlockBytes. Memory is taken when it is written.
  explicit CfiFlash(std::uint64_t size);
  ~CfiFlash() override;
  CfiFlash(const CfiFlash&) = delete;
  CfiFlash& operator=(const CfiFlash&) = delete;

  [[nodiscard]] const char* driver() const override { return "cfi.pflash01"; }
  void reset() override;
  void visit(Visitor& visitor) override;
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  void load(std::uint64_t offset, std::span<const std::byte> bytes) override;
  /// One node for banks of equal size that follow one another, the first at `place`.
  static void describe_banks(FdtBuilder& fdt, const NodePlace& place, unsigned banks);

 private:
  enum class Mode : std::uint8_t {
    kArray,
    kStatus,
    kIdentify,
    kQuery,
    kProgram,      ///< the next write is data
    kErase,        ///< the next write confirms
    kLock,         ///< the next write says what to do with the lock
    kBufferCount,  ///< the next write is the number of words less one
    kBufferData,
    kBufferConfirm,
  };
  struct BufferedWrite {
    std::uint64_t offset;
    std::uint64_t size;
    std::uint64_t value;
  };
  struct State {
    Mode mode = Mode::kArray;
    std::uint8_t status = 0x80;  ///< ready
    unsigned buffer_left = 0;    ///< words still to come
    std::vector<BufferedWrite> buffer;
  };

  [[nodiscard]] std::span<std::uint8_t> block(std::size_t number) const;
  [[nodiscard]] std::uint64_t read_array(std::uint64_t offset, unsigned size) const;
  void program(std::uint64_t offset, std::uint64_t size, std::uint64_t value);
  void erase_block(std::uint64_t offset);
  /// A write in a mode that waits for one; false when the byte is a command of its own.
  bool continue_command(std::uint64_t offset, unsigned size, std::uint64_t value);
  void start_command(std::uint64_t offset, std::uint8_t command);
  void fill_buffer(std::uint64_t offset, unsigned size, std::uint64_t value);
  [[nodiscard]] std::uint16_t query(std::uint64_t word) const;
  [[nodiscard]] static std::uint16_t identify(std::uint64_t word);

  std::mutex mutex_;
  std::uint64_t size_;
  std::uint8_t* inverted_;  ///< the complement of the contents, so that untouched zero pages are erased flash
  std::vector<std::uint8_t> is_used_;  ///< whether a block was programmed since it was erased
  State state_;
};

}  // namespace gstage::hw
