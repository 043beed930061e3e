// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <span>

#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sched.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/sandbox/steps.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41  // newer than Debian 12's headers of the C library
#endif

namespace gstage::sandbox {

namespace {

bool is_needed(For whom, const Needs& needs) {
  return whom == For::kAll || (whom == For::kFiles ? needs.opens_files : needs.networks.has(whom));
}

struct Call {
  int number;
  For whom;
};

constexpr Call kAllowed[] = {
#define ALLOW(name) Call{SCMP_SYS(name), For::kAll},
#define ALLOW_FILES(name) Call{SCMP_SYS(name), For::kFiles},
#define ALLOW_FOR(network, name) Call{SCMP_SYS(name), For::network},
#define ALLOW_FOR_IF(network, name, argument, mask, value)
#define ALLOW_IF(name, argument, mask, value)
#define REFUSE(name, error)
#include "system/sandbox/syscalls.inc"
#undef ALLOW
#undef ALLOW_FILES
#undef ALLOW_IF
#undef ALLOW_FOR
#undef ALLOW_FOR_IF
#undef REFUSE
};

struct Condition {
  int number;
  unsigned argument;
  std::uint64_t mask;
  std::uint64_t value;
  For whom;
};

struct Refusal {
  int number;
  std::uint16_t error;
};

constexpr Refusal kRefused[] = {
#define ALLOW(name)
#define ALLOW_FILES(name)
#define ALLOW_FOR(network, name)
#define ALLOW_FOR_IF(network, name, argument, mask, value)
#define ALLOW_IF(name, argument, mask, value)
#define REFUSE(name, error) Refusal{SCMP_SYS(name), error},
#include "system/sandbox/syscalls.inc"
#undef ALLOW
#undef ALLOW_FILES
#undef ALLOW_IF
#undef ALLOW_FOR
#undef ALLOW_FOR_IF
#undef REFUSE
};

/// Adds all rows to the filter; 0 or a negative errno.
int add_rows(scmp_filter_ctx filter, const Needs& needs) {
  // Not constexpr: one of the values is this process.
  const Condition conditions[] = {
#define ALLOW(name)
#define ALLOW_FILES(name)
#define ALLOW_FOR(network, name)
#define ALLOW_IF(name, argument, mask, value) \
  Condition{SCMP_SYS(name), argument, mask, static_cast<std::uint64_t>(value), For::kAll},
#define ALLOW_FOR_IF(network, name, argument, mask, value) \
  Condition{SCMP_SYS(name), argument, mask, static_cast<std::uint64_t>(value), For::network},
#define REFUSE(name, error)
#include "system/sandbox/syscalls.inc"
#undef ALLOW
#undef ALLOW_FILES
#undef ALLOW_IF
#undef ALLOW_FOR
#undef ALLOW_FOR_IF
#undef REFUSE
  };
  int failure = 0;
  const auto add = [&](std::uint32_t action, int number, std::span<const scmp_arg_cmp> compares) {
    const int result = seccomp_rule_add_array(filter, action, number, static_cast<unsigned>(compares.size()),
                                              compares.data());
    // Two may need the same.
    if (failure == 0 && result != -EEXIST) failure = result;
  };
  for (const Call& call : kAllowed)
    if (is_needed(call.whom, needs)) add(SCMP_ACT_ALLOW, call.number, {});
  for (const Condition& c : conditions) {
    const scmp_arg_cmp compare{c.argument, SCMP_CMP_MASKED_EQ, c.mask, c.value};
    if (is_needed(c.whom, needs)) add(SCMP_ACT_ALLOW, c.number, {&compare, 1});
  }
  for (const Refusal& r : kRefused) add(SCMP_ACT_ERRNO(r.error), r.number, {});
  return failure;
}

/// The filter's attributes; 0 or a negative errno.
int set_attributes(scmp_filter_ctx filter) {
  const std::pair<scmp_filter_attr, std::uint32_t> attributes[] = {
      // System calls of another architecture's numbering are never made by this program.
      {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
      {SCMP_FLTATR_CTL_NNP, 1},
      {SCMP_FLTATR_CTL_TSYNC, 1},
      // Kernels before 5.16 turn speculation off in each process with a filter, which generated code pays
      // for.
      {SCMP_FLTATR_CTL_SSB, 1},
  };
  for (const auto& [attribute, value] : attributes)
    if (const int failure = seccomp_attr_set(filter, attribute, value); failure != 0) return failure;
  return 0;
}

}  // namespace

Status restrict_system_calls(const Needs& needs) {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)),
                                                                seccomp_release);
  if (filter == nullptr) return error("-sandbox: no memory for the filter of system calls");
  int failure = set_attributes(filter.get());
  if (failure == 0) failure = add_rows(filter.get(), needs);
  if (failure == 0) failure = seccomp_load(filter.get());
  if (failure == 0) return Ok{};
  return error("-sandbox: this host takes no filter of system calls (seccomp: %s): -sandbox off does without",
               std::strerror(-failure));
}

}  // namespace gstage::sandbox
