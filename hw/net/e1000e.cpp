// SPDX-License-Identifier: Apache-2.0
#include "hw/net/e1000e.h"

#include "hw/core/visitor.h"

namespace gstage::hw {

using namespace e1000e;

namespace {

constexpr std::uint64_t kRegisterBytes = 128 << 10;
constexpr unsigned kVectors = 5;
/// Which bits of IVAR allocate a vector to a cause.
struct Allocation {
  std::uint32_t cause;
  unsigned shift;
};
constexpr Allocation kAllocations[] = {
    {kRxQueue0, 0}, {kRxQueue0 << 1, 4}, {kTxQueue0, 8}, {kTxQueue0 << 1, 12}, {kOther, 16}};
constexpr std::uint32_t kVectorValid = 8;
/// What has no vector of its own, and goes by that of other causes.
constexpr std::uint32_t kOtherCauses = kLinkChange | kRxOverrun;

/// Of a packet of which the driver has not given all.
constexpr std::size_t kMostPacketBytes = 1 << 20;

constexpr std::uint32_t kReadStart = 1 << 0;
constexpr std::uint32_t kReadDone = 1 << 1;

}  // namespace

/// Rows of registers that keep what is written.
struct E1000e::Rows {
  template <std::uint32_t kAt, unsigned kCount = 1>
  static constexpr Register<E1000e> storage(const char* name) {
    return {kAt, 4, name, &E1000e::get<kAt>, &E1000e::put<kAt>, kCount};
  }
  template <std::uint32_t kAt>
  static constexpr Register<E1000e> constant(const char* name) {
    return {kAt, 4, name, &E1000e::get<kAt>, nullptr};
  }
};

std::span<const Register<E1000e>> E1000e::registers() {
  // Those that harts access all the time come first.
  static constexpr Register<E1000e> kTable[] = {
      {kTdt, 4, "TDT", &E1000e::get<kTdt>, &E1000e::put_and_transmit<kTdt>},
      {kRdt, 4, "RDT", &E1000e::get<kRdt>, &E1000e::write_rdt},
      {kIcr, 4, "ICR", &E1000e::read_icr, &E1000e::write_icr},
      {kIcs, 4, "ICS", nullptr, &E1000e::write_ics},
      {kIms, 4, "IMS", &E1000e::get<kIms>, &E1000e::write_ims},
      {kImc, 4, "IMC", nullptr, &E1000e::write_imc},
      {kCtrl, 4, "CTRL", &E1000e::get<kCtrl>, &E1000e::write_ctrl},
      {kStatus, 4, "STATUS", &E1000e::read_status, nullptr},
      Rows::storage<kEecd>("EECD"),
      {kEerd, 4, "EERD", &E1000e::get<kEerd>, &E1000e::write_eerd},
      Rows::storage<kCtrlExt, 2>("CTRL_EXT"),
      {kMdic, 4, "MDIC", &E1000e::get<kMdic>, &E1000e::write_mdic},
      Rows::storage<0x0024, 4>("SCTL, FCAL, FCAH, FCT"),
      Rows::storage<0x0038>("VET"),
      Rows::storage<0x00c4>("ITR"),
      Rows::storage<kEiac, 8>("EIAC, IAM, IVAR, EITR"),
      Rows::storage<kRctl>("RCTL"),
      Rows::storage<0x0170, 3>("FCTTV, TXCW"),
      {kTctl, 4, "TCTL", &E1000e::get<kTctl>, &E1000e::put_and_transmit<kTctl>},
      Rows::storage<0x0404, 4>("TCTL_EXT"),
      Rows::storage<0x0458>("AIT"),
      Rows::storage<0x0e00>("LEDCTL"),
      Rows::storage<0x0f00, 5>("EXTCNF, PHY_CTRL"),
      Rows::storage<0x1000, 3>("PBA"),
      Rows::constant<kEemngctl>("EEMNGCTL"),
      Rows::storage<0x102c>("EEWR"),
      Rows::storage<0x2160, 5>("FCRTL, PSRCTL"),
      Rows::storage<kRdbal, 3>("RDBAL, RDBAH, RDLEN"),
      Rows::storage<kRdh>("RDH"),
      Rows::storage<0x2820, 4>("RDTR, RXDCTL, RADV"),
      Rows::storage<0x2900, 12>("the second receive ring"),
      Rows::storage<0x2c00>("RSRPD"),
      Rows::storage<kTdbal, 3>("TDBAL, TDBAH, TDLEN"),
      Rows::storage<kTdh>("TDH"),
      Rows::storage<0x3820, 9>("TIDV, TXDCTL, TADV, TARC"),
      Rows::storage<0x3900, 17>("the second transmit ring"),
      {kStatistics, 4, "statistics", &E1000e::read_statistic, nullptr, 80},
      Rows::storage<kRxcsum, 3>("RXCSUM, RLPML, RFCTL"),
      Rows::storage<kMta, 128>("MTA"),
      Rows::storage<kRal, 32>("RAL, RAH"),
      Rows::storage<kVfta, 128>("VFTA"),
      Rows::storage<0x5800, 65>("WUC to WUPL"),
      Rows::storage<0x5b00, 64>("GCR to PBACLR"),
      Rows::storage<0x5c00, 42>("RETA, RSSRK"),
      Rows::storage<0xb600, 32>("time stamps"),
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

E1000e::E1000e(std::shared_ptr<NetBackend> network, const MacAddress& mac)
    : PciFunction({0x8086, 0x10d3, 0x020000, 0, 0x8086, 0}),
      network_(std::move(network)),
      wire_(network_ == nullptr ? nullptr : &network_->queue(0)),
      mac_(mac),
      eeprom_(mac) {
  add_bar(0, kRegisterBytes, PciBarKind::kMemory32, *this);
  add_bar(1, kRegisterBytes, PciBarKind::kMemory32, flash_);
  add_bar(2, 32, PciBarKind::kIo, io_);
  add_power();
  add_msi(1);
  add_express();
  add_msix(3, kVectors);
  use_pin();
  set_firmware_unit("ethernet-phy@0");
  reset_registers();
  if (wire_ == nullptr) return;
  wire_->loop().add(*this);
  wire_->attach(this);
  network_->on_link([this] {
    const std::lock_guard lock(mutex_);
    raise(kLinkChange);
  });
}

E1000e::~E1000e() {
  if (wire_ == nullptr) return;
  network_->on_link(nullptr);
  wire_->attach(nullptr);
  wire_->loop().remove(*this);
}

void E1000e::reset_registers() {
  state_ = {};
  reg(kEecd) = kEecdPresent;
  reg(kEemngctl) = kConfigDone;
  // The card puts its address into the first receive address by itself.
  reg(kRal) = mac_[0] | mac_[1] << 8 | mac_[2] << 16 | static_cast<std::uint32_t>(mac_[3]) << 24;
  reg(kRal + 4) = mac_[4] | mac_[5] << 8 | kAddressValid;
  context_ = {};
  packet_ = {};
  was_asserted_ = false;
}

void E1000e::reset_function() {
  const std::lock_guard lock(mutex_);
  phy_.reset();
  reset_registers();
  update_pin();
}

void E1000e::master_changed(bool is_enabled) {
  // Whoever does DMA holds it meanwhile.
  const std::lock_guard lock(mutex_);
  if (!is_enabled) return;
  must_transmit_ = true;
  wake();
}

/// The way of interrupts may have been switched: the pin rests while messages are on.
void E1000e::config_written(unsigned, unsigned) {
  const std::lock_guard lock(mutex_);
  update_pin();
}

void E1000e::visit(Visitor& visitor) {
  PciFunction::visit(visitor);
  const std::lock_guard lock(mutex_);
  visitor.field("registers", state_);
  visitor.field("phy", phy_);
  visitor.field("context", context_);
  visitor.field("was_asserted", was_asserted_);
  visitor.field("io_address", io_.address);
  visitor.list("packet", packet_.bytes, kMostPacketBytes);
  visitor.field("has_ip_checksum", packet_.has_ip_checksum);
  visitor.field("has_tcp_checksum", packet_.has_tcp_checksum);
  visitor.field("is_cut", packet_.is_cut);
  bool has_vlan = packet_.vlan.has_value();
  std::uint16_t vlan = packet_.vlan.value_or(0);
  visitor.field("has_vlan", has_vlan);
  visitor.field("vlan", vlan);
  packet_.vlan = has_vlan ? std::optional(vlan) : std::nullopt;
}

void E1000e::restored() {
  PciFunction::restored();
  must_transmit_ = true;
  wake();
}

bool E1000e::is_link_up() const {
  return network_ != nullptr && network_->is_link_up() && (state_[kCtrl / 4] & kCtrlLinkUp) != 0;
}

void E1000e::write_ctrl(Access, std::uint64_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  if ((bits & kCtrlReset) != 0) {
    reset_registers();
    update_pin();
    return;
  }
  if ((bits & kCtrlPhyReset) != 0) phy_.reset();
  const bool was_up = is_link_up();
  reg(kCtrl) = bits & ~kCtrlPhyReset;
  if (is_link_up() != was_up) raise(kLinkChange);
}

std::uint64_t E1000e::read_status(Access) {
  return kStatusFixed | (is_link_up() ? kStatusLinkUp : 0) |
         ((reg(kCtrl) & kCtrlMasterDisable) == 0 ? kStatusMaster : 0);
}

void E1000e::write_eerd(Access, std::uint64_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  reg(kEerd) = bits;
  if ((bits & kReadStart) == 0) return;
  const std::uint32_t word = (bits & 0xffff) >> 2;
  reg(kEerd) = (bits & 0xfffc) | kReadDone | static_cast<std::uint32_t>(eeprom_.read(word)) << 16;
}

void E1000e::write_mdic(Access, std::uint64_t value) {
  constexpr std::uint32_t kWrite = 1 << 26, kRead = 2 << 26, kReady = 1 << 28, kError = 1 << 30;
  const auto bits = static_cast<std::uint32_t>(value);
  const unsigned index = bits >> 16 & 31;
  std::uint32_t result = (bits & 0x0fff'ffff) | kReady;
  if ((bits >> 21 & 31) != 1) {
    result |= kError;
  } else if ((bits & kRead) != 0) {
    result = (result & ~0xffffu) | phy_.read(index, is_link_up());
  } else if ((bits & kWrite) != 0 && phy_.write(index, static_cast<std::uint16_t>(bits))) {
    raise(kLinkChange);
  }
  reg(kMdic) = result;
}

void E1000e::raise(std::uint32_t causes) {
  if ((causes & kOtherCauses) != 0) causes |= kOther;
  reg(kIcr) |= causes;
  fire(causes);
}

void E1000e::fire(std::uint32_t causes) {
  if (!msix()->is_enabled()) return update_pin();
  for (const Allocation& row : kAllocations) {
    if ((causes & reg(kIcr) & reg(kIms) & row.cause) == 0) continue;
    const std::uint32_t vector = reg(kIvar) >> row.shift & 0xf;
    if ((vector & kVectorValid) == 0) continue;
    // First what the message brings about: its receiver may write these registers at once.
    if ((reg(kEiac) & row.cause) != 0) reg(kIcr) &= ~row.cause;
    if ((reg(kCtrlExt) & kAutoMask) != 0) reg(kIms) &= ~(reg(kIam) & row.cause);
    msix()->notify(vector & ~kVectorValid);
  }
}

void E1000e::update_pin() {
  const bool is_asserted = (reg(kIcr) & reg(kIms)) != 0;
  const bool has_messages = msi()->is_enabled();
  intx().set(is_asserted && !has_messages && !msix()->is_enabled());
  if (has_messages && is_asserted && !was_asserted_) msi()->notify(0);
  // What was asserted while messages were off is told once they are on.
  was_asserted_ = is_asserted && has_messages;
}

std::uint64_t E1000e::read_icr(Access) {
  const bool is_asserted = (reg(kIcr) & reg(kIms)) != 0;
  const std::uint32_t causes = reg(kIcr) | (is_asserted ? kAsserted : 0);
  // What is read while no interrupt is asserted and some are enabled stays ("Interrupt Cause Read Register").
  if (!is_asserted && reg(kIms) != 0) return causes;
  if ((reg(kCtrlExt) & kIamEnable) != 0 && is_asserted) reg(kIms) &= ~reg(kIam);
  reg(kIcr) = 0;
  update_pin();
  return causes;
}

void E1000e::write_icr(Access, std::uint64_t value) {
  reg(kIcr) &= ~static_cast<std::uint32_t>(value);
  update_pin();
}

void E1000e::write_ics(Access, std::uint64_t value) { raise(static_cast<std::uint32_t>(value) & ~kAsserted); }

void E1000e::write_ims(Access, std::uint64_t value) {
  reg(kIms) |= static_cast<std::uint32_t>(value);
  fire(static_cast<std::uint32_t>(value));
}

void E1000e::write_imc(Access, std::uint64_t value) {
  reg(kIms) &= ~static_cast<std::uint32_t>(value);
  update_pin();
}

void E1000e::write_rdt(Access, std::uint64_t value) {
  reg(kRdt) = static_cast<std::uint32_t>(value);
  must_look_for_room_ = true;
  wake();
}

std::uint64_t E1000e::read_statistic(Access access) {
  return std::exchange(state_[kStatistics / 4 + access.index], 0);
}

bool E1000e::IoWindow::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  if (size != 4) return false;
  value = address;
  return offset == 0 || (offset == 4 && card_.mmio_read(address, 4, value));
}

bool E1000e::IoWindow::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  if (size != 4) return false;
  if (offset == 0) address = static_cast<std::uint32_t>(value);
  return offset == 0 || (offset == 4 && card_.mmio_write(address, 4, value));
}

}  // namespace gstage::hw
