// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_host.h"

#include <algorithm>
#include <memory>

#include "softmmu/base/check.h"
#include "softmmu/base/log.h"
#include "softmmu/base/trace.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_registers.h"

namespace gstage::hw {
namespace {

/// The bridge itself as the function 0.0 of its root bus.
class HostBridgeFunction final : public PciFunction {
 public:
  HostBridgeFunction() : PciFunction({0x1b36, 0x0008, 0x060000}) {}
  [[nodiscard]] const char* driver() const override { return "gpex-root"; }

 protected:
  void reset_function() override {}
};

/// A range of addresses, both ends included; empty if they are the wrong way round.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t last = ~std::uint64_t{0};
  [[nodiscard]] bool is_empty() const { return first > last; }
};
using Spans = std::vector<Span>;

/// What is in both: at most as many parts as both have together, less one.
Spans clip(const Spans& some, const Spans& others) {
  Spans both;
  for (const Span& one : some) {
    for (const Span& other : others) {
      const Span part{std::max(one.first, other.first), std::min(one.last, other.last)};
      if (!part.is_empty()) both.push_back(part);
    }
  }
  return both;
}

/// What is in either, each address once.
Spans join(Span one, Span other) {
  if (other.is_empty()) return {one};
  const bool is_joint = !one.is_empty() && one.first <= other.last && other.first <= one.last;
  if (is_joint) return {{std::min(one.first, other.first), std::max(one.last, other.last)}};
  return {one, other};
}

/// What a bridge passes on, by the registers of its header (PCI-to-PCI Bridge Architecture 1.2, chapter 3).
Span memory_window(const PciConfig& config) {
  return {std::uint64_t{config.read(pci::kMemoryBase, 2) & 0xfff0} << 16,
          std::uint64_t{config.read(pci::kMemoryLimit, 2)} << 16 | 0xfffff};
}
Span prefetch_window(const PciConfig& config) {
  const std::uint64_t base = std::uint64_t{config.read(pci::kPrefetchBaseHigh, 4)} << 32;
  const std::uint64_t limit = std::uint64_t{config.read(pci::kPrefetchLimitHigh, 4)} << 32;
  return {base | std::uint64_t{config.read(pci::kPrefetchBase, 2) & 0xfff0} << 16,
          limit | std::uint64_t{config.read(pci::kPrefetchLimit, 2)} << 16 | 0xfffff};
}
Span io_window(const PciConfig& config) {
  return {config.read(pci::kIoBase, 1) << 8, config.read(pci::kIoLimit, 1) << 8 | 0xfff};
}

/// Walks the buses from the root down and collects what they decode.
class Decode {
 public:
  void add_bus(const PciBus& bus, const Spans& memory, const Spans& io, bool is_master) {
    for (unsigned devfn = 0; devfn < PciBus::kDevices * PciBus::kFunctions; ++devfn)
      if (PciFunction* const function = bus.at(devfn); function != nullptr)
        add_function(*function, memory, io, is_master);
  }
  std::vector<PciBarMap::Place> memory_places;
  std::vector<PciBarMap::Place> io_places;

 private:
  void add_function(PciFunction& function, const Spans& memory, const Spans& io, bool is_master) {
    const bool has_memory = function.is_on(pci::kCommandMemory);
    const bool has_io = function.is_on(pci::kCommandIo);
    is_master = is_master && function.is_on(pci::kCommandMaster);
    function.enable_master(is_master);
    for (unsigned index = 0; index < PciFunction::kBars; ++index) {
      const PciBar& bar = function.bars()[index];
      const bool is_io = bar.kind == PciBarKind::kIo;
      if (bar.size == 0 || !(is_io ? has_io : has_memory)) continue;
      add_bar(bar, function.bar_base(index), is_io ? io : memory, is_io ? io_places : memory_places);
    }
    const PciBus* const below = function.secondary();
    if (below == nullptr) return;
    const PciConfig& config = function.config();
    const Spans windows = join(memory_window(config), prefetch_window(config));
    add_bus(*below, has_memory ? clip(memory, windows) : Spans{},
            has_io ? clip(io, {io_window(config)}) : Spans{}, is_master);
  }
  static void add_bar(const PciBar& bar, std::uint64_t base, const Spans& spans,
                      std::vector<PciBarMap::Place>& places) {
    for (const Span& part : clip(spans, {{base, base + (bar.size - 1)}}))
      places.push_back({part.first, part.last - part.first + 1, bar.handler, part.first - base});
  }
};

/// A function's wire at the root: its pin, and the numbers of the slots on the way.
unsigned swizzle(const PciFunction& function) {
  unsigned sum = 0;
  for (const PciFunction* at = &function; at != nullptr; at = at->pci_bus()->above())
    sum += at->devfn() / PciBus::kFunctions;
  return sum % PciIntxWires::kCount;
}

}  // namespace

PciHost::PciHost(const PciHostSetup& setup)
    : setup_(setup),
      wires_(setup.intx),
      root_(static_cast<PciBus&>(add_bus(std::make_unique<PciBus>(PciBus::Kind::kRoot, "pcie.0", nullptr)))),
      memory32_(memory_map_, setup.memory32.base),
      memory64_(memory_map_, setup.memory64.base),
      io_(io_map_, 0) {
  root_.set_host(*this);
  buses_.push_back(&root_);
  auto function = std::make_unique<HostBridgeFunction>();
  function->set_address({{0}});
  CHECK(root_.plug(std::move(function)).ok());
}

// Functions drive the wires until they are gone.
PciHost::~PciHost() { clear_buses(); }

void PciHost::wire(PciFunction& function) {
  const std::lock_guard lock(mutex_);
  function.master().connect(setup_.memory, setup_.msis);
  function.intx().connect(wires_, swizzle(function));
  if (PciBus* const below = function.secondary(); below != nullptr) {
    below->set_host(*this);
    buses_.push_back(below);
  }
  // Each bridge's windows cut a bar below it into one part more.
  bars_ += PciFunction::kBars;
  memory_map_.reserve(bars_ * (buses_.size() + 1));
  io_map_.reserve(bars_);
  refresh();
}

void PciHost::insert_card(PcieRootPort& port) {
  const std::lock_guard lock(mutex_);
  for (const auto& function : port.secondary()->devices()) function->reset();
  port.card_changed();
  refresh();
}

bool PciHost::ask_for_card(PcieRootPort& port) {
  const std::lock_guard lock(mutex_);
  if (port.is_off() || port.is_leaving()) return true;
  port.press_button();
  return false;
}

void PciHost::remove_card(PcieRootPort& port) {
  const std::lock_guard lock(mutex_);
  // First of all nobody reaches it any more.
  for (const auto& device : port.secondary()->devices()) static_cast<PciFunction&>(*device).reset();
  refresh();
  bars_ -= PciFunction::kBars * port.secondary()->devices().size();
  port.secondary()->empty();
  port.card_changed();
}

void PciHost::reset() {
  const std::lock_guard lock(mutex_);
  root_.reset();
  refresh();
}

void PciHost::restored() {
  const std::lock_guard lock(mutex_);
  refresh();
}

void PciHost::refresh() {
  Decode decode;
  decode.add_bus(root_, {Span{}}, {Span{}}, true);
  memory_map_.replace(decode.memory_places);
  io_map_.replace(decode.io_places);
}

PciFunction* PciHost::route(std::uint64_t offset) {
  const auto number = static_cast<unsigned>(offset >> 20 & 0xff);
  const auto devfn = static_cast<unsigned>(offset >> 12 & 0xff);
  const PciBus* bus = &root_;
  unsigned at = 0;
  while (number != at) {
    // The bridge whose numbers hold this one; a bus above it has a lower number.
    const PciBus* next = nullptr;
    for (unsigned i = 0; i < PciBus::kDevices * PciBus::kFunctions && next == nullptr; ++i) {
      PciFunction* const bridge = bus->at(i);
      if (bridge == nullptr || bridge->secondary() == nullptr) continue;
      const PciConfig& config = bridge->config();
      const unsigned secondary = config.read(pci::kSecondaryBus, 1);
      if (secondary <= at || number < secondary || number > config.read(pci::kSubordinateBus, 1)) continue;
      next = bridge->secondary();
      at = secondary;
    }
    if (next == nullptr) return nullptr;
    bus = next;
  }
  return bus->at(devfn);
}

bool PciHost::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  const std::lock_guard lock(mutex_);
  value = ~std::uint64_t{0};
  PciFunction* const function = route(offset);
  if (function == nullptr) return true;
  const auto at = static_cast<unsigned>(offset % PciConfig::kSize);
  value = function->config_read(at, std::min(size, 4u));
  if (size == 8) value |= std::uint64_t{function->config_read(at + 4, 4)} << 32;
  return true;
}

bool PciHost::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  const std::lock_guard lock(mutex_);
  PciFunction* const function = route(offset);
  if (function == nullptr) return true;
  const auto at = static_cast<unsigned>(offset % PciConfig::kSize);
  trace(TraceEvent::pci_config_write, offset >> 20, offset >> 15 & 31, offset >> 12 & 7, at, size, value);
  bool is_changed = function->config_write(at, std::min(size, 4u), static_cast<std::uint32_t>(value));
  if (size == 8) is_changed |= function->config_write(at + 4, 4, static_cast<std::uint32_t>(value >> 32));
  if (is_changed) refresh();
  return true;
}

}  // namespace gstage::hw
