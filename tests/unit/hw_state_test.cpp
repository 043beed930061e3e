// SPDX-License-Identifier: Apache-2.0
// Every device's state is saved, loaded into a machine that is built alike, and goes on there as here: for
// each row of the table of drivers on each kind of board. A driver that nobody wrote software for fails the
// test.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/riscv/cpu.h"
#include "target/riscv/hart.h"
#include "hw/core/driver.h"
#include "hw/core/visitor.h"
#include "hw/riscv/boards.h"

#include "tests/unit/hw_state_software.h"

namespace gstage::hw {
namespace {

constexpr unsigned kSteps = 2000;
constexpr std::uint64_t kRamBytes = 4 << 20;

/// A kind of board.
struct BoardRow {
  const char* name;
  const MachineType* type;
  std::vector<Property> properties;
  bool has_imsic = false;
};
std::vector<BoardRow> boards() {
  return {{"plic", &kVirtBoard, {{"aia", "none"}}},
          {"aclint", &kVirtBoard, {{"aclint", "on"}}},
          {"aplic", &kVirtBoard, {{"aia", "aplic"}}},
          {"imsic", &kVirtBoard, {{"aia", "aplic-imsic"}, {"aia-guests", "1"}}, true}};
}

/// Whether a -device made it: the board's own are on the bus of the board, but for the host bridge's
/// function.
bool is_asked(const Device& device) {
  return device.bus() != nullptr && std::strcmp(device.bus()->kind(), "System") != 0 &&
         std::strcmp(device.driver(), "gpex-root") != 0;
}

/// Files that are read and never change: their times of access, which reading moves, are in the future.
class SharedFolder {
 public:
  SharedFolder() : path_(testing::TempDir() + "gstage-state-share-" + std::to_string(getpid())) {
    std::filesystem::create_directories(path_ / "d");
    std::ofstream(path_ / "f") << "contents";
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const timespec times[2] = {{now.tv_sec + 3600, 0}, {now.tv_sec - 3600, 0}};
    for (const char* const name : {"d", "f", "."})
      EXPECT_EQ(utimensat(AT_FDCWD, (path_ / name).c_str(), times, 0), 0);
  }
  ~SharedFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

const std::filesystem::path& shared_folder() {
  static const SharedFolder folder;
  return folder.path();
}

/// A machine, and what its devices are connected to.
class Box {
 public:
  explicit Box(const BoardRow& board) {
    options_.engine.accel = Accel::kInterp;
    options_.machine = {board.type->name, board.properties};
    options_.harts = 2;
    options_.ram_bytes = kRamBytes;
    options_.bios = "none";
    options_.worker_threads = 0;  // a device has done its work before the store returns
    options_.objects.push_back({"rng-random", {{"id", "zeroes"}, {"filename", "/dev/zero"}}});
    if (board.type == &kVirtBoard) options_.serials = {keyboard_};
    options_.chardevs["typist"] = typist_;
    type_ = board.type;
  }
  ~Box() {
    machine_.reset();
    close(disk_memory_);
  }

  void ask(const DeviceOptions& device) { options_.devices.push_back(device); }
  void add_share() {
    ninep::ShareOptions share;
    share.id = "share";
    share.path = shared_folder();
    share.is_read_only = true;  // so that one folder serves both machines
    options_.shares.push_back(share);
  }
  void add_disk() {
    std::ofstream(disk_, std::ios::binary) << std::string(64 << 10, 'd');
    DriveOptions drive;
    drive.id = "disk";
    drive.file = disk_;
    drive.format = "raw";
    drive.interface = "none";
    options_.drives.push_back(drive);
  }
  void make() {
    auto made = type_->create(options_, control_);
    ASSERT_TRUE(made.ok()) << made.error().message;
    machine_ = std::move(*made);
    machine_->reset();
  }
  [[nodiscard]] bool is_made() const { return machine_ != nullptr; }

  Device& root() { return machine_->devices(); }
  std::vector<Device*> devices() {
    std::vector<Device*> all;
    for_each_device(root(), [&](Device& device) { all.push_back(&device); });
    return all;
  }
  SavedState save() {
    SavedState state;
    Visitor saver = Visitor::saver(state);
    visit_devices(root(), saver);
    return state;
  }
  /// What another machine is in: memory, devices, and what the world outside is in.
  void load(Box& other, const SavedState& state) {
    ASSERT_TRUE(machine_->memory().write(ram_base(), other.ram(), kRamBytes));
    std::ofstream(disk_, std::ios::binary) << other.disk();
    keyboard_->hold(other.keyboard_->rest());
    typist_->hold(other.typist_->rest());
    Visitor loader = Visitor::loader(state);
    visit_devices(root(), loader);
  }

  /// kRamBytes.
  const std::byte* ram() { return machine_->memory().dma(ram_base(), kRamBytes); }
  std::string disk() {
    std::ostringstream bytes;
    bytes << std::ifstream(disk_, std::ios::binary).rdbuf();
    return bytes.str();
  }
  /// The wires into the harts which are interrupt controllers' alone.
  std::vector<std::uint64_t> lines(const BoardRow& board) {
    std::uint64_t mask = 1u << riscv::kMsi | 1u << riscv::kMti;
    if (!board.has_imsic) mask |= 1u << riscv::kMei | 1u << riscv::kSei;
    std::vector<std::uint64_t> all;
    for (Cpu* const cpu : machine_->cpus())
      all.push_back(static_cast<riscv::RiscvCpu*>(cpu)->hart().irq_lines.load() & mask);
    return all;
  }
  /// Software runs, half of the time that of what was asked for. Answers what it read.
  std::vector<std::string> run(std::uint64_t seed) {
    Guest guest(machine_->memory(), seed);
    guest.keyboard = keyboard_.get();
    std::vector<std::pair<const Software*, Device*>> all, chosen;
    for (Device* const device : devices()) {
      const Software* const software = find_software(device->driver());
      if (software == nullptr || software->step == nullptr) continue;
      all.emplace_back(software, device);
      if (is_asked(*device)) chosen.push_back(all.back());
    }
    for (unsigned i = 0; i < kSteps; ++i) {
      const auto& from = chosen.empty() || guest.one_in(2) ? all : chosen;
      const auto& [software, device] = guest.one_of(std::span(from));
      software->step(guest, *device);
    }
    return guest.seen;
  }

 private:
  Paddr ram_base() {
    for (const auto& range : machine_->memory().ranges())
      if (range.is_memory() && range.is_writable) return range.base;
    return {};
  }

  /// The image of a disk is memory: each flush of a file would wait for the host's disk.
  const int disk_memory_ = memfd_create("disk", MFD_CLOEXEC);
  const std::string disk_ = "/proc/self/fd/" + std::to_string(disk_memory_);
  const MachineType* type_ = nullptr;
  FakeControl control_;
  std::shared_ptr<FakeChardev> keyboard_ = std::make_shared<FakeChardev>();
  std::shared_ptr<FakeChardev> typist_ = std::make_shared<FakeChardev>();
  MachineOptions options_;
  std::unique_ptr<Machine> machine_;
};

/// The `-device` for a driver, and what it needs besides.
void ask_for(Box& box, const std::string& driver, const std::vector<Property>& properties) {
  DeviceOptions device{driver, properties};
  const auto begins_with = [&](const char* text) { return driver.rfind(text, 0) == 0; };
  if (begins_with("virtio-blk") || begins_with("scsi-")) {
    box.add_disk();
    device.properties.push_back({"drive", "disk"});
  }
  if (begins_with("virtio-9p")) {
    box.add_share();
    device.properties.push_back({"fsdev", "share"});
    device.properties.push_back({"mount_tag", "tag"});
  }
  if (begins_with("virtio-rng")) device.properties.push_back({"rng", "zeroes"});
  if (begins_with("virtio-serial")) device.properties.push_back({"max_ports", "2"});
  if (driver == "nvme") {
    box.add_disk();
    device.properties.push_back({"drive", "disk"});
    device.properties.push_back({"serial", "s"});
  }
  if (begins_with("scsi-")) box.ask({"virtio-scsi-device", {}});
  if (driver == "virtconsole" || driver == "virtserialport") {
    box.ask({"virtio-serial-device", {{"max_ports", "2"}}});
    device.properties.push_back({"chardev", "typist"});
  }
  box.ask(device);
  if (begins_with("virtio-scsi")) {
    box.add_disk();
    box.ask({"scsi-hd", {{"drive", "disk"}}});
  }
  if (begins_with("virtio-serial")) box.ask({"virtconsole", {{"chardev", "typist"}}});
}

/// Marks the name of a driver of which a device was asked for.
const std::string kPresent = "is there: ";

/// What one run tries.
struct Try {
  BoardRow board;
  std::string driver;  ///< empty: the board as it is
  std::vector<Property> properties;
  std::uint64_t seed = 1;
};

void expect_software(Box& box) {
  for (Device* const device : box.devices())
    EXPECT_NE(find_software(device->driver()), nullptr)
        << device->driver() << " has no software: give it a row in hw_state_software.cpp";
}

/// The drivers of devices that are in another state than at power-on.
std::set<std::string> changed_drivers(Box& box, const SavedState& before, const SavedState& after) {
  std::map<std::string, const char*> drivers;
  for (const Device* const device : box.devices()) drivers[device->path()] = device->driver();
  std::set<std::string> changed;
  for (const std::string& name : differences(before, after))
    changed.insert(drivers.at(name.substr(0, name.find(':'))));
  return changed;
}

std::string first_difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i] != b[i]) return "access " + std::to_string(i) + ": " + a[i] + " and " + b[i];
  return a.size() == b.size() ? "" : "one reads more than the other";
}

void expect_alike(Box& a, Box& b, const Try& what) {
  const SavedState states[] = {a.save(), b.save()};
  EXPECT_EQ(differences(states[0], states[1]), std::vector<std::string>());
  EXPECT_EQ(a.lines(what.board), b.lines(what.board));
  EXPECT_EQ(std::memcmp(a.ram(), b.ram(), kRamBytes), 0) << "memory differs";
  EXPECT_TRUE(a.disk() == b.disk()) << "the disks differ";
}

/// Run, save, load into a fresh machine, go on: the same. Adds the drivers whose state the first run changed.
void expect_same_after_loading(const Try& what, std::set<std::string>& changed) {
  std::string told = what.board.name + std::string(" ") + what.driver;
  for (const Property& property : what.properties) told += "," + property.name + "=" + property.value;
  SCOPED_TRACE(told + " seed " + std::to_string(what.seed));
  Box first(what.board);
  Box second(what.board);
  for (Box* const box : {&first, &second}) {
    if (!what.driver.empty()) ask_for(*box, what.driver, what.properties);
    box->make();
    if (!box->is_made()) return;
  }
  expect_software(first);
  const SavedState fresh = first.save();
  first.run(what.seed);
  const SavedState saved = first.save();
  changed.merge(changed_drivers(first, fresh, saved));
  for (const Device* const device : first.devices())
    if (is_asked(*device)) changed.insert(kPresent + device->driver());
  second.load(first, saved);
  expect_alike(first, second, what);
  const auto seen = first.run(what.seed + 1);
  EXPECT_EQ(first_difference(seen, second.run(what.seed + 1)), "");
  expect_alike(first, second, what);
}

/// Where nothing changes, the software does nothing or the state is not visited.
void expect_changed(const Software& software, const std::set<std::string>& changed) {
  EXPECT_EQ(changed.count(software.driver), software.has_state ? 1u : 0u) << software.driver;
}

TEST(State, OfTheBoardsGoesOnAfterLoading) {
  std::set<std::string> changed;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    for (const BoardRow& board : boards()) expect_same_after_loading({board, "", {}, seed}, changed);
    expect_same_after_loading({{"spike", &kSpikeBoard, {}}, "", {}, seed}, changed);
  }
  for (const Software& software : all_software())
    if (find_driver(software.driver) == nullptr && std::strncmp(software.driver, "virtio-", 7) != 0)
      expect_changed(software, changed);
}

TEST(State, OfEachDriverGoesOnAfterLoading) {
  std::uint64_t seed = 0;
  for (const Driver& driver : drivers()) {
    // What is no device of a bus has no state.
    if (!driver.create || driver.bus == nullptr) continue;
    const auto has_packed = [](const PropertyRows rows) { return find_property(rows, "packed") != nullptr; };
    std::vector<std::vector<Property>> properties = {{}};
    if (std::any_of(driver.properties.begin(), driver.properties.end(), has_packed))
      properties.push_back({{"packed", "on"}});
    std::set<std::string> changed;
    for (const BoardRow& board : boards())
      for (const auto& given : properties)
        expect_same_after_loading({board, driver.name, given, ++seed}, changed);
    for (const Software& software : all_software())
      if (changed.count(kPresent + software.driver) != 0) expect_changed(software, changed);
  }
}

}  // namespace
}  // namespace gstage::hw
