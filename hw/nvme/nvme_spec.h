// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "hw/virtio/chain.h"

namespace gstage::hw {

/// An entry of a submission queue (NVM Express 1.4, 4.2).
struct NvmeCommand {
  std::uint8_t opcode;
  std::uint8_t flags;  ///< fused operation, kind of the data pointer
  std::uint16_t id;
  std::uint32_t nsid;
  std::uint32_t words2[2];
  std::uint64_t metadata;
  std::uint64_t prp[2];
  std::uint32_t words10[6];  ///< command words 10 to 15

  /// Command word 10 to 15.
  [[nodiscard]] std::uint32_t word(unsigned number) const { return words10[number - 10]; }
  /// Words `number` and the next as one.
  [[nodiscard]] std::uint64_t wide(unsigned number) const {
    return std::uint64_t{word(number + 1)} << 32 | word(number);
  }
};
static_assert(sizeof(NvmeCommand) == 64);

/// An entry of a completion queue.
struct NvmeCompletion {
  std::uint32_t result;
  std::uint32_t reserved;
  std::uint16_t queue_head;
  std::uint16_t queue;
  std::uint16_t id;
  std::uint16_t status;  ///< bit 0: the phase
};
static_assert(sizeof(NvmeCompletion) == 16);

/// What becomes of a command: status code, and its type from bit 8 on (4.6.1).
enum class NvmeStatus : std::uint16_t {
  kSuccess = 0x000,
  kInvalidOpcode = 0x001,
  kInvalidField = 0x002,
  kDataTransfer = 0x004,
  kInternal = 0x006,
  kInvalidNamespace = 0x00b,
  kInvalidPrpOffset = 0x013,
  kWriteProtected = 0x020,
  kOutOfRange = 0x080,
  kNoSpace = 0x081,
  kInvalidCompletionQueue = 0x100,
  kInvalidQueueId = 0x101,
  kInvalidQueueSize = 0x102,
  kTooManyEventRequests = 0x105,
  kInvalidVector = 0x108,
  kInvalidLogPage = 0x109,
  kInvalidQueueDeletion = 0x10c,
  kNotSaveable = 0x10d,
  kNotChangeable = 0x10e,
  kWriteFault = 0x280,
  kReadError = 0x281,
};

/// A command on its way, and room to work on it. A queue uses one again and again.
struct NvmeRequest {
  NvmeCommand command{};
  BufferElements data;
  std::uint32_t result = 0;
  bool is_kept = false;  ///< it is completed later, if ever
};

/// Memory that a command may name.
struct NvmeTransfer {
  AddressSpace& memory;
  std::uint32_t page_bytes;  ///< a power of two
  std::uint32_t max_bytes;   ///< of one command
};

/// Finds the `bytes` of memory that the command's PRP entries name (4.3). Guests may change lists meanwhile:
/// each entry is read once.
NvmeStatus map_data(const NvmeTransfer& transfer, NvmeRequest& request, std::uint64_t bytes);

}  // namespace gstage::hw
