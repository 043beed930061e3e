// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "system/options.h"

namespace gstage {

/// Options that have nothing to choose from: they take none.
struct NoneHandlers {
  static Status vga(Options& options, const std::string& argument);
  static Status parallel(Options& options, const std::string& argument);
  static Status audio_device(Options& options, const std::string& argument);
};

/// Options that name disks and their images.
struct DiskHandlers {
  static Status drive(Options& options, const std::string& argument);
  static Status blockdev(Options& options, const std::string& argument);
  static Status disk(Options& options, const std::string& argument);
  static Status cdrom(Options& options, const std::string& argument);
  static Status snapshot(Options& options, const std::string& argument);
};

/// Options of the network.
struct NetworkHandlers {
  static Status netdev(Options& options, const std::string& argument);
  static Status nic(Options& options, const std::string& argument);
  static Status net(Options& options, const std::string& argument);
};

/// Options about the process and the machine's names, and those that change nothing here.
struct ProcessHandlers {
  static Status name(Options& options, const std::string& argument);
  static Status uuid(Options& options, const std::string& argument);
  static Status pidfile(Options& options, const std::string& argument);
  static Status daemonize(Options& options, const std::string& argument);
  static Status readconfig(Options& options, const std::string& argument);
  static Status overcommit(Options& options, const std::string& argument);
  static Status message(Options& options, const std::string& argument);
  static Status enable_kvm(Options& options, const std::string& argument);
};

/// Options about what firmware does and finds.
struct FirmwareHandlers {
  static Status firmware_folder(Options& options, const std::string& argument);
  static Status boot(Options& options, const std::string& argument);
  static Status fw_cfg(Options& options, const std::string& argument);
};

/// Options of shared folders.
struct ShareHandlers {
  static Status fsdev(Options& options, const std::string& argument);
  static Status virtfs(Options& options, const std::string& argument);
};

/// Options of memory.
struct MemoryHandlers {
  static Status memory(Options& options, const std::string& argument);
  static Status memory_path(Options& options, const std::string& argument);
  static Status preallocate(Options& options, const std::string& argument);
  static Status numa(Options& options, const std::string& argument);
};

/// Options of debuggers.
struct DebuggerHandlers {
  static Status gdb(Options& options, const std::string& argument);
  static Status gdb_here(Options& options, const std::string& argument);
  static Status symbols(Options& options, const std::string& argument);
  static Status log_filter_items(Options& options, const std::string& argument);
};

/// Options of character back ends and of what talks on them.
struct ConsoleHandlers {
  static Status serial(Options& options, const std::string& argument);
  static Status monitor(Options& options, const std::string& argument);
  static Status chardev(Options& options, const std::string& argument);
  static Status mon(Options& options, const std::string& argument);
  static Status qmp(Options& options, const std::string& argument);
  static Status qmp_pretty(Options& options, const std::string& argument);
};

/// Options that show what the machine does.
struct TraceHandlers {
  static Status trace(Options& options, const std::string& argument);
  static Status perf_map(Options& options, const std::string& argument);
  static Status jitdump(Options& options, const std::string& argument);
};

/// Options for tests that boot machines.
struct ExpectHandlers {
  static Status expect(Options& options, const std::string& argument);
  static Status fail_on(Options& options, const std::string& argument);
  static Status timeout(Options& options, const std::string& argument);
  static Status junit(Options& options, const std::string& argument);
};

/// One function an option (the `handler` column of options.inc). `argument` is empty for options without one.
struct OptionHandlers : NoneHandlers,
                        DiskHandlers,
                        NetworkHandlers,
                        ShareHandlers,
                        ProcessHandlers,
                        FirmwareHandlers,
                        MemoryHandlers,
                        DebuggerHandlers,
                        ConsoleHandlers,
                        TraceHandlers,
                        ExpectHandlers {
  using Handler = Status (*)(Options& options, const std::string& argument);

  static Status machine(Options& options, const std::string& argument);
  static Status cpu(Options& options, const std::string& argument);
  static Status smp(Options& options, const std::string& argument);
  static Status accel(Options& options, const std::string& argument);
  static Status bios(Options& options, const std::string& argument);
  static Status kernel(Options& options, const std::string& argument);
  static Status initrd(Options& options, const std::string& argument);
  static Status append(Options& options, const std::string& argument);
  static Status dtb(Options& options, const std::string& argument);
  static Status device(Options& options, const std::string& argument);
  static Status object(Options& options, const std::string& argument);
  static Status global(Options& options, const std::string& argument);
  static Status nodefaults(Options& options, const std::string& argument);
  static Status nographic(Options& options, const std::string& argument);
  static Status display(Options& options, const std::string& argument);
  static Status start_paused(Options& options, const std::string& argument);
  static Status no_reboot(Options& options, const std::string& argument);
  static Status no_shutdown(Options& options, const std::string& argument);
  static Status rtc(Options& options, const std::string& argument);
  static Status ignored(Options& options, const std::string& argument);
  static Status accepted(Options& options, const std::string& argument);
  static Status no_acpi(Options& options, const std::string& argument);
  static Status sandbox(Options& options, const std::string& argument);
  static Status semihosting(Options& options, const std::string& argument);
  static Status semihosting_config(Options& options, const std::string& argument);
  static Status signature(Options& options, const std::string& argument);
  static Status run_as(Options& options, const std::string& argument);
  static Status change_root(Options& options, const std::string& argument);
  static Status run_with(Options& options, const std::string& argument);
  static Status sanitize(Options& options, const std::string& argument);
  static Status vary(Options& options, const std::string& argument);
  static Status log_items(Options& options, const std::string& argument);
  static Status log_file(Options& options, const std::string& argument);
  static Status help(Options& options, const std::string& argument);
  static Status version(Options& options, const std::string& argument);
};

/// Reads what `-blockdev` says: properties or JSON.
Result<BlockOptions> parse_blockdev(const std::string& argument);
/// Does what an option of the command line does. `word` is without dashes.
Status apply_option(Options& options, const std::string& word, const std::string& argument);
/// Chooses the first accelerator that is there of "NAME:NAME...", unless one is chosen. Refuses names that
/// nobody knows.
Status choose_accel(Options& options, const std::string& names);
/// Once all options are known: how large RAM is, and how it and the harts are divided.
Status settle_memory(Options& options);
/// How many bytes the memory of `-object ...,id=ID` has. `what` is for the message when it is not there.
Result<std::uint64_t> memory_object_size(const Options& options, const std::string& what,
                                         const std::string& id);
/// Refuses a command line that names accelerators of which none is there.
Status check_accel(const Options& options);

}  // namespace gstage
