// SPDX-License-Identifier: Apache-2.0
#include "system/trace/exit_timeline.h"

#include "softmmu/base/format.h"
#include "target/riscv/trace/exit_names.h"

namespace gstage {

namespace {

using riscv::ExitEvent;
using riscv::ExitPlace;

constexpr unsigned kHarts = 1;
constexpr unsigned kFirstVm = 1000;

unsigned process_of(std::uint32_t vmid) { return kFirstVm + vmid; }

unsigned long long number(std::uint64_t value) { return value; }

std::string named(const char* what, unsigned process, unsigned track, const std::string& name) {
  return format("{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":\"%s\"}},\n", what,
                process, track, name.c_str());
}

}  // namespace

std::string ExitTimeline::begin() { return "[\n" + named("process_name", kHarts, 0, "harts"); }

std::string ExitTimeline::end(const std::string& totals_json) {
  return format("{\"ph\":\"M\",\"name\":\"exit_totals\",\"pid\":%u,\"tid\":0,\"args\":", kHarts) +
         totals_json + "}\n]\n";
}

void ExitTimeline::name_tracks(unsigned hart, std::uint32_t vmid) {
  const unsigned process = process_of(vmid);
  if (!named_.emplace(process, hart).second) return;
  if (named_.emplace(kHarts, hart).second)
    text_ += named("thread_name", kHarts, hart, format("hart %u", hart));
  text_ += named("process_name", process, hart, format("VM %u", vmid));
  text_ += named("thread_name", process, hart, format("hart %u", hart));
}

/// `head` ends before the times, which are microseconds with three digits.
void ExitTimeline::slice(const char* head, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t first = time_.ns(begin - time_.begin());
  const std::uint64_t last = time_.ns(end - time_.begin());
  text_ += format("{\"ph\":\"X\",%s,\"ts\":%llu.%03llu,\"dur\":%llu.%03llu", head, number(first / 1000),
                  number(first % 1000), number((last - first) / 1000), number((last - first) % 1000));
}

void ExitTimeline::add(unsigned hart, const ExitEvent& event) {
  const unsigned process = process_of(event.key.vmid);
  name_tracks(hart, event.key.vmid);
  if (event.kind == ExitEvent::Kind::kStay) {
    const std::string name =
        event.place == ExitPlace::kFirmware ? riscv::call_name(event.key) : riscv::place_name(event.place);
    slice(format("\"cat\":\"%s\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u", riscv::place_name(event.place),
                 name.c_str(), process, hart)
              .c_str(),
          event.begin, event.end);
    text_ += "},\n";
    return;
  }
  if (event.entered != 0) {
    slice(format("\"cat\":\"guest\",\"name\":\"VM %u\",\"pid\":%u,\"tid\":%u", event.key.vmid, kHarts, hart)
              .c_str(),
          event.entered, event.begin);
    text_ += "},\n";
  }
  slice(format("\"cat\":\"exit\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u", riscv::exit_name(event.key).c_str(),
               process, hart)
            .c_str(),
        event.begin, event.end);
  text_ +=
      format(",\"args\":{\"pc\":\"0x%llx\",\"address\":\"0x%llx\",\"to\":\"%s\",\"next_vmid\":%u",
             number(event.pc), number(event.address), event.is_to_hypervisor ? "HS" : "M", event.next_vmid);
  if (!event.has_returned) text_ += ",\"returns\":false";
  if (symbol_) text_ += ",\"at\":" + json_string(exit_place_text(symbol_, event.key.vmid, event.pc));
  for (unsigned i = 1; i < riscv::kExitPlaces; ++i)
    if (event.ns[i] != 0)
      text_ += format(",\"%s_ns\":%llu", riscv::place_name(static_cast<ExitPlace>(i)), number(event.ns[i]));
  text_ += "}},\n";
}

}  // namespace gstage
