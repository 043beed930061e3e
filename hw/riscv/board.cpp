// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/board.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "softmmu/base/log.h"
#include "hw/core/ram.h"
#include "hw/riscv/elf_symbols.h"

namespace gstage::hw {
namespace {

constexpr std::string_view kHtifSymbols[] = {"tohost", "fromhost"};

/// The wires into one of the board's harts.
class CpuLines final : public HartLines {
 public:
  explicit CpuLines(riscv::RiscvCpu& cpu) : cpu_(cpu) {}
  void set_pending(unsigned mip_bit, bool is_high) override { cpu_.set_irq(mip_bit, is_high); }

 private:
  riscv::RiscvCpu& cpu_;
};

}  // namespace

Status Board::add_memory(const MachineOptions& options, const Range& rom, std::uint64_t ram_base) {
  places_ = {rom.base, ram_base, options.ram_bytes, {}, {}};
  if (Status status = memory_.add_rom(rom.name, Paddr{rom.base}, rom.size); !status.ok()) return status;
  auto parts = open_ram(options);
  if (!parts.ok()) return parts.error();
  return memory_.add_ram("ram", Paddr{ram_base}, std::move(*parts));
}

Status Board::plan_boot(const MachineOptions& options, std::vector<std::byte> fdt) {
  boot_ = std::make_unique<Boot>(memory_, places_);
  if (Status status = boot_->plan(options, std::move(fdt)); !status.ok()) return status;
  if (options.signature.file.empty()) return Ok{};
  auto signature = Signature::plan(options.signature, boot_->elf_files(), memory_);
  if (!signature.ok()) return signature.error();
  signature_ = std::move(*signature);
  return Ok{};
}

Status Board::add_harts(const MachineOptions& options, const riscv::CpuConfig& config,
                        const riscv::ImsicSetup& imsic) {
  riscv::CpuSetup setup{&memory_, &clock_, &time_, &timers_, &control_, config, places_.rom_base, imsic};
  setup.harts = options.harts;
  setup.engine = options.engine;
  setup.semihosting = options.semihosting;
  setup.sanitize = options.sanitize;
  setup.vary = options.vary;
  setup.semihosting.command_line =
      options.append.empty() ? options.kernel : options.kernel + " " + options.append;
  auto harts = riscv::make_cpus(setup);
  if (!harts.ok()) return harts.error();
  harts_ = std::move(*harts);
  for (unsigned hart = 0; hart < harts_->count(); ++hart)
    lines_.push_back(std::make_unique<CpuLines>(harts_->cpu(hart)));
  return Ok{};
}

std::vector<HartLines*> Board::hart_lines() const {
  std::vector<HartLines*> all;
  for (const auto& line : lines_) all.push_back(line.get());
  return all;
}

HtifSetup Board::htif_setup(const MachineOptions& options) {
  auto console = options.serials.empty() ? nullptr : options.serials[0];
  return {memory_, clock_, timers_, std::move(console), control_};
}

Status Board::add_htif(const MachineOptions& options) {
  for (const auto& file : boot_->elf_files()) {
    const auto symbols = find_symbols(*file, kHtifSymbols);
    if (symbols.size() != std::size(kHtifSymbols)) continue;
    const HtifWords words{Paddr{symbols.at("tohost")}, Paddr{symbols.at("fromhost")}};
    if (Htif::can_hold(memory_, words)) {
      return main_bus().plug(std::make_unique<Htif>(htif_setup(options), words));
    }
    warn("%s: its tohost and fromhost are no aligned words in RAM, so there is no host-target interface",
         file->name().c_str());
  }
  return Ok{};
}

std::vector<Cpu*> Board::cpus() {
  std::vector<Cpu*> all;
  for (unsigned hart = 0; hart < harts_->count(); ++hart) all.push_back(&harts_->cpu(hart));
  return all;
}

void Board::reset() {
  root_.reset();
  for (unsigned hart = 0; hart < harts_->count(); ++hart) harts_->cpu(hart).reset();
  for (const auto& [hart, entry] : boot_->entries()) harts_->cpu(hart).core().pc = entry;
  if (Status status = boot_->load(); !status.ok()) {
    // The files were there when the machine was built; without them it cannot start again.
    std::fprintf(stderr, "gstage: %s\n", status.error().message.c_str());
    control_.request(MachineRequest::kQuit, 1);
  }
}

Status Board::finish() { return signature_ == nullptr ? Ok{} : signature_->write(); }

std::unique_ptr<DeviceGroup> make_soc() {
  return std::make_unique<DeviceGroup>("soc", [](FdtBuilder& fdt, const NodePlace&, const Bus& members) {
    const auto node = fdt.node("soc");
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.string("compatible", "simple-bus");
    fdt.empty("ranges");
    members.describe(fdt);
  });
}

Status write_device_tree(const std::string& path, const std::vector<std::byte>& tree) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool is_written = file != nullptr && std::fwrite(tree.data(), 1, tree.size(), file) == tree.size();
  const bool is_closed = file != nullptr && std::fclose(file) == 0;
  if (is_written && is_closed) return Ok{};
  return error("-machine dumpdtb=%s: %s; name a file that can be written", path.c_str(),
               std::strerror(errno));
}

}  // namespace gstage::hw
