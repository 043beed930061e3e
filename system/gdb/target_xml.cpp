// SPDX-License-Identifier: Apache-2.0
#include "system/gdb/target_xml.h"

#include <iterator>

#include "softmmu/base/format.h"
#include "target/riscv/inspect/fields.h"

namespace gstage::gdb {

namespace {

using riscv::Register;
using riscv::RegisterGroup;

/// Feature names: gdb reads the first four ("RISC-V Features"), the others are ours.
constexpr const char* kFeatures[] = {
    "org.gnu.gdb.riscv.cpu", "org.gnu.gdb.riscv.fpu",       "org.gnu.gdb.riscv.virtual",
    "org.gnu.gdb.riscv.csr", "org.gstage.riscv.hypervisor", "org.gstage.riscv.vs",
    "org.gstage.riscv.aia",  "org.gstage.riscv.pmp",        "org.gstage.riscv.counters"};
static_assert(std::size(kFeatures) == static_cast<std::size_t>(RegisterGroup::kCount));

/// A floating-point register holds a single or a double.
constexpr const char* kFloatType =
    "<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/>"
    "<field name=\"double\" type=\"ieee_double\"/></union>\n";

std::string attribute(const std::string& text) {
  std::string xml;
  for (const char c : text)
    if (c != '<' && c != '>' && c != '&' && c != '"') xml += c;
  return xml;
}

/// The fields of a CSR as flags, wide ones with the names of their values; empty: it has none.
std::string describe_fields(const Register& row) {
  if (row.place != Register::Place::kCsr) return "";
  std::string enums;
  std::string flags;
  for (const riscv::FieldInfo& field : riscv::csr_fields(row.index)) {
    std::string type;
    if (!field.values.empty()) {
      const std::string id = row.name + "_" + field.name;
      type = format(" type=\"%s\"", id.c_str());
      enums += format("<enum id=\"%s\" size=\"8\">", id.c_str());
      for (const riscv::FieldValueName& value : field.values)
        enums += format("<evalue name=\"%s\" value=\"%llu\"/>", attribute(value.name).c_str(),
                        static_cast<unsigned long long>(value.value));
      enums += "</enum>\n";
    }
    flags += format("<field name=\"%s\" start=\"%u\" end=\"%u\"%s/>", field.name.c_str(), field.low,
                    field.high, type.c_str());
  }
  if (flags.empty()) return "";
  return enums + format("<flags id=\"%s_fields\" size=\"%u\">", row.name.c_str(), row.bits / 8) + flags +
         "</flags>\n";
}

const char* type_of(const Register& row) {
  if (row.place == Register::Place::kPc) return "code_ptr";
  if (row.place == Register::Place::kX && (row.name == "sp" || row.name == "gp" || row.name == "tp"))
    return "data_ptr";
  if (row.place == Register::Place::kX && row.name == "ra") return "code_ptr";
  return row.place == Register::Place::kF ? "riscv_double" : "int";
}

std::string describe_register(const Register& row) {
  const std::string fields = describe_fields(row);
  const std::string type = fields.empty() ? type_of(row) : row.name + "_fields";
  return fields + format("<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"%s\" group=\"%s\"/>\n",
                         row.name.c_str(), row.bits, row.number, type.c_str(), riscv::group_name(row.group));
}

}  // namespace

std::string describe_target(std::span<const Register> registers) {
  // Without an ABI of an operating system gdb steps by the target, not by breakpoints of its own.
  std::string xml =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
      "<architecture>riscv:rv64</architecture>\n<osabi>none</osabi>\n";
  for (std::size_t group = 0; group < std::size(kFeatures); ++group) {
    std::string rows;
    for (const Register& row : registers)
      if (static_cast<std::size_t>(row.group) == group) rows += describe_register(row);
    if (rows.empty()) continue;
    const bool is_float = static_cast<RegisterGroup>(group) == RegisterGroup::kFloat;
    xml += format("<feature name=\"%s\">\n", kFeatures[group]) + (is_float ? kFloatType : "") + rows +
           "</feature>\n";
  }
  return xml + "</target>\n";
}

std::string describe_memory(const AddressSpace& memory) {
  std::string xml =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
      "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n<memory-map>\n";
  const auto add = [&](const char* type, std::uint64_t start, std::uint64_t size) {
    if (size != 0)
      xml += format("<memory type=\"%s\" start=\"0x%llx\" length=\"0x%llx\"/>\n", type,
                    static_cast<unsigned long long>(start), static_cast<unsigned long long>(size));
  };
  std::uint64_t next = 0;
  for (const BusRange& range : memory.ranges()) {
    if (!range.is_memory() || range.is_writable) continue;
    add("ram", next, range.base.value - next);
    add("rom", range.base.value, range.size);
    next = range.base.value + range.size;
  }
  // Up to the last address: 2^64 − next bytes.
  add("ram", next, next == 0 ? ~std::uint64_t{0} : std::uint64_t{0} - next);
  return xml + "</memory-map>\n";
}

}  // namespace gstage::gdb
