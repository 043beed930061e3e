// SPDX-License-Identifier: Apache-2.0
// Options of debuggers.
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/gdb/endpoint.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

constexpr PropertyRow kSymbolsProperties[] = {
    {"file", "FILE", "an ELF file, packed or not"},
    {"vmid", "N", "the guest of this VMID runs it (default: it runs with V=0)"},
    {"base", "ADDR", "its lowest address, if it was moved: firmware that is linked at 0, a kernel by KASLR"},
};

constexpr char kGdbHelp[] =
    "-gdb takes:\n"
    "  tcp::PORT         a TCP port of this host, for this host alone (127.0.0.1)\n"
    "  tcp:HOST:PORT     of the address that HOST has: 0.0.0.0 is for everybody, who may then do all with "
    "the\n"
    "                    machine\n"
    "  unix:PATH         a Unix socket, for this user alone\n"
    "  stdio             standard input and output: target remote | gstage -gdb stdio ...\n"
    "  chardev:ID        a -chardev\n"
    "  none              nowhere\n";

/// hgatp.VMID has 14 bits.
constexpr std::uint64_t kMostVmid = (1u << 14) - 1;

}  // namespace

Status DebuggerHandlers::gdb(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = kGdbHelp;
    return Ok{};
  }
  auto device = gdb::parse_device("-gdb", argument);
  if (!device) return device.error();
  options.gdb = device->kind == gdb::Device::Kind::kNone ? "" : argument;
  return Ok{};
}

Status DebuggerHandlers::gdb_here(Options& options, const std::string&) { return gdb(options, "tcp::1234"); }

Status DebuggerHandlers::symbols(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of -symbols:", kSymbolsProperties);
    return Ok{};
  }
  auto properties = parse_properties("-symbols", argument, "file");
  if (!properties) return properties.error();
  SymbolsOptions symbols;
  for (const Property& property : *properties) {
    if (const Status status = check_property("-symbols", kSymbolsProperties, property); !status.ok())
      return status;
    if (property.name == "file") {
      symbols.file = property.value;
      continue;
    }
    const bool is_vmid = property.name == "vmid";
    auto number =
        parse_number("-symbols " + property.name, property.value, 0, is_vmid ? kMostVmid : ~std::uint64_t{0});
    if (!number) return number.error();
    if (is_vmid)
      symbols.vmid = static_cast<unsigned>(*number);
    else
      symbols.base = *number;
  }
  if (symbols.file.empty()) return error("-symbols: no file is named: -symbols FILE");
  options.symbols.push_back(std::move(symbols));
  return Ok{};
}

Status DebuggerHandlers::log_filter_items(Options& options, const std::string& argument) {
  if (!is_help(argument)) return options.log_filter.add(argument);
  options.output =
      "-dfilter ITEM[,ITEM...]: of the items of -d that are about instructions, those are logged that are at "
      "one of\n"
      "the addresses, if there are any, and in one of the worlds of each kind that is named:\n"
      "  START..END     from an address up to another, both included\n"
      "  START+SIZE     so many bytes from an address on\n"
      "  START-SIZE     so many bytes before an address\n"
      "  hart=N         a hart\n"
      "  v=0, v=1       the host, guests\n"
      "  vmid=N         the guest of a VMID\n"
      "Addresses are virtual ones for exec, cpu, int and mmu, physical ones for in_asm, op, op_opt and "
      "out_asm.\n";
  return Ok{};
}

}  // namespace gstage
