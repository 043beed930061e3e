// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/log_filter.h"

#include <algorithm>
#include <limits>

#include "softmmu/option_values.h"

namespace gstage {

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

Result<std::uint64_t> parse(const std::string& item, const std::string& number, std::uint64_t most = kMost) {
  return parse_number("-dfilter " + item, number, 0, most);
}

}  // namespace

Status LogFilter::add(const std::string& list) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    if (Status status = add_item(list.substr(at, comma - at)); !status.ok()) return status;
    at = comma + 1;
  }
  return Ok{};
}

Status LogFilter::add_item(const std::string& item) {
  static constexpr struct {
    const char* name;
    Kind kind;
    std::uint64_t most;
  } kWorlds[] = {{"hart=", Kind::kHart, kMost}, {"v=", Kind::kVirtual, 1}, {"vmid=", Kind::kVmid, 0x3fff}};
  for (const auto& row : kWorlds) {
    if (!item.starts_with(row.name)) continue;
    auto value = parse(item, item.substr(std::string(row.name).size()), row.most);
    if (!value.ok()) return value.error();
    worlds_.push_back({row.kind, *value});
    return Ok{};
  }
  const std::size_t sign = item.find_first_of(".+-");
  const bool is_span = sign != std::string::npos && item[sign] == '.';
  const bool is_sound = sign != std::string::npos && sign != 0 && (!is_span || item.substr(sign, 2) == "..");
  if (!is_sound)
    return error("-dfilter %s: use START..END, START+SIZE, START-SIZE, hart=N, v=0, v=1 or vmid=N",
                 item.c_str());
  auto start = parse(item, item.substr(0, sign));
  if (!start.ok()) return start.error();
  auto other = parse(item, item.substr(sign + (is_span ? 2 : 1)));
  if (!other.ok()) return other.error();
  if (is_span) {
    if (*other < *start) return error("-dfilter %s: the range ends before it begins", item.c_str());
    ranges_.push_back({*start, *other});
    return Ok{};
  }
  if (*other == 0) return error("-dfilter %s: the range has no bytes", item.c_str());
  const bool is_before = item[sign] == '-';
  if (*other > (is_before ? *start : kMost - *start))
    return error("-dfilter %s: the range goes beyond the addresses", item.c_str());
  const std::uint64_t first = is_before ? *start - *other : *start;
  ranges_.push_back({first, first + *other - 1});
  return Ok{};
}

bool LogFilter::has_address(std::uint64_t address) const {
  return ranges_.empty() || std::any_of(ranges_.begin(), ranges_.end(), [address](const Range& range) {
           return address >= range.first && address <= range.last;
         });
}

bool LogFilter::has_world(Kind kind, std::optional<std::uint64_t> value) const {
  bool is_named = false;
  for (const World& world : worlds_) {
    if (world.kind != kind) continue;
    if (world.value == value) return true;
    is_named = true;
  }
  return !is_named;
}

bool LogFilter::has(const LogSubject& subject) const {
  return has_address(subject.pc) && has_world(Kind::kHart, subject.hart) &&
         has_world(Kind::kVirtual, subject.v ? 1 : 0) &&
         has_world(Kind::kVmid, subject.v ? std::optional<std::uint64_t>(subject.vmid) : std::nullopt);
}

bool& log_shows_registers() {
  static bool is_on = false;
  return is_on;
}

LogFilter& log_filter() {
  // Never destroyed: threads may log until the very end.
  static LogFilter* const filter = new LogFilter;
  return *filter;
}

}  // namespace gstage
