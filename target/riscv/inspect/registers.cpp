// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/inspect/registers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "target/riscv/aia/imsic.h"
#include "target/riscv/aia/select.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/trap/interrupts.h"
#include "target/riscv/trap/mode.h"

namespace gstage::riscv {

namespace {

constexpr unsigned kSeed = 0x015;
constexpr unsigned kLastFpCsr = 3;
constexpr unsigned kMireg = 0x351;
constexpr unsigned kSireg = 0x151;
constexpr unsigned kIprioEnd = 0x40;
constexpr unsigned kFile0 = 0x70;
constexpr unsigned kFileEnd = 0x100;
constexpr std::uint64_t kPrivV = 4;

constexpr const char* kXNames[] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                   "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                   "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr const char* kFNames[] = {"ft0", "ft1", "ft2",  "ft3",  "ft4", "ft5", "ft6",  "ft7",
                                   "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
                                   "fa6", "fa7", "fs2",  "fs3",  "fs4", "fs5", "fs6",  "fs7",
                                   "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

/// CSRs of a group. The first row that has the number counts.
struct GroupRange {
  unsigned first;
  unsigned last;
  RegisterGroup group;
};
constexpr GroupRange kGroups[] = {
    {0x001, kLastFpCsr, RegisterGroup::kFloat},
    {0x150, 0x15c, RegisterGroup::kAia},         // siselect, sireg…, stopei
    {0x250, 0x25c, RegisterGroup::kAia},         // vsiselect, …
    {0x200, 0x2ff, RegisterGroup::kVs},          //
    {0x306, 0x306, RegisterGroup::kCounters},    // mcounteren
    {0x308, 0x309, RegisterGroup::kAia},         // mvien, mvip
    {0x320, 0x33f, RegisterGroup::kCounters},    // mcountinhibit, mhpmevent…
    {0x34a, 0x34b, RegisterGroup::kHypervisor},  // mtinst, mtval2
    {0x350, 0x35c, RegisterGroup::kAia},         // miselect, …
    {0x3a0, 0x3ef, RegisterGroup::kPmp},         //
    {0x608, 0x609, RegisterGroup::kAia},         // hvien, hvictl
    {0x646, 0x647, RegisterGroup::kAia},         // hviprio1, hviprio2
    {0x600, 0x6ff, RegisterGroup::kHypervisor},  //
    {0x747, 0x747, RegisterGroup::kPmp},         // mseccfg
    {0xb00, 0xc1f, RegisterGroup::kCounters},    //
    {0xda0, 0xda0, RegisterGroup::kCounters},    // scountovf
    {0xdb0, 0xdb0, RegisterGroup::kAia},         // stopi
    {0xe12, 0xe12, RegisterGroup::kHypervisor},  // hgeip
    {0xeb0, 0xeb0, RegisterGroup::kAia},         // vstopi
    {0xfb0, 0xfb0, RegisterGroup::kAia},         // mtopi
};

RegisterGroup group_of_csr(unsigned number) {
  const auto* const range = std::find_if(std::begin(kGroups), std::end(kGroups), [&](const GroupRange& row) {
    return number >= row.first && number <= row.last;
  });
  return range == std::end(kGroups) ? RegisterGroup::kCsr : range->group;
}

/// Sets a select register for as long as a look lasts.
class Selected {
 public:
  Selected(std::uint64_t& select, unsigned value) : select_(select), old_(std::exchange(select, value)) {}
  ~Selected() { select_ = old_; }
  Selected(const Selected&) = delete;
  Selected& operator=(const Selected&) = delete;

 private:
  std::uint64_t& select_;
  const std::uint64_t old_;
};

/// "eidelivery", "eithreshold", "eip0", "eie2", … (AIA, "Indirectly accessed interrupt-file registers").
std::string file_register_name(unsigned select) {
  constexpr unsigned kEip0 = 0x80;
  constexpr unsigned kEie0 = 0xc0;
  if (select == 0x70) return "eidelivery";
  if (select == 0x72) return "eithreshold";
  return select < kEie0 ? "eip" + std::to_string(select - kEip0) : "eie" + std::to_string(select - kEie0);
}

/// Whether an interrupt file of so many identities has it.
bool is_file_register(unsigned select, unsigned identities) {
  if (select == 0x70 || select == 0x72) return true;
  return select >= 0x80 && select % 2 == 0 && (select & 0x3f) * 32 <= identities;
}

/// Adds rows of indirect registers.
class IndirectRows {
 public:
  IndirectRows(const Hart& hart, std::vector<Register>& rows) : hart_(hart), rows_(rows) {}

  void add_level(const std::string& prefix, Register::Place place) {
    for (unsigned select = kIprio0; select < kIprioEnd; select += 2)
      add(prefix + "iprio" + std::to_string(select - kIprio0), place, select, 0);
    if (hart_.imsic != nullptr) add_file(prefix, place, 0);
  }
  void add_file(const std::string& prefix, Register::Place place, unsigned file) {
    const unsigned identities = hart_.imsic->machine().identities();
    for (unsigned select = kFile0; select < kFileEnd; ++select)
      if (is_file_register(select, identities)) add(prefix + file_register_name(select), place, select, file);
  }

 private:
  void add(std::string name, Register::Place place, unsigned select, unsigned file) {
    rows_.push_back({std::move(name), RegisterGroup::kAia, next_++, 64, place, select, file});
  }

  const Hart& hart_;
  std::vector<Register>& rows_;
  unsigned next_ = kIndirect0Number;
};

void add_csrs(const Hart& hart, std::vector<Register>& rows) {
  const CsrTable table = csr_table();
  for (const CsrRow* row = table.rows; row != table.rows + table.count; ++row) {
    if (row->number == kSeed || !row->exists(hart)) continue;
    for (unsigned number = row->number; number < row->number + row->count; ++number)
      rows.push_back({csr_name(number), group_of_csr(number), kCsr0Number + number,
                      number <= kLastFpCsr ? 32u : 64u, Register::Place::kCsr, number});
  }
}

bool write_priv(Hart& hart, std::uint64_t value) {
  const std::uint64_t priv = value & 3;
  const bool v = (value & kPrivV) != 0;
  const bool is_mode = priv != 2 && value < 8 && !(v && (priv == kMachine || !has_misa(hart, 'H')));
  if (!is_mode) return false;
  set_mode(hart, static_cast<Privilege>(priv), v);
  update_interrupts(hart);
  return true;
}

bool write_f(Hart& hart, unsigned index, std::uint64_t value) {
  hart.f[index] = value;
  hart.fp_dirty = hart.fp_enabled;
  return true;
}

}  // namespace

const char* group_name(RegisterGroup group) {
  static constexpr const char* kNames[] = {"general", "float", "virtual", "csr",     "hypervisor",
                                           "vs",      "aia",   "pmp",     "counters"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(RegisterGroup::kCount));
  return kNames[static_cast<unsigned>(group)];
}

std::vector<Register> list_registers(const Hart& hart) {
  std::vector<Register> rows;
  for (unsigned i = 0; i < 32; ++i)
    rows.push_back({kXNames[i], RegisterGroup::kGeneral, i, 64, Register::Place::kX, i});
  rows.push_back({"pc", RegisterGroup::kGeneral, kPcNumber, 64, Register::Place::kPc, 0});
  for (unsigned i = 0; i < 32 && has_misa(hart, 'F'); ++i)
    rows.push_back({kFNames[i], RegisterGroup::kFloat, kF0Number + i, 64, Register::Place::kF, i});
  add_csrs(hart, rows);
  rows.push_back({"priv", RegisterGroup::kVirtual, kPrivNumber, 64, Register::Place::kPriv, 0});
  IndirectRows indirect(hart, rows);
  if (find_csr(kMireg)->exists(hart)) indirect.add_level("m", Register::Place::kMachineIndirect);
  if (find_csr(kSireg)->exists(hart)) indirect.add_level("s", Register::Place::kSupervisorIndirect);
  const unsigned guests = hart.imsic == nullptr ? 0 : hart.imsic->guest_count();
  for (unsigned file = 1; file <= guests; ++file)
    indirect.add_file("vs" + std::to_string(file) + "_", Register::Place::kGuestFile, file);
  return rows;
}

std::optional<std::uint64_t> read_register(Hart& hart, const Register& row) {
  switch (row.place) {
    case Register::Place::kX: return hart.x[row.index];
    case Register::Place::kPc: return hart.core.pc;
    case Register::Place::kF: return hart.f[row.index];
    case Register::Place::kCsr: return csr_peek(hart, row.index);
    case Register::Place::kPriv: return hart.priv | (hart.v != 0 ? kPrivV : 0);
    case Register::Place::kMachineIndirect: {
      const Selected selected(hart.miselect, row.index);
      return csr_peek(hart, kMireg);
    }
    case Register::Place::kSupervisorIndirect: {
      const Selected selected(hart.hs.iselect, row.index);
      return csr_peek(hart, kSireg);
    }
    case Register::Place::kGuestFile: return hart.imsic->guest(row.file)->read(row.index);
  }
  return std::nullopt;
}

bool write_register(Hart& hart, const Register& row, std::uint64_t value) {
  switch (row.place) {
    case Register::Place::kX:
      if (row.index != 0) hart.x[row.index] = value;
      return row.index != 0;
    case Register::Place::kPc:
      hart.core.pc = value & epc_mask(hart);
      hart.is_waiting = 0;  // a wfi lies behind it no longer
      return true;
    case Register::Place::kF: return write_f(hart, row.index, value);
    case Register::Place::kCsr: return csr_poke(hart, row.index, value);
    case Register::Place::kPriv: return write_priv(hart, value);
    case Register::Place::kMachineIndirect: {
      const Selected selected(hart.miselect, row.index);
      return csr_poke(hart, kMireg, value);
    }
    case Register::Place::kSupervisorIndirect: {
      const Selected selected(hart.hs.iselect, row.index);
      return csr_poke(hart, kSireg, value);
    }
    case Register::Place::kGuestFile:
      hart.imsic->guest(row.file)->write(row.index, value, ~std::uint64_t{0});
      update_interrupts(hart);
      return true;
  }
  return false;
}

}  // namespace gstage::riscv
