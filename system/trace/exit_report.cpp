// SPDX-License-Identifier: Apache-2.0
#include "system/trace/exit_report.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "softmmu/base/format.h"
#include "target/riscv/trace/exit_names.h"

namespace gstage {

namespace {

using riscv::ExitKey;
using riscv::ExitPlace;

constexpr std::size_t kSitesInText = 20;

auto order_of(const ExitKey& key) { return std::tuple(key.vmid, key.cause, key.extension, key.function); }

struct ByKey {
  bool operator()(const ExitKey& a, const ExitKey& b) const { return order_of(a) < order_of(b); }
};

unsigned long long number(std::uint64_t value) { return value; }
double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}
std::uint64_t spent(const ExitRow& row, ExitPlace place) { return row.ns[static_cast<unsigned>(place)]; }

/// Three digits and a unit.
std::string duration(std::uint64_t ns) {
  static constexpr const char* kUnits[] = {"ns", "us", "ms", "s"};
  auto value = static_cast<double>(ns);
  unsigned unit = 0;
  for (; value >= 1000 && unit < 3; ++unit) value /= 1000;
  return format(unit == 0 || value >= 100 ? "%.0f%s" : "%.3g%s", value, kUnits[unit]);
}

/// The bound of the bucket in which the part of all exits ends.
std::string quantile(const ExitRow& row, double part) {
  const double wanted = part * static_cast<double>(row.count);
  double seen = 0;
  for (unsigned i = 0; i < riscv::kExitBuckets; ++i) {
    seen += static_cast<double>(row.buckets[i]);
    if (seen >= wanted) return duration(std::uint64_t{1} << i);
  }
  return "?";
}

ExitRow sum_of(std::span<const ExitRow> rows) {
  ExitRow sum;
  for (const ExitRow& row : rows) {
    sum.count += row.count;
    for (unsigned i = 0; i < riscv::kExitPlaces; ++i) sum.ns[i] += row.ns[i];
  }
  return sum;
}

std::string table_of(std::span<const ExitRow> rows) {
  const ExitRow sum = sum_of(rows);
  std::string text = format("VM %u: %llu exits, %s outside of it: hypervisor %.1f %%, firmware %.1f %%, ",
                            rows[0].key.vmid, number(sum.count), duration(sum.ns[0]).c_str(),
                            share(spent(sum, ExitPlace::kHypervisor), sum.ns[0]),
                            share(spent(sum, ExitPlace::kFirmware), sum.ns[0]));
  text += format("user %.1f %%, idle %.1f %%\n", share(spent(sum, ExitPlace::kUser), sum.ns[0]),
                 share(spent(sum, ExitPlace::kIdle), sum.ns[0]));
  text += format("  %10s %6s %8s %8s %8s %8s %8s %6s %6s %6s  %s\n", "exits", "time", "total", "mean", "50%<",
                 "99%<", "longest", "firm", "user", "idle", "by");
  for (const ExitRow& row : rows) {
    text += format("  %10llu %5.1f%% %8s %8s %8s %8s %8s", number(row.count), share(row.ns[0], sum.ns[0]),
                   duration(row.ns[0]).c_str(), duration(row.ns[0] / row.count).c_str(),
                   quantile(row, 0.5).c_str(), quantile(row, 0.99).c_str(), duration(row.longest_ns).c_str());
    text += format(" %5.1f%% %5.1f%% %5.1f%%  %s\n", share(spent(row, ExitPlace::kFirmware), row.ns[0]),
                   share(spent(row, ExitPlace::kUser), row.ns[0]),
                   share(spent(row, ExitPlace::kIdle), row.ns[0]), riscv::exit_name(row.key).c_str());
  }
  text += "  how many took less than\n";
  for (const ExitRow& row : rows) {
    text += "    " + riscv::exit_name(row.key) + ":";
    for (unsigned i = 0; i < riscv::kExitBuckets; ++i)
      if (row.buckets[i] != 0)
        text += format(" %s %llu", duration(std::uint64_t{1} << i).c_str(), number(row.buckets[i]));
    text += "\n";
  }
  return text;
}

/// Calls `use` with the rows of each VM.
template <class Use>
void for_each_vm(const ExitReport& report, const Use& use) {
  for (std::size_t first = 0; first < report.rows.size();) {
    std::size_t end = first;
    while (end < report.rows.size() && report.rows[end].key.vmid == report.rows[first].key.vmid) ++end;
    use(std::span(report.rows).subspan(first, end - first));
    first = end;
  }
}

std::string key_json(const ExitKey& key) {
  return format("\"vmid\":%u,\"by\":%s,\"cause\":\"0x%llx\",\"extension\":%llu,\"function\":%llu", key.vmid,
                json_string(riscv::exit_name(key)).c_str(), number(key.cause), number(key.extension),
                number(key.function));
}

}  // namespace

ExitReport make_exit_report(std::span<const riscv::ExitTotals* const> harts) {
  std::map<ExitKey, ExitRow, ByKey> rows;
  std::map<std::pair<ExitKey, std::uint64_t>, ExitSiteRow, decltype([](const auto& a, const auto& b) {
             return std::pair(order_of(a.first), a.second) < std::pair(order_of(b.first), b.second);
           })>
      sites;
  for (const riscv::ExitTotals* hart : harts) {
    hart->for_each_group([&](const riscv::ExitGroup& group) {
      ExitRow& row = rows[group.key];
      row.key = group.key;
      row.count += group.count.load(std::memory_order_relaxed);
      for (unsigned i = 0; i < riscv::kExitPlaces; ++i)
        row.ns[i] += group.ns[i].load(std::memory_order_relaxed);
      row.longest_ns = std::max(row.longest_ns, group.longest_ns.load(std::memory_order_relaxed));
      for (unsigned i = 0; i < riscv::kExitBuckets; ++i)
        row.buckets[i] += group.buckets[i].load(std::memory_order_relaxed);
    });
    hart->for_each_site([&](const riscv::ExitSite& site) {
      ExitSiteRow& row = sites[{site.group->key, site.pc}];
      row.key = site.group->key;
      row.pc = site.pc;
      row.count += site.count.load(std::memory_order_relaxed);
      row.ns += site.ns.load(std::memory_order_relaxed);
    });
  }
  ExitReport report;
  for (auto& [key, row] : rows) report.rows.push_back(row);
  for (auto& [key, site] : sites) report.sites.push_back(site);
  std::stable_sort(report.rows.begin(), report.rows.end(), [](const ExitRow& a, const ExitRow& b) {
    return std::pair(a.key.vmid, b.ns[0]) < std::pair(b.key.vmid, a.ns[0]);
  });
  std::stable_sort(report.sites.begin(), report.sites.end(),
                   [](const ExitSiteRow& a, const ExitSiteRow& b) { return a.ns > b.ns; });
  return report;
}

std::string exit_place_text(const GuestSymbol& symbol, std::uint32_t vmid, std::uint64_t pc) {
  std::string name = symbol ? symbol(vmid, pc) : std::string();
  return name.empty() ? format("0x%llx", number(pc)) : name;
}

std::string json_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < ' ')
      result += format("\\u%04x", static_cast<unsigned>(c));
    else
      result += c;
  }
  return result + "\"";
}

std::string exit_report_text(const ExitReport& report, const GuestSymbol& symbol) {
  if (report.rows.empty()) return "no guest has exited\n";
  std::string text;
  for_each_vm(report, [&](std::span<const ExitRow> rows) { text += table_of(rows) + "\n"; });
  text += "where the time goes:\n";
  for (std::size_t i = 0; i < std::min(kSitesInText, report.sites.size()); ++i) {
    const ExitSiteRow& site = report.sites[i];
    text += format("  %8s %10llu exits  VM %u  %s  %s\n", duration(site.ns).c_str(), number(site.count),
                   site.key.vmid, exit_place_text(symbol, site.key.vmid, site.pc).c_str(),
                   riscv::exit_name(site.key).c_str());
  }
  if (report.lost_events != 0)
    text += format("%llu events did not reach the timeline: the file was slower than the harts\n",
                   number(report.lost_events));
  return text;
}

std::string exit_report_json(const ExitReport& report, const GuestSymbol& symbol) {
  std::string text = "{\"exits\":[";
  for (const ExitRow& row : report.rows) {
    text += format("%s\n{%s,\"count\":%llu,\"ns\":%llu", &row == report.rows.data() ? "" : ",",
                   key_json(row.key).c_str(), number(row.count), number(row.ns[0]));
    for (unsigned i = 1; i < riscv::kExitPlaces; ++i)
      text += format(",\"%s_ns\":%llu", riscv::place_name(static_cast<ExitPlace>(i)), number(row.ns[i]));
    text += format(",\"longest_ns\":%llu,\"histogram\":[", number(row.longest_ns));
    for (unsigned i = 0; i < riscv::kExitBuckets; ++i)
      text += format("%s%llu", i == 0 ? "" : ",", number(row.buckets[i]));
    text += "]}";
  }
  text += "],\n\"sites\":[";
  for (const ExitSiteRow& site : report.sites)
    text += format("%s\n{%s,\"pc\":\"0x%llx\",\"symbol\":%s,\"count\":%llu,\"ns\":%llu}",
                   &site == report.sites.data() ? "" : ",", key_json(site.key).c_str(), number(site.pc),
                   json_string(exit_place_text(symbol, site.key.vmid, site.pc)).c_str(), number(site.count),
                   number(site.ns));
  return text + format("],\n\"lost_events\":%llu}\n", number(report.lost_events));
}

std::string exit_report_folded(const ExitReport& report, const GuestSymbol& symbol) {
  // Functions have many places; one line a stack.
  std::map<std::string, std::uint64_t> stacks;
  std::map<ExitKey, std::uint64_t, ByKey> placed;
  const auto stack = [](const ExitKey& key, std::string place) {
    std::replace(place.begin(), place.end(), ';', ':');
    return format("VM %u;%s;%s", key.vmid, place.c_str(), riscv::exit_name(key).c_str());
  };
  for (const ExitSiteRow& site : report.sites) {
    // A symbol's offset would tear its function apart.
    std::string place = exit_place_text(symbol, site.key.vmid, site.pc);
    place = place.substr(0, place.find('+'));
    stacks[stack(site.key, place)] += site.ns;
    placed[site.key] += site.ns;
  }
  for (const ExitRow& row : report.rows)
    if (row.ns[0] > placed[row.key]) stacks[stack(row.key, "[elsewhere]")] += row.ns[0] - placed[row.key];
  std::string text;
  for (const auto& [name, ns] : stacks) text += format("%s %llu\n", name.c_str(), number(ns));
  return text;
}

}  // namespace gstage
