// SPDX-License-Identifier: Apache-2.0
// The handler of -rtc.
#include <cstdio>
#include <ctime>

#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

constexpr PropertyRow kRtcProperties[] = {
    {"base", "utc|localtime|DATE", "what it shows at the start: DATE is 2006-06-17 or 2006-06-17T16:01:21"},
    {"clock", "host|rt|vm", "host: with the host's time of day; rt: evenly; vm: while the machine runs"},
    {"driftfix", "none|slew", "no effect: no tick is lost"},
};

/// Seconds since 1970, or -1.
std::int64_t parse_date(const std::string& text) {
  tm date{};
  int day_end = -1;
  int end = -1;
  std::sscanf(text.c_str(), "%4d-%2d-%2d%n%*1[T]%2d:%2d:%2d%n", &date.tm_year, &date.tm_mon, &date.tm_mday,
              &day_end, &date.tm_hour, &date.tm_min, &date.tm_sec, &end);
  const auto size = static_cast<int>(text.size());
  if (size == 0 || (day_end != size && end != size)) return -1;
  date.tm_year -= 1900;
  date.tm_mon -= 1;
  tm normal = date;
  const std::int64_t seconds = timegm(&normal);
  // timegm takes the 31st of June for the 1st of July.
  const bool is_date = normal.tm_mon == date.tm_mon && normal.tm_mday == date.tm_mday &&
                       normal.tm_hour == date.tm_hour && normal.tm_min == date.tm_min &&
                       normal.tm_sec == date.tm_sec;
  return is_date ? seconds : -1;
}

Status set_base(RtcOptions& rtc, const std::string& base) {
  if (base == "utc" || base == "localtime") {
    rtc.base = base == "utc" ? RtcOptions::Base::kUtc : RtcOptions::Base::kLocalTime;
    return Ok{};
  }
  rtc.base = RtcOptions::Base::kDate;
  rtc.date_s = parse_date(base);
  if (rtc.date_s >= 0) return Ok{};
  return error("-rtc: base=%s: use utc, localtime, or a date from 1970 on as 2006-06-17T16:01:21",
               base.c_str());
}

Status set_source(RtcOptions& rtc, const std::string& clock) {
  constexpr struct {
    const char* name;
    RtcOptions::Source source;
  } kSources[] = {{"host", RtcOptions::Source::kHost},
                  {"rt", RtcOptions::Source::kReal},
                  {"vm", RtcOptions::Source::kMachine}};
  for (const auto& [name, source] : kSources) {
    if (clock != name) continue;
    rtc.source = source;
    return Ok{};
  }
  return error("-rtc: clock=%s: use host, rt or vm", clock.c_str());
}

}  // namespace

Status OptionHandlers::rtc(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of -rtc:", kRtcProperties);
    return Ok{};
  }
  auto properties = parse_properties("-rtc", argument, "");
  if (!properties) return properties.error();
  for (const Property& property : *properties) {
    Status status = check_property("-rtc", kRtcProperties, property);
    if (status.ok() && property.name == "base") status = set_base(options.machine.rtc, property.value);
    if (status.ok() && property.name == "clock") status = set_source(options.machine.rtc, property.value);
    const bool is_known = property.name != "driftfix" || property.value == "none" || property.value == "slew";
    if (!is_known) return error("-rtc: driftfix=%s: use none or slew", property.value.c_str());
    if (!status.ok()) return status;
  }
  return Ok{};
}

}  // namespace gstage
