// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/hw_state_virtio.h"

#include <algorithm>
#include <array>

#include "hw/virtio/features.h"

namespace gstage::hw {
namespace {

constexpr std::uint32_t kNet = 1, kBlk = 2, kConsole = 3, kScsi = 8, kNinep = 9;
constexpr unsigned kMaxQueues = 7;
constexpr unsigned kRingSize = 16;
/// Of a queue; the device uses buffers in their order, so the next one to offer is free when fewer wait.
constexpr unsigned kBuffers = 4;
constexpr unsigned kMaxPieces = kRingSize / kBuffers;
constexpr std::uint64_t kDescriptorBytes = 16;
enum Flag : std::uint16_t { kNext = 1, kWrite = 2, kIndirect = 4, kAvailable = 1 << 7, kUsed = 1 << 15 };

// The scratch memory: what the driver knows, then the queues.
constexpr std::uint64_t kQueues = 0x1000;
constexpr std::uint64_t kQueueBytes = 0x2000;
constexpr std::uint64_t kDriverArea = 0x100;
constexpr std::uint64_t kDeviceArea = 0x200;
constexpr std::uint64_t kTables = 0x400;
constexpr std::uint64_t kData = 0x800;
constexpr std::uint64_t kDataBytes = 0x400;
static_assert(kQueues + kMaxQueues * kQueueBytes <= kVirtioScratch);

/// What the driver knows of a queue.
struct QueueNotes {
  std::uint16_t size;
  std::uint16_t offered;  ///< buffers, modulo 65536
  std::uint16_t taken;
  // Of a packed ring:
  std::uint16_t available_at;
  std::uint16_t used_at;
  std::uint16_t available_wrap;
  std::uint16_t used_wrap;
  std::array<std::uint16_t, kBuffers> slots;
};
struct Notes {
  std::uint32_t is_up;
  std::uint32_t queues;
  std::uint64_t features;
  std::array<QueueNotes, kMaxQueues> queue;
};
static_assert(sizeof(Notes) <= kQueues);

struct SplitDescriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint16_t next;
};
struct PackedDescriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t id;
  std::uint16_t flags;
};
struct Piece {
  std::uint64_t address;
  std::uint32_t length;
  bool is_writable;
};

class Driver {
 public:
  Driver(Guest& guest, VirtioRegisters& registers, std::uint32_t virtio_id, std::uint64_t scratch)
      : guest_(guest),
        registers_(registers),
        virtio_id_(virtio_id),
        scratch_(scratch),
        notes_(guest.peek<Notes>(scratch)) {}

  void step();

 private:
  void start();
  void set_up(unsigned queue);
  void offer(unsigned queue);
  void take(unsigned queue);
  void want_interrupts(unsigned queue);
  void access_config();
  std::vector<Piece> make_buffer(unsigned queue, std::uint64_t at);
  std::vector<Piece> make_block_request(std::uint64_t at);
  std::vector<Piece> make_net_command(std::uint64_t at);
  std::vector<Piece> make_file_request(std::uint64_t at);
  std::vector<Piece> make_scsi_request(std::uint64_t at);
  std::vector<Piece> make_scsi_message(std::uint64_t at);
  void offer_split(unsigned queue, const std::vector<Piece>& pieces);
  void offer_packed(unsigned queue, const std::vector<Piece>& pieces);
  bool take_split(unsigned queue);
  bool take_packed(unsigned queue);

  [[nodiscard]] bool has(std::uint64_t feature) const { return (notes_.features & feature) != 0; }
  [[nodiscard]] std::uint64_t area(unsigned queue) const { return scratch_ + kQueues + queue * kQueueBytes; }

  Guest& guest_;
  VirtioRegisters& registers_;
  const std::uint32_t virtio_id_;
  const std::uint64_t scratch_;
  Notes notes_;
};

void Driver::step() {
  constexpr std::uint64_t kNeedsReset = 64;
  if (notes_.is_up == 0 || guest_.one_in(60) || (registers_.status(guest_) & kNeedsReset) != 0) start();
  if (notes_.queues != 0) {
    const auto queue = static_cast<unsigned>(guest_.below(notes_.queues));
    switch (guest_.below(16)) {
      case 0: access_config(); break;
      case 1: registers_.take_interrupt(guest_); break;
      case 2: want_interrupts(queue); break;
      case 3: registers_.fiddle(guest_); break;
      case 4: registers_.notify(guest_, queue); break;
      case 5:
        if (!has(kRingReset) || !guest_.one_in(4)) break;
        registers_.select(guest_, queue);
        registers_.reset_queue(guest_);
        set_up(queue);
        break;
      case 6:
      case 7:
      case 8: take(queue); break;
      default: offer(queue); break;
    }
  }
  guest_.poke(scratch_, notes_);
}

void Driver::start() {
  notes_ = Notes{};
  registers_.set_status(guest_, 0);
  registers_.set_status(guest_, 3);
  // Any of the features that are offered, but for these.
  const std::uint64_t offered = registers_.features(guest_);
  const std::uint64_t wanted = guest_.number(64) | guest_.number(64) | kVersion1 | kAccessPlatform;
  notes_.features = offered & wanted;
  registers_.set_features(guest_, notes_.features);
  registers_.set_status(guest_, 11);
  if ((registers_.status(guest_) & 8) == 0) return;
  while (notes_.queues < kMaxQueues && registers_.select(guest_, notes_.queues) != 0) set_up(notes_.queues++);
  registers_.set_status(guest_, 15);
  notes_.is_up = 1;
}

void Driver::set_up(unsigned queue) {
  guest_.poke(area(queue), std::array<std::uint8_t, kData>{});
  QueueNotes& notes = notes_.queue[queue];
  notes = QueueNotes{};
  const std::uint64_t most = registers_.select(guest_, queue);
  notes.size = static_cast<std::uint16_t>(std::min<std::uint64_t>(most, kRingSize));
  notes.available_wrap = notes.used_wrap = 1;
  const std::uint64_t areas[] = {area(queue), area(queue) + kDriverArea, area(queue) + kDeviceArea};
  registers_.set_up(guest_, notes.size, areas);
}

/// Even queues are the device's to fill, as of most devices.
std::vector<Piece> Driver::make_buffer(unsigned queue, std::uint64_t at) {
  if (virtio_id_ == kBlk) return make_block_request(at);
  if (virtio_id_ == kNinep) return make_file_request(at);
  if (virtio_id_ == kScsi && queue != 1) return queue == 0 ? make_scsi_message(at) : make_scsi_request(at);
  if (virtio_id_ == kScsi) return {{at, 16, true}};
  if (virtio_id_ == kNet && queue + 1 == notes_.queues && queue % 2 == 0) return make_net_command(at);
  constexpr unsigned kControlTransmit = 3;
  const bool is_writable = queue % 2 == 0;
  std::vector<Piece> pieces;
  for (std::uint64_t count = 1 + guest_.below(notes_.queue[queue].size / kBuffers); count > 0; --count) {
    pieces.push_back({at, static_cast<std::uint32_t>(1 + guest_.number(6)), is_writable});
    at += 0x80;
  }
  for (const Piece& piece : pieces)
    for (unsigned i = 0; i < piece.length; ++i)
      guest_.poke(piece.address + i, static_cast<std::uint8_t>(guest_.number(8)));
  if (virtio_id_ == kConsole && queue == kControlTransmit) {
    guest_.poke(pieces[0].address, static_cast<std::uint32_t>(guest_.below(3)));
    guest_.poke(pieces[0].address + 4, static_cast<std::uint16_t>(guest_.below(8)));
    guest_.poke(pieces[0].address + 6, static_cast<std::uint16_t>(!guest_.one_in(4)));
    pieces = {{pieces[0].address, 8, false}};
  }
  return pieces;
}

/// Class, command, data.
std::vector<Piece> Driver::make_net_command(std::uint64_t at) {
  using Bytes = std::vector<std::uint8_t>;
  const auto small = static_cast<std::uint8_t>(guest_.below(4));
  const Bytes commands[] = {
      {0, static_cast<std::uint8_t>(guest_.below(6)), static_cast<std::uint8_t>(guest_.below(2))},
      {1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, small, 1, 0, 0, 0, 1, 0, 0, 0, 0, small},
      {1, 1, 2, 0, 0, 0, 0, small},
      {2, 0, small, small},
      {2, 1, small, small},
      {3, 0},
      {4, 0, small, 0},
      {5, 0, static_cast<std::uint8_t>(guest_.below(2) * 2), 0, 0, 0, 0, 0, 0, 0},
  };
  const Bytes& command = guest_.one_of(std::span<const Bytes>(commands));
  EXPECT_TRUE(guest_.memory.write(Paddr{at}, command.data(), command.size()));
  return {{at, static_cast<std::uint32_t>(command.size()), false}, {at + 0x80, 1, true}};
}

/// A request of 9P2000.L, and room for its answer. Few fids, so that they are often there.
std::vector<Piece> Driver::make_file_request(std::uint64_t at) {
  using Bytes = std::vector<std::uint8_t>;
  const auto fid = static_cast<std::uint8_t>(guest_.below(3));
  const auto other = static_cast<std::uint8_t>(guest_.below(3));
  const auto name = static_cast<std::uint8_t>(guest_.one_in(2) ? 'f' : 'd');
  const Bytes bodies[] = {
      {100, 0, 0, 0, 32, 0, 0, 8, 0, '9', 'P', '2', '0', '0', '0', '.', 'L'},
      {104, 0, 0, fid, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0},
      {110, 0, 0, fid, 0, 0, 0, other, 0, 0, 0, 1, 0, 1, 0, name},
      {12, 0, 0, fid, 0, 0, 0, 0, 0, 0, 0},
      {24, 0, 0, fid, 0, 0, 0, 255, 7, 0, 0, 0, 0, 0, 0},
      {116, 0, 0, fid, 0, 0, 0, other, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0},
      {40, 0, 0, fid, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0},
      {120, 0, 0, fid, 0, 0, 0},
      {14, 0, 0, fid, 0, 0, 0, 1, 0, 'n', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
  };
  // A new version ends what there is: seldom.
  const std::size_t which = guest_.one_in(12) ? 0 : 1 + guest_.below(std::size(bodies) - 1);
  Bytes request = {static_cast<std::uint8_t>(bodies[which].size() + 4), 0, 0, 0};
  request.insert(request.end(), bodies[which].begin(), bodies[which].end());
  EXPECT_TRUE(guest_.memory.write(Paddr{at}, request.data(), request.size()));
  return {{at, static_cast<std::uint32_t>(request.size()), false}, {at + 0x80, 0x200, true}};
}

/// A command of the length that the configuration says, its answer and data.
std::vector<Piece> Driver::make_scsi_request(std::uint64_t at) {
  using Bytes = std::vector<std::uint8_t>;
  constexpr std::uint64_t kSenseSize = 20, kCdbSize = 24, kAnswer = 0x100, kDataAt = 0x180;
  const auto block = static_cast<std::uint8_t>(guest_.below(140));  // the disk has 128
  const auto mode = static_cast<std::uint8_t>(guest_.below(2) * 4);
  const Bytes cdbs[] = {
      {0x28, 0, 0, 0, 0, block, 0, 0, 1, 0},
      {0x2a, 0, 0, 0, 0, block, 0, 0, 1, 0},
      {0x0a, 0, 0, block, 1, 0},
      {0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0},
      {0x12, 1, 0x83, 0, 255, 0},
      {0x1a, 0, 0x3f, 0, 255, 0},
      {0x15, 0x10, 0, 0, 24, 0},
      {0x41, 0, 0, 0, 0, block, 0, 0, 2, 0},
      {0x00, 0, 0, 0, 0, 0},
      {0x1b, 0, 0, 0, static_cast<std::uint8_t>(2 + guest_.below(2)), 0},
      {0x1e, 0, 0, 0, static_cast<std::uint8_t>(guest_.below(2)), 0},
      {0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0},
  };
  const Bytes& cdb = guest_.one_of(std::span<const Bytes>(cdbs));
  const auto sense = static_cast<std::uint32_t>(guest_.load(registers_.config() + kSenseSize, 4));
  const auto room = static_cast<std::uint32_t>(guest_.load(registers_.config() + kCdbSize, 4));
  Bytes head(19 + room);
  head[0] = 1;
  std::copy_n(cdb.begin(), std::min<std::size_t>(cdb.size(), room), head.begin() + 19);
  EXPECT_TRUE(guest_.memory.write(Paddr{at}, head.data(), head.size()));
  const bool is_out = cdb[0] == 0x2a || cdb[0] == 0x0a || cdb[0] == 0x15 || cdb[0] == 0x41;
  if (is_out) guest_.poke(at + kDataAt, std::array<std::uint8_t, 8>{0, 0, 0, 0, 8, 18, mode, 0});
  std::vector<Piece> pieces{{at, static_cast<std::uint32_t>(head.size()), false}};
  if (is_out) pieces.push_back({at + kDataAt, 512, false});
  pieces.push_back({at + kAnswer, 12 + sense, true});
  if (!is_out) pieces.push_back({at + kDataAt, 512, true});
  return pieces;
}

/// Task management of the unit that is there.
std::vector<Piece> Driver::make_scsi_message(std::uint64_t at) {
  guest_.poke(at, std::array<std::uint32_t, 6>{0, static_cast<std::uint32_t>(guest_.below(9)), 1, 0, 7, 0});
  return {{at, 24, false}, {at + 0x80, 1, true}};
}

std::vector<Piece> Driver::make_block_request(std::uint64_t at) {
  static constexpr std::uint32_t kTypes[] = {0, 1, 4, 8, 11, 13, 77};
  const std::uint32_t type = guest_.one_of(std::span<const std::uint32_t>(kTypes));
  const std::uint64_t sector = guest_.below(140);  // the disk has 128
  guest_.poke(at, type);
  guest_.poke(at + 8, sector);
  const std::uint64_t data = at + 16;
  const std::uint32_t length = type == 4 ? 0 : type == 8 ? 20 : type >= 11 ? 16 : 512;
  for (unsigned i = 0; i < length && i < 64; ++i)
    guest_.poke(data + i, static_cast<std::uint8_t>(guest_.below(256)));
  if (type >= 11) {
    guest_.poke(data, sector);
    guest_.poke(data + 8, std::array<std::uint32_t, 2>{static_cast<std::uint32_t>(guest_.below(4)), 0});
  }
  const bool is_to_guest = type == 0 || type == 8;
  if (length == 0) return {{at, 16, false}, {data, 1, true}};
  return {{at, 16, false}, {data, length, is_to_guest}, {data + length, 1, true}};
}

void Driver::offer(unsigned queue) {
  QueueNotes& notes = notes_.queue[queue];
  if (static_cast<std::uint16_t>(notes.offered - notes.taken) >= kBuffers || notes.size < 2 * kBuffers)
    return;
  const unsigned buffer = notes.offered % kBuffers;
  const auto pieces = make_buffer(queue, area(queue) + kData + buffer * kDataBytes);
  has(kRingPacked) ? offer_packed(queue, pieces) : offer_split(queue, pieces);
  ++notes.offered;
  if (!guest_.one_in(4)) registers_.notify(guest_, queue);
}

void Driver::offer_split(unsigned queue, const std::vector<Piece>& pieces) {
  const QueueNotes& notes = notes_.queue[queue];
  const unsigned buffer = notes.offered % kBuffers;
  const std::uint64_t table = area(queue) + kTables + buffer * kMaxPieces * kDescriptorBytes;
  const auto head = static_cast<std::uint16_t>(buffer * notes.size / kBuffers);
  const bool is_indirect =
      has(kIndirectDescriptors) && (pieces.size() > notes.size / kBuffers || guest_.one_in(3));
  if (!is_indirect && pieces.size() > notes.size / kBuffers) return;
  const std::uint16_t first = is_indirect ? 0 : head;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool has_next = i + 1 < pieces.size();
    const auto at = static_cast<std::uint16_t>(first + i);
    guest_.poke((is_indirect ? table : area(queue)) + at * kDescriptorBytes,
                SplitDescriptor{
                    pieces[i].address, pieces[i].length,
                    static_cast<std::uint16_t>((has_next ? kNext : 0) | (pieces[i].is_writable ? kWrite : 0)),
                    static_cast<std::uint16_t>(at + 1)});
  }
  if (is_indirect)
    guest_.poke(
        area(queue) + head * kDescriptorBytes,
        SplitDescriptor{table, static_cast<std::uint32_t>(pieces.size() * kDescriptorBytes), kIndirect, 0});
  const std::uint64_t ring = area(queue) + kDriverArea;
  guest_.poke(ring + 4 + notes.offered % notes.size * 2u, head);
  guest_.store(ring + 2, 2, static_cast<std::uint16_t>(notes.offered + 1));
}

void Driver::offer_packed(unsigned queue, const std::vector<Piece>& pieces) {
  QueueNotes& notes = notes_.queue[queue];
  const unsigned buffer = notes.offered % kBuffers;
  const auto id = static_cast<std::uint16_t>(buffer + 10);
  const std::uint64_t table = area(queue) + kTables + buffer * kMaxPieces * kDescriptorBytes;
  const bool is_indirect =
      has(kIndirectDescriptors) && (pieces.size() > notes.size / kBuffers || guest_.one_in(3));
  std::vector<PackedDescriptor> made;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool has_next = !is_indirect && i + 1 < pieces.size();
    made.push_back(
        {pieces[i].address, pieces[i].length, id,
         static_cast<std::uint16_t>((has_next ? kNext : 0) | (pieces[i].is_writable ? kWrite : 0))});
    if (is_indirect) guest_.poke(table + i * kDescriptorBytes, made.back());
  }
  if (is_indirect)
    made = {{table, static_cast<std::uint32_t>(pieces.size() * kDescriptorBytes), id, kIndirect}};
  notes.slots[buffer] = static_cast<std::uint16_t>(made.size());
  for (PackedDescriptor& descriptor : made) {
    descriptor.flags |= notes.available_wrap != 0 ? kAvailable : kUsed;
    guest_.poke(area(queue) + notes.available_at * kDescriptorBytes, descriptor);
    if (++notes.available_at < notes.size) continue;
    notes.available_at = 0;
    notes.available_wrap ^= 1;
  }
}

void Driver::take(unsigned queue) {
  QueueNotes& notes = notes_.queue[queue];
  while (notes.taken != notes.offered && (has(kRingPacked) ? take_packed(queue) : take_split(queue)))
    ++notes.taken;
}

bool Driver::take_split(unsigned queue) {
  const std::uint64_t ring = area(queue) + kDeviceArea;
  const QueueNotes& notes = notes_.queue[queue];
  if (guest_.load(ring + 2, 2) == notes.taken) return false;
  guest_.load(ring + 4 + notes.taken % notes.size * 8u, 4);
  guest_.load(ring + 8 + notes.taken % notes.size * 8u, 4);
  return true;
}

bool Driver::take_packed(unsigned queue) {
  QueueNotes& notes = notes_.queue[queue];
  const std::uint64_t at = area(queue) + notes.used_at * kDescriptorBytes;
  const std::uint64_t flags = guest_.load(at + 14, 2);
  const bool wrap = notes.used_wrap != 0;
  if (((flags & kAvailable) != 0) != wrap || ((flags & kUsed) != 0) != wrap) return false;
  guest_.load(at + 8, 4);
  notes.used_at = static_cast<std::uint16_t>(notes.used_at + notes.slots[notes.taken % kBuffers]);
  if (notes.used_at < notes.size) return true;
  notes.used_at = static_cast<std::uint16_t>(notes.used_at - notes.size);
  notes.used_wrap ^= 1;
  return true;
}

void Driver::want_interrupts(unsigned queue) {
  const QueueNotes& notes = notes_.queue[queue];
  const std::uint64_t at = area(queue) + kDriverArea;
  const auto soon = static_cast<std::uint16_t>(guest_.below(3));
  if (!has(kRingPacked)) {
    guest_.poke(at, static_cast<std::uint16_t>(guest_.below(2)));
    return guest_.poke(at + 4 + notes.size * 2u, static_cast<std::uint16_t>(notes.taken + soon));
  }
  auto index = static_cast<unsigned>(notes.used_at + soon);
  bool wrap = notes.used_wrap != 0;
  if (index >= notes.size) index -= notes.size, wrap = !wrap;
  guest_.poke(at, static_cast<std::uint16_t>(index | (wrap ? 0x8000u : 0u)));
  guest_.poke(at + 2, static_cast<std::uint16_t>(guest_.below(has(kEventIdx) ? 3 : 2)));
}

void Driver::access_config() {
  constexpr std::uint64_t kWriteback = 32, kEmergency = 8;
  const std::uint64_t config = registers_.config();
  if (guest_.one_in(2))
    guest_.load(config + guest_.below(16) * 4, 4);
  else if (virtio_id_ == kBlk)
    guest_.store(config + kWriteback, 1, guest_.below(2));
  else if (virtio_id_ == kConsole)
    guest_.store(config + kEmergency, 4, 'e');
  else if (virtio_id_ == kScsi)
    guest_.store(config + (guest_.one_in(2) ? 20 : 24), 4, 16 + guest_.below(3) * 8);
  else
    guest_.store(config + guest_.below(16) * 4, 4, guest_.number(32));
}

}  // namespace

void drive_virtio(Guest& guest, VirtioRegisters& registers, std::uint32_t virtio_id, std::uint64_t scratch) {
  Driver(guest, registers, virtio_id, scratch).step();
}

}  // namespace gstage::hw
