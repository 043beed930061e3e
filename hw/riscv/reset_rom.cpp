// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/reset_rom.h"

#include <cstring>

namespace gstage::hw {
namespace {

struct FwDynamicInfo {
  std::uint64_t magic = 0x4942534f;  // "OSBI"
  std::uint64_t version = 2;
  std::uint64_t next_address = 0;
  std::uint64_t next_mode = 1;  // S
  std::uint64_t options = 0;
  std::uint64_t boot_hart = 0;
};

struct Rom {
  std::uint32_t code[6] = {
      0x00000297,  // auipc t0, 0
      0x02828613,  // addi  a2, t0, info
      0xf1402573,  // csrr  a0, mhartid
      0x0202b583,  // ld    a1, fdt(t0)
      0x0182b283,  // ld    t0, start(t0)
      0x00028067,  // jr    t0
  };
  std::uint64_t start = 0;
  std::uint64_t fdt = 0;
  FwDynamicInfo info;
};
// The offsets that the instructions hold.
static_assert(offsetof(Rom, start) == 0x18 && offsetof(Rom, fdt) == 0x20 && offsetof(Rom, info) == 0x28);

}  // namespace

std::vector<std::byte> make_reset_rom(const ResetVector& vector) {
  Rom rom;
  rom.start = vector.start;
  rom.fdt = vector.fdt;
  rom.info.next_address = vector.next;
  std::vector<std::byte> bytes(sizeof rom);
  std::memcpy(bytes.data(), &rom, sizeof rom);
  return bytes;
}

}  // namespace gstage::hw
