// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_fw_cfg.h"

#include "hw/core/boot_order.h"

namespace gstage::hw {
namespace {

constexpr const char* kBootOrder = "bootorder";

std::vector<std::uint8_t> little_endian(std::uint32_t value, unsigned size) {
  std::vector<std::uint8_t> bytes;
  for (unsigned i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (i * 8)));
  return bytes;
}

FwCfg::Reader reader_of(const std::shared_ptr<ImageFile>& file) {
  return [file](std::uint64_t offset, std::span<std::byte> to) { return file->read(offset, to).ok(); };
}

std::uint32_t size_of(const ImageFile& file) { return static_cast<std::uint32_t>(file.size()); }

Status add_user_file(FwCfg& fw_cfg, const FirmwareOptions::File& file) {
  if (fw_cfg.has_file(file.name))
    return error("-fw_cfg: there is a file '%s' already; choose another name", file.name.c_str());
  if (file.path.empty()) {
    fw_cfg.add_file(file.name, {file.text.begin(), file.text.end()});
    return Ok{};
  }
  auto content = ImageFile::open("-fw_cfg file=", file.path, ImageFile::Packed::kKeep, 0);
  if (!content.ok()) return content.error();
  if ((*content)->size() > UINT32_MAX)
    return error("-fw_cfg: '%s' has more than 4 GiB; name a smaller file", file.path.c_str());
  fw_cfg.add_file(file.name, size_of(**content), reader_of(*content));
  return Ok{};
}

}  // namespace

Status fill_fw_cfg(FwCfg& fw_cfg, const MachineOptions& options) {
  const FirmwareOptions& firmware = options.firmware;
  fw_cfg.add_number(FwCfg::kRamSize, options.ram_bytes, 8);
  fw_cfg.add_number(FwCfg::kCpuCount, options.harts, 2);
  fw_cfg.add_number(FwCfg::kMaxCpus, options.harts, 2);
  fw_cfg.add_number(FwCfg::kBootMenu, firmware.has_menu ? 1 : 0, 2);
  fw_cfg.add_file(kBootOrder, {});
  fw_cfg.add_file("etc/boot-fail-wait", little_endian(firmware.retry_ms, 4));
  if (firmware.menu_ms) fw_cfg.add_file("etc/boot-menu-wait", little_endian(*firmware.menu_ms, 2));
  for (const FirmwareOptions::File& file : firmware.files)
    if (Status status = add_user_file(fw_cfg, file); !status.ok()) return status;
  return Ok{};
}

void hand_over(FwCfg& fw_cfg, const Handover& handover) {
  if (handover.kernel == nullptr) return;
  fw_cfg.add_number(FwCfg::kKernelSize, handover.kernel->size(), 4);
  fw_cfg.add_source(FwCfg::kKernelData, size_of(*handover.kernel), reader_of(handover.kernel));
  fw_cfg.add_number(FwCfg::kCommandLineSize, handover.command_line.size() + 1, 4);
  fw_cfg.add_text(FwCfg::kCommandLineData, handover.command_line);
  if (handover.initrd == nullptr) return;
  fw_cfg.add_number(FwCfg::kInitrdSize, handover.initrd->size(), 4);
  fw_cfg.add_source(FwCfg::kInitrdData, size_of(*handover.initrd), reader_of(handover.initrd));
}

void set_boot_order(FwCfg& fw_cfg, Device& root, const FirmwareOptions& options) {
  fw_cfg.add_file(kBootOrder, boot_order(root, options.is_strict));
}

}  // namespace gstage::hw
