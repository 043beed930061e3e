// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/mem/address_space.h"
#include "io/block/block.h"
#include "hw/core/loadable.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// One bank of NOR flash: two 16-bit chips side by side on a 32-bit bus, with the Common Flash Memory
/// Interface (JEDEC JESD68) and the Intel/Sharp extended command set (0001). Programming can only clear bits,
/// erasing sets a block to ones. Contents last until the program ends or, with an image, are written to that
/// as they change; a bank whose image is read-only is locked.
class CfiFlash final : public SystemDevice, public MmioHandler, public Loadable {
 public:
  static constexpr std::uint64_t kBlockBytes = 256 << 10;  ///< of the bank: 128 KiB of each chip

  /// `size` in bytes, a power of two and a multiple of kBlockBytes. Memory is taken when it is written.
  explicit CfiFlash(std::uint64_t size);
  ~CfiFlash() override;
  CfiFlash(const CfiFlash&) = delete;
  CfiFlash& operator=(const CfiFlash&) = delete;

  /// Takes over the contents of an image of the bank's size, once, before the machine runs. An error: it has
  /// another size, or cannot be read.
  Status use_image(const std::string& what, std::shared_ptr<BlockBackend> image);
  /// The contents, for harts to execute: `size` bytes, which stay where they are.
  [[nodiscard]] const std::byte* contents() const { return reinterpret_cast<const std::byte*>(contents_); }
  /// `changed(offset, size)` is told after contents have changed, with no lock held.
  using Changed = std::function<void(std::uint64_t offset, std::uint64_t size)>;
  void set_changed(Changed changed) { changed_ = std::move(changed); }

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

  /// Bytes of the contents.
  struct Range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };

  [[nodiscard]] std::span<std::uint8_t> block(std::size_t number) const;
  [[nodiscard]] std::uint64_t read_array(std::uint64_t offset, unsigned size) const;
  void program(std::uint64_t offset, std::uint64_t size, std::uint64_t value);
  void program_buffer();
  void erase_block(std::uint64_t offset);
  /// Whether blocks can be changed; else the chips say that they are locked, and set the bit of their status.
  bool is_open(std::uint8_t bit);
  /// Writes changed contents to the image; where that fails, the chips set the bit of their status.
  void keep(const Range& range, std::uint8_t bit);
  /// A write in a mode that waits for one; false when the byte is a command of its own.
  bool continue_command(std::uint64_t offset, unsigned size, std::uint64_t value);
  void start_command(std::uint64_t offset, std::uint8_t command);
  void fill_buffer(std::uint64_t offset, unsigned size, std::uint64_t value);
  [[nodiscard]] std::uint16_t query(std::uint64_t word) const;
  [[nodiscard]] std::uint16_t identify(std::uint64_t word) const;

  std::mutex mutex_;
  std::uint64_t size_;
  std::uint8_t* contents_;
  std::vector<std::uint8_t> is_used_;  ///< whether a block was programmed since it was erased
  State state_;
  std::shared_ptr<BlockBackend> image_;  ///< null: none
  bool is_locked_ = false;               ///< the image is read-only
  bool has_failed_ = false;              ///< the image could not be written, and the user knows
  Changed changed_;
  std::vector<Range> changes_;  ///< of the access that is going on, for `changed_`
};

}  // namespace gstage::hw
