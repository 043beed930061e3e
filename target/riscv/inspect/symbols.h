// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gstage::riscv {

/// A name and the virtual address that it stands for.
struct Symbol {
  std::uint64_t address = 0;
  std::uint64_t size = 0;  ///< bytes; 0: up to the next one
  bool is_function = false;
  std::string name;
};

/// Where an address is: "kvm_arch_vcpu_ioctl_run+0x2c".
struct SymbolPlace {
  const Symbol* symbol;
  std::uint64_t offset;  ///< bytes from the symbol's address

  [[nodiscard]] std::string text() const;
};

/// The symbols of what runs on the machine (`-symbols`), several programs side by side: each table belongs to
/// a world, V=0 or the guest of one VMID. Filled before the harts start, and only read from then on, by any
/// thread.
class SymbolStore {
 public:
  /// `vmid`: whose program it is; nothing: V=0.
  void add(std::optional<unsigned> vmid, std::vector<Symbol> symbols);
  [[nodiscard]] bool empty() const { return tables_.empty(); }

  /// The symbol that holds the address in V=0 or, with a VMID, in that guest.
  [[nodiscard]] std::optional<SymbolPlace> find(std::uint64_t address,
                                                std::optional<unsigned> vmid = {}) const;
  /// The address of a name; without `vmid` that of V=0. Of several tables the first that has it.
  [[nodiscard]] std::optional<std::uint64_t> address_of(const std::string& name,
                                                        std::optional<unsigned> vmid = {}) const;
  /// The symbol's text; where there is none, the address as 16 digits.
  [[nodiscard]] std::string text(std::uint64_t address, std::optional<unsigned> vmid = {}) const;

 private:
  struct Table {
    std::optional<unsigned> vmid;
    std::vector<Symbol> symbols;  ///< by address
  };
  std::vector<Table> tables_;
};

/// The store of the program, which `-symbols` fills, for logs and profiles as for debuggers.
SymbolStore& program_symbols();

}  // namespace gstage::riscv
