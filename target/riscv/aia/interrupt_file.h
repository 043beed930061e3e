// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace gstage::riscv {

class RiscvCpu;

/// One interrupt file of an IMSIC (AIA, "Incoming MSI Controller"). MSIs come from any thread, everything
/// else from the file's own hart, and no lock is between them.
///
/// The wire to the hart is a *hint*: a bit that is set whenever the file may signal. Who sets a pending bit
/// sets the hint after it; the hart clears the hint first and then looks for pending bits again. So a hint
/// may be set for nothing, which `is_signalling` finds out, but never be missing.
class InterruptFile {
 public:
  /// `identities` is the largest identity: 64 k − 1, from 63 to 2047.
  explicit InterruptFile(unsigned identities) : identities_(identities) {}

  /// Where the hint is, and who is to look at it.
  void connect(std::atomic<std::uint64_t>& word, unsigned bit, RiscvCpu& cpu);
  /// Nothing pending, nothing enabled, delivery off.
  void reset();

  /// An MSI. Any thread. Identities that do not exist are ignored.
  void receive(std::uint32_t identity);

  /// The pending and enabled identity of highest priority under the threshold; 0: none.
  [[nodiscard]] unsigned top() const;
  /// Whether the hart's external interrupt is asserted. To be asked where the hint is set.
  [[nodiscard]] bool is_signalling() const { return delivery_.load() == 1 && top() != 0; }
  /// Clears the pending bit of an identity that `top` returned; 0 is allowed.
  void claim(unsigned identity);

  /// The largest identity.
  [[nodiscard]] unsigned identities() const { return identities_; }
  /// Whether there is an indirect register of this number (0x70–0xff) when XLEN is 64.
  static bool has_register(unsigned select) { return select < 0x80 || select % 2 == 0; }
  /// An indirect register; `mask` names the bits to be written.
  [[nodiscard]] std::uint64_t read(unsigned select) const;
  void write(unsigned select, std::uint64_t value, std::uint64_t mask);

 private:
  static constexpr unsigned kMaxWords = 32;
  using Bits = std::array<std::atomic<std::uint64_t>, kMaxWords>;

  [[nodiscard]] unsigned words() const { return identities_ / 64 + 1; }
  /// Bits of a word that stand for identities: all but identity 0.
  [[nodiscard]] std::uint64_t existing(unsigned word) const {
    return word >= words() ? 0 : word == 0 ? ~std::uint64_t{1} : ~std::uint64_t{0};
  }
  /// Makes the hint true after something else than an MSI changed. Own thread.
  void settle();

  const unsigned identities_;
  Bits pending_{};
  Bits enabled_{};
  std::atomic<std::uint32_t> delivery_{0};
  std::atomic<std::uint32_t> threshold_{0};
  std::atomic<std::uint64_t>* hint_word_ = nullptr;
  std::uint64_t hint_bit_ = 0;
  RiscvCpu* cpu_ = nullptr;
};

}  // namespace gstage::riscv
