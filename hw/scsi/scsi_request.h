// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "hw/scsi/scsi_bytes.h"
#include "hw/virtio/chain.h"

namespace gstage::hw {

/// Why a command failed: sense key, additional sense code and its qualifier (SPC-5, 4.4).
struct ScsiSense {
  std::uint8_t key;
  std::uint8_t code;
  std::uint8_t qualifier;
  bool operator==(const ScsiSense&) const = default;
};

/// The senses that there are here.
namespace senses {
inline constexpr ScsiSense kNone{0x0, 0x00, 0x00};
inline constexpr ScsiSense kNoMedium{0x2, 0x3a, 0x00};
inline constexpr ScsiSense kWriteError{0x3, 0x0c, 0x00};
inline constexpr ScsiSense kReadError{0x3, 0x11, 0x00};
inline constexpr ScsiSense kParameterListLength{0x5, 0x1a, 0x00};
inline constexpr ScsiSense kInvalidOpcode{0x5, 0x20, 0x00};
inline constexpr ScsiSense kOutOfRange{0x5, 0x21, 0x00};
inline constexpr ScsiSense kInvalidField{0x5, 0x24, 0x00};
inline constexpr ScsiSense kNoSuchUnit{0x5, 0x25, 0x00};
inline constexpr ScsiSense kInvalidParameter{0x5, 0x26, 0x00};
inline constexpr ScsiSense kNoSavedPages{0x5, 0x39, 0x00};
inline constexpr ScsiSense kRemovalPrevented{0x5, 0x53, 0x02};
inline constexpr ScsiSense kMediumChanged{0x6, 0x28, 0x00};
inline constexpr ScsiSense kPowerOn{0x6, 0x29, 0x00};
inline constexpr ScsiSense kUnitReset{0x6, 0x29, 0x03};
inline constexpr ScsiSense kNexusLoss{0x6, 0x29, 0x07};
inline constexpr ScsiSense kWriteProtected{0x7, 0x27, 0x00};
inline constexpr ScsiSense kNoSpace{0x7, 0x27, 0x07};
}  // namespace senses

/// In the fixed format, 18 bytes.
ScsiBytes fixed_sense(const ScsiSense& sense);
/// In the descriptor format, without descriptors.
ScsiBytes descriptor_sense(const ScsiSense& sense);

/// One command on its way, and what came of it. Used again for the next one, so that in the long run a
/// command costs no allocation.
struct ScsiRequest {
  static constexpr std::size_t kCdbBytes = 32;

  AddressSpace* memory = nullptr;
  std::array<std::uint8_t, kCdbBytes> cdb{};  ///< bytes that the initiator did not send are zero
  BufferElements to_unit;                     ///< data-out buffer
  BufferElements to_guest;                    ///< data-in buffer
  BufferElements part;                        ///< room to work

  // The outcome; good, until it is something else.
  ScsiSense sense = senses::kNone;
  std::uint64_t moved = 0;  ///< bytes of either buffer
  bool is_overrun = false;  ///< the buffers are smaller than what the command says

  /// For the next command: all but the buffers.
  void begin(std::span<const std::uint8_t> new_cdb);
  void fail(const ScsiSense& why) { sense = why; }
  [[nodiscard]] bool is_good() const { return sense == senses::kNone; }
  /// A number in the command.
  [[nodiscard]] std::uint64_t number(std::size_t at, unsigned size) const {
    return scsi_number(cdb, at, size);
  }
  /// Answers with at most `allocation` bytes of these.
  void reply(const ScsiBytes& bytes, std::uint64_t allocation);
  /// Takes the parameters that come with the command; false, and it is failed, if there are too few.
  bool take(std::span<std::uint8_t> parameters);
};

/// How long a command is, by the group that its operation code is in; 0: nobody says.
unsigned scsi_cdb_bytes(std::uint8_t opcode);

}  // namespace gstage::hw
