// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "softmmu/base/result.h"
#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// A source of random bytes on the host.
class EntropySource {
 public:
  /// The kernel's generator (getrandom).
  EntropySource() = default;
  ~EntropySource();
  EntropySource(EntropySource&& other) noexcept;
  EntropySource& operator=(EntropySource&&) = delete;
  /// A file or device (`-object rng-random,filename=`).
  static Result<EntropySource> open(const std::string& path);

  /// Fills as much as the source has now, at least one byte; 0 when it failed.
  std::size_t read(std::span<std::uint8_t> to);

 private:
  int fd_ = -1;  ///< -1: getrandom
};

/// virtio-rng (Virtio 1.3, 5.4): fills each buffer at once.
class VirtioRng final : public VirtioDevice {
 public:
  explicit VirtioRng(EntropySource source) : source_(std::move(source)) {}

  [[nodiscard]] const char* driver() const override { return "virtio-rng-device"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 4; }
  [[nodiscard]] std::uint64_t features() const override { return 0; }
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override { return index == 0 ? 8 : 0; }
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  Served serve(unsigned index) override;

 private:
  EntropySource source_;
  Chain chain_;
  BufferElements part_;
};

}  // namespace gstage::hw
