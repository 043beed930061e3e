// SPDX-License-Identifier: Apache-2.0
#include "hw/acpi/resources.h"

namespace gstage::hw::acpi::aml {
namespace {

/// First bytes of descriptors (tables 6.34 and 6.42). A large one has its length behind it, two bytes.
enum Tag : std::uint8_t {
  kEndTag = 0x79,
  kMemory32Fixed = 0x86,
  kDWordSpace = 0x87,
  kWordSpace = 0x88,
  kInterrupts = 0x89,
  kQWordSpace = 0x8a,
};

Resource large(Tag tag, const Bytes& contents) { return {Bytes{tag}.u16(contents.size()).append(contents)}; }

/// An address space descriptor (section 6.4.3.5).
struct Space {
  enum Type : std::uint8_t { kMemory = 0, kIo = 1, kBuses = 2 };
  Tag tag;
  unsigned width;  ///< bytes of each number
  Type type;
  bool is_consumer = false;
  std::uint64_t first = 0;
  std::uint64_t size = 0;
  std::uint64_t translation = 0;  ///< added to what is on the bus' side
};

Resource describe(const Space& space) {
  constexpr unsigned kConsumer = 1u << 0;
  constexpr unsigned kFixedEnds = 3u << 2;  // _MIF and _MAF
  // Of memory: it can be written. Of I/O: the whole range.
  constexpr unsigned kSpecific[] = {1, 3, 0};
  Bytes contents;
  contents.u8(space.type).u8(kFixedEnds | (space.is_consumer ? kConsumer : 0)).u8(kSpecific[space.type]);
  for (const std::uint64_t value :
       {std::uint64_t{0}, space.first, space.first + space.size - 1, space.translation, space.size})
    contents.number(value, space.width);
  return large(space.tag, contents);
}

/// Section 6.4.3.6: level-triggered and active-high.
Resource interrupt(std::uint32_t gsi, unsigned more_flags) {
  constexpr unsigned kConsumer = 1u << 0;
  return large(kInterrupts, Bytes().u8(kConsumer | more_flags).u8(1).u32(gsi));
}

}  // namespace

Term resources(const std::vector<Resource>& descriptors) {
  Bytes all;
  for (const Resource& descriptor : descriptors) all.append(descriptor.bytes);
  // A checksum of 0 is right whatever the bytes are (section 6.4.2.9).
  return buffer(all.u8(kEndTag).u8(0));
}

Resource fixed_memory(std::uint64_t base, std::uint64_t size) {
  constexpr unsigned kWritable = 1;
  return large(kMemory32Fixed, Bytes().u8(kWritable).u32(base).u32(size));
}

Resource wire(std::uint32_t gsi) { return interrupt(gsi, 0); }

Resource shared_wire(std::uint32_t gsi) {
  constexpr unsigned kShared = 1u << 3;
  return interrupt(gsi, kShared);
}

Resource bus_window(unsigned buses) {
  return describe({.tag = kWordSpace, .width = 2, .type = Space::kBuses, .size = buses});
}

Resource memory32_window(std::uint64_t base, std::uint64_t size) {
  return describe({.tag = kDWordSpace, .width = 4, .type = Space::kMemory, .first = base, .size = size});
}

Resource memory64_window(std::uint64_t base, std::uint64_t size) {
  return describe({.tag = kQWordSpace, .width = 8, .type = Space::kMemory, .first = base, .size = size});
}

Resource io_window(std::uint64_t base, std::uint64_t size) {
  return describe({.tag = kDWordSpace, .width = 4, .type = Space::kIo, .size = size, .translation = base});
}

Resource reserved_memory(std::uint64_t base, std::uint64_t size) {
  return describe({.tag = kQWordSpace,
                   .width = 8,
                   .type = Space::kMemory,
                   .is_consumer = true,
                   .first = base,
                   .size = size});
}

}  // namespace gstage::hw::acpi::aml
