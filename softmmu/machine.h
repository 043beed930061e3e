// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/cpu.h"
#include "softmmu/io/block.h"
#include "softmmu/io/chardev.h"
#include "softmmu/io/clock.h"
#include "softmmu/mem/address_space.h"

namespace gstage {

/// One `name=value` of an option; `name` alone has the value "on".
struct Property {
  std::string name;
  std::string value;
};

/// `-device driver,props`, `-object`, `-netdev` and the like: a word and its properties.
struct DeviceOptions {
  std::string driver;
  std::vector<Property> properties;
  /// The value, or null.
  [[nodiscard]] const std::string* find(const std::string& name) const;
};

/// `-accel`: translation to host code, or interpretation of the intermediate code.
enum class Accel : std::uint8_t { kJit, kInterp };

/// `-accel jit,regions=`: whether hot loops are compiled as a whole.
enum class Regions : std::uint8_t {
  kOff,
  kOn,     ///< those in which harts are found time and again
  kEager,  ///< every loop as soon as it is translated (for tests: slow)
};

/// `-semihosting-config`: what a program may ask of the host by semihosting calls.
struct SemihostingOptions {
  bool is_enabled = false;
  bool has_userspace = false;          ///< U-mode may call, too
  std::string chardev;                 ///< id of the console; empty: standard output and error
  std::string root;                    ///< the folder whose files the program may use; empty: none
  std::vector<std::string> arguments;  ///< the program's; none: the kernel's name and command line
  std::shared_ptr<Chardev> console{};  ///< what `chardev` names, once it is open
};

/// `-signature`: where the range of memory from `begin_signature` to `end_signature` is written at the end.
struct SignatureOptions {
  std::string file;          ///< empty: there is none
  unsigned granularity = 4;  ///< bytes a line, a power of two
};

/// Everything the command line says of the machine, parsed and checked for form, not yet for sense.
struct MachineOptions {
  DeviceOptions machine{"virt", {}};
  DeviceOptions cpu{"rv64", {}};
  Accel accel = Accel::kJit;
  Regions regions = Regions::kOn;
  std::uint64_t translation_buffer_bytes = 0;  ///< `-accel jit,tb-size=MiB`; 0: default
  unsigned harts = 1;                          ///< `-smp`, at least 1
  std::uint64_t ram_bytes = 128ull << 20;      ///< `-m`
  std::string bios = "default";
  std::string kernel;
  std::string initrd;
  std::string append;
  std::string dtb;
  SemihostingOptions semihosting;
  SignatureOptions signature;
  std::vector<DriveOptions> drives;
  std::vector<DeviceOptions> devices;
  std::vector<DeviceOptions> objects;
  std::vector<std::shared_ptr<Chardev>> serials;             ///< `-serial`, in order
  std::map<std::string, std::shared_ptr<Chardev>> chardevs;  ///< `-chardev`, by id
};

/// What the guest or the user asked of the whole machine.
enum class MachineRequest : std::uint8_t { kNone, kPoweroff, kReset, kQuit };

/// A built board. The machine's run state (softmmu/run_state.h) starts and stops its harts.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::vector<Cpu*> cpus() = 0;
  virtual AddressSpace& memory() = 0;
  virtual Clock& clock() = 0;
  /// All devices, RAM images and harts to their state at power-on. Harts are stopped.
  virtual void reset() = 0;
  /// What is left to do when the machine has ended: its harts are stopped for good.
  virtual Status finish() { return Ok{}; }
};

/// A board that `-machine` can name. Boards register themselves at start-up.
struct MachineType {
  const char* name;
  const char* description;
  /// Builds the machine. May answer with an Error, or null when the command asked only for output
  /// (`-machine dumpdtb=FILE`) and is done.
  Result<std::unique_ptr<Machine>> (*create)(const MachineOptions& options);
};
void register_machine_type(const MachineType& type);
const std::vector<MachineType>& machine_types();

/// Requests poweroff, reset or quit; any thread, also a hart's from within a device access. The first
/// poweroff or quit wins; `exit_code` becomes the program's.
void request_machine(MachineRequest request, int exit_code = 0);

}  // namespace gstage
