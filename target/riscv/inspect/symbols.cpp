// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/inspect/symbols.h"

#include <algorithm>
#include <utility>

#include "softmmu/base/format.h"

namespace gstage::riscv {

namespace {

/// A symbol that says no size stands for no more than this behind it.
constexpr std::uint64_t kMostOffset = 1 << 20;

/// `is_nearest`: no symbol is between.
bool holds(const Symbol& symbol, std::uint64_t address, bool is_nearest) {
  const std::uint64_t offset = address - symbol.address;
  return offset < symbol.size || (symbol.size == 0 && is_nearest && offset < kMostOffset);
}

/// Of symbols with the same address the best name comes last: a function, one that has a size, a longer size.
bool is_before(const Symbol& a, const Symbol& b) {
  if (a.address != b.address) return a.address < b.address;
  if (a.is_function != b.is_function) return b.is_function;
  return a.size < b.size;
}

}  // namespace

std::string SymbolPlace::text() const {
  if (offset == 0) return symbol->name;
  return format("%s+0x%llx", symbol->name.c_str(), static_cast<unsigned long long>(offset));
}

void SymbolStore::add(std::optional<unsigned> vmid, std::vector<Symbol> symbols) {
  std::stable_sort(symbols.begin(), symbols.end(), is_before);
  tables_.push_back({vmid, std::move(symbols)});
}

std::optional<SymbolPlace> SymbolStore::find(std::uint64_t address, std::optional<unsigned> vmid) const {
  // A symbol in another one (a label in a function) hides it; a few steps back find what holds the address.
  constexpr int kSteps = 16;
  for (const Table& table : tables_) {
    if (table.vmid != vmid) continue;
    auto next = std::upper_bound(table.symbols.begin(), table.symbols.end(), address,
                                 [](std::uint64_t a, const Symbol& symbol) { return a < symbol.address; });
    for (int step = 0; step < kSteps && next != table.symbols.begin(); ++step) {
      --next;
      if (holds(*next, address, step == 0)) return SymbolPlace{&*next, address - next->address};
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> SymbolStore::address_of(const std::string& name,
                                                     std::optional<unsigned> vmid) const {
  for (const Table& table : tables_) {
    if (table.vmid != vmid) continue;
    for (const Symbol& symbol : table.symbols)
      if (symbol.name == name) return symbol.address;
  }
  return std::nullopt;
}

std::string SymbolStore::text(std::uint64_t address, std::optional<unsigned> vmid) const {
  const std::optional<SymbolPlace> place = find(address, vmid);
  return place ? place->text() : format("%016llx", static_cast<unsigned long long>(address));
}

SymbolStore& program_symbols() {
  static SymbolStore store;
  return store;
}

}  // namespace gstage::riscv
