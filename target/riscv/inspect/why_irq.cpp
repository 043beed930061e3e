// SPDX-License-Identifier: Apache-2.0
// trap/interrupts.cpp decides what is taken; here is told why something is not, in the order of the same
// rules.
#include "target/riscv/inspect/why_irq.h"

#include <bit>

#include "softmmu/base/format.h"
#include "target/riscv/aia/imsic.h"
#include "target/riscv/aia/top.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/inspect/fields.h"
#include "target/riscv/trap/entry.h"
#include "target/riscv/trap/interrupts.h"
#include "target/riscv/trap/rnmi.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

unsigned long long wide(std::uint64_t value) { return value; }
constexpr bool has_bit(std::uint64_t set, unsigned bit) { return (set >> bit & 1) != 0; }

/// "SEIP" or "SEIE", by the register's number; "bit 20" for what has no name.
std::string bit_name(unsigned csr, unsigned bit) {
  for (const FieldInfo& field : csr_fields(csr))
    if (field.low == bit && field.high == bit) return field.name;
  return format("bit %u", bit);
}
constexpr unsigned kMipNumber = 0x344;
constexpr unsigned kMieNumber = 0x304;
constexpr unsigned kHidelegNumber = 0x603;
std::string pending_name(unsigned bit) { return "mip." + bit_name(kMipNumber, bit); }

IrqVerdict blocked(std::string text) { return {"", std::move(text), true}; }
IrqVerdict taken(std::string text) { return {"", std::move(text), false}; }

/// Not blocked for good: another interrupt is taken first.
IrqVerdict after(unsigned bit, unsigned first, const char* level) {
  if (first == bit) return taken(format("is taken next, in %s", level));
  return taken(format("waits: %s is more urgent, in %s", interrupt_name(first), level));
}

IrqVerdict explain_for_machine(const Hart& hart, unsigned bit) {
  if (!has_bit(hart.mie, bit)) return blocked("mie." + bit_name(kMieNumber, bit) + " is 0");
  if (hart.priv == kMachine && status::Mie::get(hart.mstatus) == 0)
    return blocked("mstatus.MIE is 0, and the hart is in M-mode");
  return after(bit, machine_top(hart, ready_for_machine(hart)).number, "M-mode");
}

/// What keeps interrupts for HS-mode off, whatever their enables; empty: nothing.
std::string supervisor_gate(const Hart& hart) {
  if (hart.priv == kMachine) return "the hart is in M-mode, which interrupts for S-mode do not interrupt";
  const bool is_hs = hart.priv == kSupervisor && hart.v == 0;
  if (is_hs && status::Sie::get(hart.hs.status) == 0) return "sstatus.SIE is 0, and the hart is in S-mode";
  return "";
}

IrqVerdict explain_for_supervisor(const Hart& hart, unsigned bit) {
  const bool is_hypervisor = has_bit(hypervisor_interrupts(hart), bit);
  if (!has_bit(hart.mie, bit)) {
    std::string text = (is_hypervisor ? "hie." : "sie.") + bit_name(kMieNumber, bit) + " is 0";
    // Who expects the guest to take it looks at vsie, which shows nothing of what is not delegated.
    if (has_bit(kVsInterrupts, bit))
      text += "; as hideleg." + bit_name(kHidelegNumber, bit) + " is 0, it is HS-mode's and not in vsie";
    return blocked(std::move(text));
  }
  if (std::string gate = supervisor_gate(hart); !gate.empty()) return blocked(std::move(gate));
  if (ready_for_machine(hart) != 0) return taken("waits: an interrupt for M-mode goes first");
  return after(bit, supervisor_top(hart, ready_for_supervisor(hart)).number,
               has_misa(hart, 'H') ? "HS-mode" : "S-mode");
}

std::string guest_gate(const Hart& hart) {
  if (hart.v == 0) return "the hart does not run the guest: V is 0";
  if (hart.priv == kSupervisor && status::Sie::get(hart.vs.status) == 0)
    return "vsstatus.SIE is 0, and the hart is in VS-mode";
  return "";
}

/// `number` as vsip has it.
IrqVerdict explain_vstopi(const Hart& hart, unsigned number) {
  if (std::string gate = guest_gate(hart); !gate.empty()) return blocked(std::move(gate));
  if (ready_for_machine(hart) != 0 || ready_for_supervisor(hart) != 0)
    return taken("waits: an interrupt for a level above goes first");
  const unsigned first = topi_number(vstopi(hart));
  if (first != number && hvictl::Vti::get(hart.hvictl) != 0 && number != kSei)
    return blocked(format("hvictl.VTI is 1: vstopi has hvictl.IID (%llu) in the place of vsip",
                          wide(hvictl::Iid::get(hart.hvictl))));
  return after(number, first, "VS-mode");
}

IrqVerdict explain_for_guest(const Hart& hart, unsigned bit) {
  if (!has_bit(hart.mie, bit))
    return blocked("vsie." + bit_name(0x204, bit == kLcofi ? bit : bit - 1) + " (hie." +
                   bit_name(kMieNumber, bit) + ") is 0");
  return explain_vstopi(hart, bit == kLcofi ? bit : bit - 1);
}

/// One interrupt file: what each pending identity lacks to reach the hart.
class FileReport {
 public:
  FileReport(const InterruptFile& file, std::string name, std::vector<IrqVerdict>& out)
      : file_(file), name_(std::move(name)), out_(out) {}

  /// `explain(IrqVerdict)` completes the verdict of an identity that the file signals.
  template <class Explain>
  void run(Explain&& explain) {
    for (unsigned word = 0; word < kWords; ++word) {
      std::uint64_t pending = file_.read(kEip0 + 2 * word);
      for (; pending != 0; pending &= pending - 1) {
        const unsigned identity = 64 * word + static_cast<unsigned>(std::countr_zero(pending));
        IrqVerdict verdict = blocked(gate(identity, word));
        if (verdict.text.empty()) verdict = explain();
        verdict.source = format("imsic %s, identity %u%s", name_.c_str(), identity,
                                verdict.source.empty() ? "" : (" -> " + verdict.source).c_str());
        out_.push_back(std::move(verdict));
      }
    }
  }

 private:
  static constexpr unsigned kEidelivery = 0x70;
  static constexpr unsigned kEithreshold = 0x72;
  static constexpr unsigned kEip0 = 0x80;
  static constexpr unsigned kEie0 = 0xc0;
  static constexpr unsigned kWords = 32;

  [[nodiscard]] std::string gate(unsigned identity, unsigned word) const {
    if (!has_bit(file_.read(kEie0 + 2 * word), identity % 64))
      return format("bit %u of eie%u is 0", identity % 64, 2 * word);
    if (file_.read(kEidelivery) != 1) return "eidelivery is 0";
    const std::uint64_t threshold = file_.read(kEithreshold);
    if (threshold != 0 && identity >= threshold)
      return format("eithreshold is %llu, and lets lower identities alone through", wide(threshold));
    return "";
  }

  const InterruptFile& file_;
  const std::string name_;
  std::vector<IrqVerdict>& out_;
};

IrqVerdict through(const Hart& hart, unsigned bit) {
  IrqVerdict verdict = explain_pending(hart, bit);
  verdict.source = pending_name(bit);
  return verdict;
}

/// A guest file leads to VSEIP where VGEIN selects it, and to SGEIP where hgeie has it.
IrqVerdict explain_guest_file(const Hart& hart, unsigned number) {
  if (hstatus::Vgein::get(hart.hstatus) == number) return through(hart, kVsei);
  if (has_bit(hart.hgeie, number)) return through(hart, kSgei);
  IrqVerdict verdict = blocked(format("bit %u of hgeie is 0, and hstatus.VGEIN is %llu: set one of them",
                                      number, wide(hstatus::Vgein::get(hart.hstatus))));
  verdict.source = format("hgeip bit %u", number);
  return verdict;
}

void add_files(const Hart& hart, std::vector<IrqVerdict>& out) {
  if (hart.imsic == nullptr) return;
  FileReport(hart.imsic->machine(), "machine file", out).run([&] { return through(hart, kMei); });
  FileReport(hart.imsic->supervisor(), "supervisor file", out).run([&] { return through(hart, kSei); });
  for (unsigned number = 1; number <= hart.imsic->guest_count(); ++number)
    FileReport(*hart.imsic->guest(number), format("guest file %u", number), out).run([&] {
      return explain_guest_file(hart, number);
    });
}

/// What software or the hart's own timers and counters make pending.
const char* origin_of(const Hart& hart, unsigned bit) {
  if (bit == kMti) return "mtimer: mtime reached mtimecmp";
  if (bit == kMsi) return "mswi: msip of the hart";
  if (bit == kSti) return has_stimecmp_interrupt(hart) ? "time reached stimecmp" : "software in mip";
  if (bit == kLcofi) return "a counter overflowed";
  if (has_bit(hart.hvip & kVsInterrupts, bit)) return "hvip";
  if (bit == kVsti) return "time reached vstimecmp";
  return has_bit(hart.mip, bit) ? "software in mip" : "a wire";
}

void add_majors(const Hart& hart, std::uint64_t explained, std::vector<IrqVerdict>& out) {
  // What wires and files bring to pending has its lines, unless software holds the bit, too.
  const std::uint64_t software = hart.mip | (hart.hvip & kVsInterrupts);
  std::uint64_t pending = pending_interrupts(hart) & ~(explained & ~software);
  for (; pending != 0; pending &= pending - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(pending));
    IrqVerdict verdict = explain_pending(hart, bit);
    verdict.source = format("%s (%s)", pending_name(bit).c_str(), origin_of(hart, bit));
    out.push_back(std::move(verdict));
  }
}

/// Interrupts that mvien and hvien make virtual, and the one that hvictl injects.
void add_virtual(const Hart& hart, std::vector<IrqVerdict>& out) {
  for (std::uint64_t rest = virtual_for_supervisor(hart); rest != 0; rest &= rest - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(rest));
    IrqVerdict verdict{};
    if (!has_bit(hart.sie_own, bit))
      verdict = blocked("sie." + bit_name(kMieNumber, bit) + " is 0 (mvien makes it sie's own)");
    else if (std::string gate = supervisor_gate(hart); !gate.empty())
      verdict = blocked(std::move(gate));
    else
      verdict = after(bit, supervisor_top(hart, ready_for_supervisor(hart)).number, "HS-mode");
    verdict.source = format("mvip (%s)", interrupt_name(bit));
    out.push_back(std::move(verdict));
  }
  for (std::uint64_t rest = virtual_for_guest(hart); rest != 0; rest &= rest - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(rest));
    IrqVerdict verdict =
        has_bit(hart.vsie_own, bit)
            ? explain_vstopi(hart, bit)
            : blocked("vsie." + bit_name(kMieNumber, bit) + " is 0 (hvien makes it vsie's own)");
    verdict.source = format("hvip (%s)", interrupt_name(bit));
    out.push_back(std::move(verdict));
  }
  const auto injected = static_cast<unsigned>(hvictl::Iid::get(hart.hvictl));
  if (hvictl::Vti::get(hart.hvictl) == 0 || injected == kSei) return;
  IrqVerdict verdict = explain_vstopi(hart, injected);
  verdict.source = format("hvictl (injects interrupt %u)", injected);
  out.push_back(std::move(verdict));
}

}  // namespace

IrqVerdict explain_pending(const Hart& hart, unsigned bit) {
  if (!is_nmi_enabled(hart)) return blocked("mnstatus.NMIE is 0");
  const std::uint64_t mideleg = effective_mideleg(hart);
  if (!has_bit(mideleg, bit)) return explain_for_machine(hart, bit);
  if (!has_bit(hart.hideleg, bit)) return explain_for_supervisor(hart, bit);
  return explain_for_guest(hart, bit);
}

std::vector<IrqVerdict> why_irq(const Hart& hart, const std::vector<WiredSource>& wired) {
  std::vector<IrqVerdict> out;
  std::uint64_t explained = hart.imsic == nullptr ? 0 : interrupt_bit(kMei) | interrupt_bit(kSei);
  explained |= interrupt_bit(kSgei);
  if (hstatus::Vgein::get(hart.hstatus) != 0) explained |= interrupt_bit(kVsei);
  for (const WiredSource& source : wired) {
    IrqVerdict verdict = blocked(source.blocked);
    if (source.blocked.empty()) {
      verdict = through(hart, source.mip_bit);
      explained |= std::uint64_t{1} << source.mip_bit;
    }
    verdict.source = source.source + (verdict.source.empty() ? "" : " -> " + verdict.source);
    out.push_back(std::move(verdict));
  }
  add_files(hart, out);
  add_majors(hart, explained, out);
  add_virtual(hart, out);
  if (hart.is_nmi_pending.load() != 0)
    out.push_back({"non-maskable interrupt", is_nmi_enabled(hart) ? "is taken next" : "mnstatus.NMIE is 0",
                   !is_nmi_enabled(hart)});
  return out;
}

std::string describe_why_irq(const Hart& hart, const std::vector<IrqVerdict>& verdicts) {
  static constexpr const char* kModes[2][4] = {{"U", "S", "?", "M"}, {"VU", "VS", "?", "?"}};
  std::string text =
      format("hart %llu, in %s-mode at 0x%llx%s:\n", wide(hart.hartid), kModes[hart.v][hart.priv],
             wide(hart.core.pc), hart.is_waiting != 0 ? ", waiting (wfi)" : "");
  if (verdicts.empty()) text += "  nothing is pending or asserted\n";
  for (const IrqVerdict& verdict : verdicts)
    text += "  " + verdict.source + ": " + (verdict.is_blocked ? "BLOCKED: " : "") + verdict.text + "\n";
  return text;
}

}  // namespace gstage::riscv
