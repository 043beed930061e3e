// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hw/virtio/features.h"
#include "hw/virtio/scsi.h"

#include "tests/unit/hw_virtio_transports.h"

namespace gstage::hw {

/// Plays the driver of a virtio-scsi adapter: a machine of RAM and the adapter behind either transport.
/// Queues are the control queue, the events' and two of requests.
class ScsiHost {
 public:
  static constexpr std::uint64_t kRam = 0x8000'0000, kRamSize = 1 << 20;
  static constexpr std::uint64_t kHead = kRam + 0x8'0000, kAnswer = kHead + 0x1000;
  static constexpr std::uint64_t kOut = kHead + 0x2000, kIn = kHead + 0x2'0000;
  static constexpr std::uint32_t kSenseBytes = 96, kCdbBytes = 32;
  static constexpr unsigned kQueues = 4;
  using Bytes = std::vector<std::uint8_t>;

  struct Result {
    unsigned response = 0xff;
    unsigned status = 0xff;
    ScsiSense sense{};
    std::uint32_t residual = 0;
    std::uint32_t written = 0;  ///< as the ring says
    Bytes data;                 ///< the data-in buffer
    [[nodiscard]] bool is_good() const { return response == 0 && status == 0; }
  };

  explicit ScsiHost(bool is_pci, unsigned threads = 0) : workers(threads) {
    EXPECT_TRUE(memory.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory.seal();
    VirtioScsiOptions options;
    options.queues = 2;
    auto device = std::make_unique<VirtioScsi>(options);
    scsi = device.get();
    VirtioParts parts{memory, workers, std::move(device)};
    if (is_pci)
      transport = std::make_unique<PciDriver>(std::move(parts), true);
    else
      transport = std::make_unique<MmioDriver>(std::move(parts));
  }

  /// Puts a unit on the bus.
  Status add(std::shared_ptr<BlockBackend> medium, const ScsiUnitOptions& options,
             const ScsiDevice::Place& place = {}) {
    return scsi->units().plug(std::make_unique<ScsiDevice>(std::move(medium), options, place));
  }
  void start() {
    transport->set_status(0);
    transport->set_status(3);
    transport->set_driver_features(kVersion1);
    transport->set_status(11);
    ASSERT_EQ(transport->status() & 8, 8u);
    rings.clear();
    for (unsigned queue = 0; queue < kQueues; ++queue) {
      rings.push_back(std::make_unique<SplitDriverRing>(memory, kRam + queue * DriverRing::kBytes, false));
      transport->enable_queue(queue, *rings.back());
    }
    transport->set_status(15);
  }

  /// Sends a buffer and waits for it.
  std::uint32_t send(unsigned queue, const std::vector<Piece>& pieces) {
    rings[queue]->offer(pieces);
    transport->notify(queue);
    UsedBuffer used{};
    EXPECT_TRUE(eventually([&] { return rings[queue]->take_used(used); }));
    return used.length;
  }
  /// Executes a command with data in one direction or none.
  Result run(const Bytes& cdb, const Bytes& out = {}, std::uint32_t in = 0, unsigned queue = 2) {
    return run_raw({1, to.target, static_cast<std::uint8_t>(to.lun >> 8 | 0x40),
                    static_cast<std::uint8_t>(to.lun), 0, 0, 0, 0},
                   cdb, out, in, queue);
  }
  Result run_raw(const std::array<std::uint8_t, 8>& lun, const Bytes& cdb, const Bytes& out, std::uint32_t in,
                 unsigned queue) {
    const Bytes head = make_head(lun, cdb);
    put(kHead, head);
    put(kOut, out);
    put(kIn, Bytes(in, 0xee));
    put(kAnswer, Bytes(12 + kSenseBytes, 0xee));
    std::vector<Piece> pieces{{kHead, static_cast<std::uint32_t>(head.size())}};
    if (!out.empty()) pieces.push_back({kOut, static_cast<std::uint32_t>(out.size())});
    pieces.push_back({kAnswer, 12 + kSenseBytes, true});
    if (in != 0) pieces.push_back({kIn, in, true});
    Result result;
    result.written = send(queue, pieces);
    const Bytes answer = get(kAnswer, 12 + kSenseBytes);
    result.residual =
        answer[4] | answer[5] << 8 | answer[6] << 16 | static_cast<std::uint32_t>(answer[7]) << 24;
    result.status = answer[10];
    result.response = answer[11];
    if (answer[0] != 0) result.sense = {static_cast<std::uint8_t>(answer[14] & 0xf), answer[24], answer[25]};
    result.data = get(kIn, in);
    return result;
  }
  /// Of a buffer of the control queue; 0xff: it was not written.
  unsigned manage(std::uint32_t function, const ScsiAddress& unit) {
    put(kHead, {0,
                0,
                0,
                0,
                static_cast<std::uint8_t>(function),
                0,
                0,
                0,
                1,
                unit.target,
                static_cast<std::uint8_t>(unit.lun >> 8 | 0x40),
                static_cast<std::uint8_t>(unit.lun),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0});
    put(kAnswer, {0xff});
    EXPECT_EQ(send(0, {{kHead, 24}, {kAnswer, 1, true}}), 1u);
    return get(kAnswer, 1)[0];
  }
  void put(std::uint64_t at, const Bytes& bytes) {
    ASSERT_TRUE(bytes.empty() || memory.write(Paddr{at}, bytes.data(), bytes.size()));
  }
  Bytes get(std::uint64_t at, std::size_t size) {
    Bytes bytes(size);
    EXPECT_TRUE(size == 0 || memory.read(Paddr{at}, bytes.data(), size));
    return bytes;
  }

  AddressSpace memory;
  WorkerPool workers;
  VirtioScsi* scsi = nullptr;
  std::unique_ptr<DriverTransport> transport;
  std::vector<std::unique_ptr<DriverRing>> rings;
  ScsiAddress to;  ///< whom `run` addresses

 private:
  static Bytes make_head(const std::array<std::uint8_t, 8>& lun, const Bytes& cdb) {
    Bytes head(19 + kCdbBytes);
    std::copy(lun.begin(), lun.end(), head.begin());
    std::copy(cdb.begin(), cdb.end(), head.begin() + 19);
    return head;
  }
};

}  // namespace gstage::hw
