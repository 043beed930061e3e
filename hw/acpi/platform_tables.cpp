// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "softmmu/base/check.h"
#include "hw/acpi/table.h"
#include "hw/acpi/tables.h"

namespace gstage::hw::acpi {

/// Section 5.2.9. What is 0 belongs to hardware that is not there.
Bytes make_fadt() {
  constexpr unsigned kMajor = 6;
  constexpr unsigned kMinor = 6;
  constexpr std::uint32_t kHardwareReduced = 1u << 20;
  constexpr std::size_t kFlagsOffset = 112;
  constexpr std::size_t kMinorOffset = 131;
  constexpr std::size_t kSize = 276;
  Bytes body;
  body.zeroes(kFlagsOffset - kHeaderSize).u32(kHardwareReduced);
  body.zeroes(kMinorOffset - kHeaderSize - body.size()).u8(kMinor);
  body.zeroes(kSize - kHeaderSize - body.size() - 8).text("gstage", 8);  // who virtualises the machine
  return make_table("FACP", kMajor, body);
}

/// Serial Port Console Redirection Table, revision 4 (Microsoft); RISC-V BRS, rule ACPI_060.
Bytes make_spcr(const Description& board) {
  constexpr unsigned kRevision = 4;
  constexpr unsigned kUartOfRegister = 0x12;  // a 16550 as the register says
  constexpr unsigned kByRiscvController = 1u << 4;
  constexpr unsigned kBaud115200 = 7;
  constexpr unsigned kOneStopBit = 1;
  constexpr unsigned kVt100 = 0;
  constexpr std::uint32_t kNoPci = 0xffff;
  const std::string_view path = kConsolePath;
  constexpr std::size_t kPathOffset = 88;
  Bytes body;
  body.u8(kUartOfRegister).zeroes(3).append(byte_register(board.uart.registers.base));
  body.u8(kByRiscvController).u8(0).u32(board.uart.gsi);
  body.u8(kBaud115200).u8(0).u8(kOneStopBit).u8(0).u8(kVt100).u8(0);
  body.u16(kNoPci).u16(kNoPci).zeroes(3).u32(0).u8(0);
  body.u32(board.uart_clock_hz).u32(115'200);
  body.u16(path.size() + 1).u16(kPathOffset);
  CHECK(kHeaderSize + body.size() == kPathOffset);
  return make_table("SPCR", kRevision, body.text(path, path.size() + 1));
}

/// PCI Firmware Specification, section 4.1.2.
Bytes make_mcfg(const PciBridge& pci) {
  constexpr unsigned kRevision = 1;
  constexpr unsigned kSegment = 0;
  constexpr unsigned kBusShift = 20;
  Bytes body;
  body.u64(0).u64(pci.ecam.base).u16(kSegment).u8(0).u8((pci.ecam.size >> kBusShift) - 1).u32(0);
  return make_table("MCFG", kRevision, body);
}

}  // namespace gstage::hw::acpi
