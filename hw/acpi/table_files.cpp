// SPDX-License-Identifier: Apache-2.0
#include "hw/acpi/table_files.h"

#include <vector>

#include "hw/acpi/loader.h"
#include "hw/acpi/table.h"
#include "hw/acpi/tables.h"

namespace gstage::hw::acpi {
namespace {

constexpr std::uint32_t kTablesAlignment = 64;
constexpr std::uint32_t kRsdpAlignment = 16;

/// The file with the tables, one behind the other, and what the firmware has to do to them.
class TablesFile {
 public:
  explicit TablesFile(TableLoader& loader) : loader_(loader) {}
  /// Adds a table, and says where it is in the file.
  std::size_t add(const Bytes& table) {
    constexpr std::size_t kTableAlignment = 8;
    bytes_.zeroes((kTableAlignment - bytes_.size() % kTableAlignment) % kTableAlignment);
    bytes_.append(table);
    return bytes_.size() - table.size();
  }
  /// Adds a table that has the addresses of others: where in it, and where they are in the file.
  std::size_t add(Bytes table, std::size_t first_pointer, const std::vector<std::size_t>& targets) {
    for (std::size_t i = 0; i < targets.size(); ++i) table.patch(first_pointer + 8 * i, targets[i], 8);
    table.patch(kChecksumOffset, 0, 1);
    const std::size_t at = add(table);
    for (std::size_t i = 0; i < targets.size(); ++i)
      loader_.add(TableLoader::Pointer{kTablesFile, at + first_pointer + 8 * i, kTablesFile});
    loader_.add(TableLoader::Checksum{kTablesFile, at + kChecksumOffset, at, table.size()});
    return at;
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  TableLoader& loader_;
  Bytes bytes_;
};

/// Section 5.2.5.3, with both checksums left to the firmware. There is no RSDT (RISC-V BRS, rule ACPI_010).
Bytes make_rsdp(TableLoader& loader, std::size_t xsdt) {
  constexpr unsigned kRevision = 2;
  constexpr std::size_t kFirstSize = 20;
  constexpr std::size_t kSize = 36;
  Bytes rsdp;
  rsdp.text("RSD PTR ", 8);
  const std::size_t first_checksum = rsdp.size();
  rsdp.u8(0).text(kOemId, 6, ' ').u8(kRevision).u32(0).u32(kSize);
  const std::size_t pointer = rsdp.size();
  rsdp.u64(xsdt);
  const std::size_t second_checksum = rsdp.size();
  rsdp.zeroes(kSize - rsdp.size());
  loader.add(TableLoader::Pointer{kRsdpFile, pointer, kTablesFile});
  loader.add(TableLoader::Checksum{kRsdpFile, first_checksum, 0, kFirstSize});
  loader.add(TableLoader::Checksum{kRsdpFile, second_checksum, 0, kSize});
  return rsdp;
}

}  // namespace

TableFiles make_table_files(const Description& board) {
  constexpr unsigned kXsdtRevision = 1;
  TableLoader loader;
  loader.allocate(kRsdpFile, kRsdpAlignment, TableLoader::Zone::kFseg);
  loader.allocate(kTablesFile, kTablesAlignment, TableLoader::Zone::kHigh);
  TablesFile file(loader);
  const std::size_t dsdt = file.add(make_dsdt(board));
  std::vector<std::size_t> listed{file.add(make_fadt(), kDsdtPointerOffset, {dsdt})};
  for (const Bytes& table : {make_madt(board), make_rhct(board.harts), make_pptt(board.harts, board.numa),
                             make_spcr(board), make_mcfg(board.pci)})
    listed.push_back(file.add(table));
  if (!board.numa.nodes.empty()) listed.push_back(file.add(make_srat(board)));
  if (!board.numa.distances.empty()) listed.push_back(file.add(make_slit(board.numa)));
  const Bytes xsdt = make_table("XSDT", kXsdtRevision, Bytes().zeroes(8 * listed.size()));
  const std::size_t root = file.add(xsdt, kHeaderSize, listed);
  Bytes rsdp = make_rsdp(loader, root);
  return {std::move(rsdp), file.bytes(), loader.commands()};
}

}  // namespace gstage::hw::acpi
