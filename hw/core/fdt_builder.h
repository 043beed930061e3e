// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gstage::hw {

/// Writes a flattened device tree from its root down (Devicetree Specification, chapter 5). The buffer grows
/// as needed. Properties of a node come before its children.
class FdtBuilder {
 public:
  /// An open node; it ends with the scope.
  class Node {
   public:
    explicit Node(FdtBuilder& fdt) : fdt_(&fdt) {}
    Node(Node&& other) noexcept : fdt_(other.fdt_) { other.fdt_ = nullptr; }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    Node& operator=(Node&&) = delete;
    ~Node() {
      if (fdt_ != nullptr) fdt_->end_node();
    }

   private:
    FdtBuilder* fdt_;
  };

  FdtBuilder();

  /// Opens a node; the root has the name "".
  [[nodiscard]] Node node(const std::string& name);
  /// `name@address`, the address in hexadecimal.
  [[nodiscard]] Node node(const std::string& name, std::uint64_t address);

  void empty(const char* name);
  void string(const char* name, std::string_view value);
  void strings(const char* name, std::span<const std::string> values);
  void cell(const char* name, std::uint32_t value);
  void cells(const char* name, std::span<const std::uint32_t> values);
  void cells(const char* name, std::initializer_list<std::uint32_t> values);
  /// Pairs of 64-bit values as two cells each: `reg` under #address-cells = #size-cells = 2.
  void wide_cells(const char* name, std::initializer_list<std::uint64_t> values);
  void bytes(const char* name, std::span<const std::byte> value);

  /// Ends the tree. The builder is of no further use. All nodes must be closed.
  std::vector<std::byte> finish();

 private:
  void end_node();
  void property(const char* name, const void* data, std::size_t size);
  /// Runs a step of libfdt, with a larger buffer when it runs out of space.
  template <class Step>
  void write(Step step);

  std::vector<std::byte> buffer_;
};

}  // namespace gstage::hw
