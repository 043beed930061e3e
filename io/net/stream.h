// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/net/address.h"
#include "io/net/peer.h"

namespace gstage {

/// `-netdev stream` and the connections of `-netdev socket`: a wire to another emulator. Each frame is sent
/// behind its length, 32 bits in network order.
struct StreamNetOptions {
  std::string id;
  NetAddress address;
  bool is_server = false;
  std::uint32_t reconnect_ms = 0;  ///< after that a client that lost its server tries again; 0: never
};

/// A server listens, and a client is connected, once this returns; a client that is to reconnect need not
/// find its server.
Result<std::shared_ptr<NetBackend>> make_stream_net(const StreamNetOptions& options);

/// Takes frames out of the bytes of a stream. What a peer says of lengths is not believed: there is never
/// more kept than one frame.
class FrameStream {
 public:
  static constexpr std::size_t kLengthBytes = 4;

  /// Where the next bytes go.
  std::span<std::uint8_t> room();
  /// So many bytes came. False: a length that no frame has; the stream makes no sense any more.
  bool came(std::size_t size);
  /// The next whole frame, empty when there is none; valid until `drop` or `room`.
  [[nodiscard]] std::span<const std::uint8_t> frame() const;
  void drop();
  void clear() { begin_ = end_ = 0; }

 private:
  [[nodiscard]] std::size_t length() const;

  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kLengthBytes + NetFrame::kMaxBytes);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace gstage
