// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/cpu.h"
#include "softmmu/machine_control.h"
#include "softmmu/mem/address_space.h"
#include "softmmu/property_rows.h"
#include "io/block/block.h"
#include "io/block/failures.h"
#include "io/chardev.h"
#include "io/clock.h"
#include "io/ninep/share.h"
#include "io/wall_clock.h"
#include "tcg/runtime/engine_options.h"
#include "target/riscv/sanitize/options.h"
#include "target/riscv/semihosting/options.h"
#include "target/riscv/vary/options.h"
#include "hw/core/numa.h"

namespace gstage {

class NetBackend;
namespace hw {
class BackEnds;
class Device;
}  // namespace hw
namespace riscv {
class CpuCluster;
}

/// `-signature`: where the range of memory from `begin_signature` to `end_signature` is written at the end.
struct SignatureOptions {
  std::string file;          ///< empty: there is none
  unsigned granularity = 4;  ///< bytes a line, a power of two
};

/// What firmware finds out by fw_cfg besides the kernel: `-boot` and `-fw_cfg`.
struct FirmwareOptions {
  /// A file of the user's.
  struct File {
    std::string name;
    std::string path;  ///< of the host's file that it is; empty: it is the text
    std::string text;
  };
  std::vector<File> files;
  bool has_menu = false;                 ///< firmware is to show its menu
  bool is_strict = false;                ///< to boot from nothing else than what has bootindex=
  std::optional<std::uint16_t> menu_ms;  ///< how long it waits at the menu
  std::uint32_t retry_ms = 0xffffffff;  ///< when to begin anew after nothing could be booted; all ones: never
};

/// Everything the command line says of the machine, parsed and checked for form, not yet for sense.
struct MachineOptions {
  DeviceOptions machine{"virt", {}};
  DeviceOptions cpu{"rv64", {}};
  tcg::EngineOptions engine;
  unsigned harts = 1;           ///< `-smp`, at least 1
  unsigned worker_threads = 8;  ///< at most, for devices; 0: none, for tests (hw/core/worker_pool.h)
  std::uint64_t ram_bytes = 128ull << 20;  ///< `-m`
  std::string memory_backend;              ///< `-machine memory-backend=`: the object that is RAM; or empty
  std::string memory_path;                 ///< `-mem-path`, or empty
  bool is_memory_preallocated = false;     ///< `-mem-prealloc`
  NumaOptions numa;
  std::string bios = "default";
  std::string kernel;
  std::string initrd;
  std::string append;
  std::string dtb;
  /// Where firmware is looked for, behind the folders that are named.
  static constexpr const char* kFirmwareFolders[] = {"/usr/lib/riscv64-linux-gnu/opensbi/generic",
                                                     "/usr/share/qemu"};
  std::vector<std::string> firmware_folders;  ///< `-L`, in order
  FirmwareOptions firmware;
  RtcOptions rtc;
  riscv::SemihostingOptions semihosting;
  riscv::SanitizeOptions sanitize;
  riscv::VaryOptions vary;
  SignatureOptions signature;
  std::vector<BlockOptions> blockdevs;  ///< `-blockdev`, in order
  std::vector<DriveOptions> drives;
  std::shared_ptr<DiskFailures> disk_failures = std::make_shared<DiskFailures>();
  std::vector<ninep::ShareOptions> shares;  ///< `-fsdev`
  std::vector<DeviceOptions> devices;
  std::vector<DeviceOptions> globals;  ///< `-global`: what drivers' devices have unless they say otherwise
  std::vector<DeviceOptions> objects;
  std::vector<std::shared_ptr<Chardev>> serials;                ///< `-serial`, in order
  std::map<std::string, std::shared_ptr<Chardev>> chardevs;     ///< `-chardev`, by id
  std::map<std::string, std::shared_ptr<NetBackend>> networks;  ///< `-netdev`, by id
};

/// A built board. The machine's run state (system/run_state.h) starts and stops its harts.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::vector<Cpu*> cpus() = 0;
  /// The same with all that is RISC-V's: registers, engine, debugger. Null: they are none (in tests).
  virtual riscv::CpuCluster* harts() { return nullptr; }
  virtual AddressSpace& memory() = 0;
  virtual Clock& clock() = 0;
  /// The root of its tree of devices.
  virtual hw::Device& devices() = 0;
  /// What the command line opened for devices. Null: there are none.
  virtual hw::BackEnds* back_ends() { return nullptr; }
  /// The flattened device tree as the guest gets it.
  [[nodiscard]] virtual const std::vector<std::byte>& device_tree() const = 0;
  /// All devices, RAM images and harts to their state at power-on. Harts are stopped.
  virtual void reset() = 0;
  /// Sends the non-maskable interrupt. False: the machine has none. Any thread.
  virtual bool send_nmi() { return false; }
  /// What `-sanitize` has counted so far, lines ended; empty: it is off. Any thread.
  [[nodiscard]] virtual std::string sanitizer_summary() { return {}; }
  /// What is left to do when the machine has ended: its harts are stopped for good.
  virtual Status finish() { return Ok{}; }
};

/// A board that `-machine` can name.
struct MachineType {
  const char* name;
  const char* description;
  PropertyRows properties;  ///< its own, besides those that all boards have
  /// Builds the machine, which asks `control` for its end or reset. May answer with an Error, or null when
  /// the command asked only for output (`-machine dumpdtb=FILE`) and is done.
  Result<std::unique_ptr<Machine>> (*create)(const MachineOptions& options, MachineControl& control);
};

}  // namespace gstage
