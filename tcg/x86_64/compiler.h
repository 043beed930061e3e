// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tcg/ir/unit.h"
#include "tcg/runtime/code_buffer.h"
#include "tcg/runtime/guest.h"
#include "tcg/x86_64/access_groups.h"
#include "tcg/x86_64/allocator.h"
#include "tcg/x86_64/assembler.h"
#include "tcg/x86_64/global_registers.h"
#include "tcg/x86_64/host.h"
#include "tcg/x86_64/thunks.h"

namespace gstage::tcg::x86_64 {

/// Knows which code exists already.
class LinkTargets {
 public:
  virtual ~LinkTargets() = default;
  /// The entry (offset in the buffer) of the block at this offset of the page that is being translated, or 0.
  virtual std::size_t entry_at(std::uint32_t page_offset) = 0;
};

/// Where and how to emit a block.
struct CompileRequest {
  std::size_t at;              ///< where, as an offset in the buffer; at least kMaxInlineBytes are free
  std::size_t out_of_line_at;  ///< where what is seldom run goes; at least kMaxOutOfLineBytes are free
  const void* block;           ///< goes into the header: who owns the code
  LinkTargets* links;          ///< null: no direct jumps; the block ends by the dispatcher
  bool is_single;              ///< the block's end leaves generated code
  bool has_second_page;
  bool is_alone = false;  ///< nobody but the hart accesses memory: atomics need no lock
};

/// A way into a region.
struct RegionEntry {
  std::uint32_t node;
  std::size_t fallback;   ///< where to go on when the region cannot be entered
  std::size_t entry = 0;  ///< set by the compiler
};

/// A block's code, as offsets in the buffer.
struct CompiledBlock {
  std::size_t entry;  ///< a multiple of 16; begins with a 5-byte nop that a jump may replace
  std::size_t stale;  ///< where that jump then leads
  std::size_t end;
  std::size_t out_of_line_end;
};

/// Turns a unit into host code. One for all harts, used under the translator's lock.
class Compiler {
 public:
  static constexpr std::size_t kMaxInlineBytes = std::size_t{24} << 10;
  static constexpr std::size_t kMaxOutOfLineBytes = std::size_t{40} << 10;

  Compiler(CodeBuffer& buffer, Thunks& thunks, const GuestLayout& layout, HostFeatures features);

  /// Returns false when the unit is too big: try with fewer instructions.
  bool compile(const Unit& unit, const CompileRequest& request, CompiledBlock& block);
  /// The same for a region, with these ways in.
  bool compile_region(const Region& region, const CompileRequest& request, std::span<RegionEntry> entries,
                      RegionReport& report, CompiledBlock& block);

  /// Before the entry of each block: the `block` of its request.
  static const void* owner(const std::uint8_t* entry) {
    return *reinterpret_cast<const void* const*>(entry - sizeof(void*));
  }

 private:
  using Reg = Xbyak::Reg64;
  using Xmm = Xbyak::Xmm;
  using Jump = Assembler::Jump;
  static constexpr std::uint8_t kNoReg = Allocator::kNoReg;
  static constexpr std::uint8_t kNoInlineCache = 0xff;

  /// What a division is to give.
  struct Divide {
    bool is_signed;
    bool is_word;
    bool wants_remainder;
  };

  /// Code that is seldom executed. It is emitted after the inline code and to another place, so that inline
  /// code is dense.
  struct OutOfLine {
    void (Compiler::*emit)(const OutOfLine&);
    Jump entries[2];        ///< jumps that lead here
    std::size_t back = 0;   ///< where the inline code goes on
    std::size_t thunk = 0;  ///< what it calls
    RegMask live_gprs = 0;  ///< scratch registers to keep
    RegMask live_xmms = 0;
    std::uint32_t page_offset = 0;  ///< of the guest instruction
    std::uint8_t result = kNoReg;
    std::uint8_t a = kNoReg;
    std::uint8_t b = kNoReg;
    std::uint8_t clear = kNoReg;  ///< to be set to 0 in the end
    bool has_value = false;       ///< an access with a value: a store
    bool is_to_xmm = false;
    std::uint8_t inline_cache = kNoInlineCache;
    std::uint8_t entry = kNoReg;  ///< of an access by an inline cache: the addend, and a scratch register
    std::uint8_t scratch = kNoReg;
    unsigned size = 0;  ///< bytes
    unsigned fill = 0;  ///< bytes that the inline cache is to hold for, if more than those
    std::size_t table = 0;
    std::size_t found = 0;  ///< where the inline code goes on when the TLB has it
    bool is_from_xmm = false;
    bool is_boxed = false;  ///< the result is to be
    Type type = Type::none;
    Cc cc = Cc::e;
    const LoopPointer* pointer = nullptr;         ///< of a versioned loop's check
    std::uint32_t nodes[2] = {kNoNode, kNoNode};  ///< of a branch that ends rounds: taken, and else
    bool is_round[2] = {false, false};            ///< likewise
    Divide divide{};
    Source sources[2];
    std::int64_t imm = 0;
    std::int64_t imm2 = 0;
  };
  /// A direct jump that goes to its link stub first.
  struct Link {
    std::size_t displacement;
    std::uint32_t target;
  };
  /// A guest address: register plus constant.
  struct GuestAddress {
    Reg base;
    std::int32_t displacement;
  };

#define OP(name, ...) void name(const Inst& inst);
#include "tcg/ir/ops.inc"
#undef OP

  void emit_inst(const Inst& inst);
  bool emit_unit(const Unit& unit);
  bool emit_out_of_line();
  void begin_block(const CompileRequest& request);
  void finish_block(const CompileRequest& request, CompiledBlock& block);

  // Integers.
  using AluReg = void (Xbyak::CodeGenerator::*)(const Xbyak::Operand&, const Xbyak::Operand&);
  using AluImm = void (Xbyak::CodeGenerator::*)(const Xbyak::Operand&, std::uint32_t);
  struct Alu {
    AluReg reg;
    AluImm imm;
    bool commutes;
    bool is_word;
  };
  static const Alu kAdd, kSub, kAnd, kOr, kXor, kAddWord, kSubWord;
  using ShiftImm = void (Xbyak::CodeGenerator::*)(const Xbyak::Operand&, int);
  using ShiftCl = void (Xbyak::CodeGenerator::*)(const Xbyak::Operand&, const Xbyak::Reg8&);
  using ShiftBmi2 = void (Xbyak::CodeGenerator::*)(const Xbyak::Reg32e&, const Xbyak::Operand&,
                                                   const Xbyak::Reg32e&);
  struct Shift {
    ShiftImm by_imm;
    ShiftCl by_cl;
    ShiftBmi2 bmi2;
    bool is_word;
  };
  static const Shift kShl, kShr, kSar, kShlWord, kShrWord, kSarWord, kRotr, kRotrWord;
  void alu(const Inst& inst, const Alu& how);
  void shift(const Inst& inst, const Shift& how);
  void shift_by_register(const Inst& inst, const Shift& how);
  void shift_by_cl(const Inst& inst, const Shift& how);
  using Count = void (Xbyak::CodeGenerator::*)(const Xbyak::Reg&, const Xbyak::Operand&);
  void count_bits(const Inst& inst, Count how);
  void scan_bits(const Inst& inst, Count how, unsigned of_zero, unsigned flip);
  void sum_bits(const Inst& inst);
  void multiply(const Inst& inst, bool is_word);
  void multiply_high(const Inst& inst, bool is_signed);
  void divide(const Inst& inst, const Divide& how);
  void divide_out_of_line(const OutOfLine& path);
  void extend(const Inst& inst, MemKind kind);
  void select_constant(const Reg& to, std::int32_t value);
  /// Fetches the operands for `compare_sources`. Returns the condition that holds after it.
  Cc prepare_compare(Value a, Value b, Cond cond, Source (&operands)[2]);
  void compare_sources(const Source& a, const Source& b);
  void move(const Reg& to, const Source& from);
  void move_word(const Reg& to, const Source& from);
  void alu_source(const Alu& how, const Reg& to, const Source& from);

  // Memory.
  GuestAddress guest_address(Value base, std::int64_t displacement);
  /// A load or store under way.
  struct Access {
    GuestAddress address;
    Reg addend;                ///< from guest to host address, once the lookup is done
    const AccessGroup* group;  ///< or null
    Value value;               ///< the group's addend
  };
  /// Emits the TLB lookup for a range of `size` bytes with `entry` as scratch, which then holds the entry's
  /// addend; a miss goes to `path`.
  void lookup(const GuestAddress& address, unsigned size, std::size_t table, const Reg& entry,
              OutOfLine& path);
  void look_in_inline_cache(const GuestAddress& address, unsigned size, const Reg& addend, OutOfLine& path);
  void fill_inline_cache(OutOfLine& path);
  Xbyak::Address inline_cache(unsigned number, std::size_t member) {
    return a_.frame(offsetof(Frame, inline_caches) + number * sizeof(InlineCache) + member);
  }
  Xbyak::Address inline_cache(const OutOfLine& path, std::size_t member) {
    return inline_cache(path.inline_cache, member);
  }
  [[nodiscard]] unsigned float_target(MemKind kind) const;
  void load_float(const Access& access, MemKind kind, unsigned home);
  Jump find_entry(const GuestAddress& address, unsigned size, std::size_t table, const Reg& entry,
                  const Reg& page);
  OutOfLine slow_access(const GuestAddress& address);
  Source reg_or_imm(Value v);
  void require_aligned(const Reg& address, unsigned size, OutOfLine& path);
  void store_to(const Xbyak::RegExp& address, MemKind kind, const Source& value);
  void access_out_of_line(const OutOfLine& path);
  Access begin_access(const Inst& inst);
  void find_host(const Access& access, unsigned size, std::size_t table, OutOfLine& slow);
  void finish_access(const Access& access, OutOfLine& slow);
  void rmw_loop(const Inst& inst);
  /// What follows is atomic for all who access memory.
  void lock_unless_alone() {
    if (!request_->is_alone) a_.lock();
  }
  /// The new value, of the old one in rax.
  void rmw_value(Rmw how, const Reg& to, const Reg& operand, unsigned size);
  void extend_old(const Reg& to, const Reg& from, MemKind kind);

  // Floating point.
  using Sse = void (Xbyak::CodeGenerator::*)(const Xbyak::Xmm&, const Xbyak::Operand&);
  /// An instruction in both encodings.
  struct FpBinary {
    Sse sse;
    void (Xbyak::CodeGenerator::*vex)(const Xbyak::Xmm&, const Xbyak::Operand&, const Xbyak::Operand&);
  };
  using Fused = void (Xbyak::CodeGenerator::*)(const Xbyak::Xmm&, const Xbyak::Xmm&, const Xbyak::Operand&);
  void fp_binary(const Inst& inst, const FpBinary& how, Type type);
  void fp_unary(const Inst& inst, Sse how, Type type, Type from);
  void fp_fma(const Inst& inst, Type type);
  void fp_fma_by_call(const Inst& inst, Type type);
  void fp_compare(const Inst& inst, Type type);
  void fp_from_int(const Inst& inst, Type type);
  void fp_to_int(const Inst& inst, Type type);
  void bits_from_xmm(const Reg& to, const Xmm& from, Type type);
  void bits_to_xmm(const Xmm& to, const Reg& from, Type type);
  void canonicalize(const Xmm& reg, Type type);
  [[nodiscard]] bool has_boxed(const Xmm& reg) const;
  void box(const Xmm& reg);
  void box_in_place(const Xmm& reg);
  void load_canonical_nan(const Xmm& to, Type type);
  void nan_out_of_line(const OutOfLine& path);
  void fma_nan_out_of_line(const OutOfLine& path);
  void fp_call_out_of_line(const OutOfLine& path);

  // Calls and ends.
  void move_arguments(const Inst& inst);
  void trap_out_of_line(const OutOfLine& path);
  void leave_branch_out_of_line(const OutOfLine& path);
  void exit_out_of_line(const OutOfLine& path);
  [[nodiscard]] bool is_linkable(std::int64_t offset) const;
  [[nodiscard]] bool is_back_edge(std::int64_t offset) const;
  void load_pc(std::int64_t offset);
  /// Jumps when somebody wants something of the hart.
  Jump jump_on_attention();
  void leave_on_attention(std::int64_t offset);
  Cc compare_branch(const Inst& inst, bool is_loop);
  void exit_by_dispatch(std::int64_t offset);
  void exit_to(std::int64_t offset);
  void link_jump(std::int64_t offset);
  void link_jump_on(Cc cc, std::int64_t offset);
  void align_displacement(unsigned opcode_bytes);

  // Regions (emit_region.cpp).
  /// A way out of a region, whose code lies behind that of the nodes.
  struct Exit {
    Jump from;
    std::int64_t offset;
  };
  /// A jump to a node whose code is not there yet.
  struct Forward {
    Jump from;
    std::uint32_t node;
  };
  void enter_region(RegionEntry& entry);
  [[nodiscard]] bool has_room_for_ways(std::size_t entries) const;
  [[nodiscard]] bool has_room_for_stubs() const;
  void emit_guards();
  void guard_page(const RegionPage& page);
  void return_on_not_equal();
  void emit_way_in();
  void clear_inline_caches();
  void emit_switches();
  void to_own_registers();
  void to_common_registers();
  void emit_exits();
  void count_inline_caches(const Region& region);
  [[nodiscard]] std::uint8_t next_inline_cache();
  [[nodiscard]] bool is_scattered(std::int64_t insn) const;
  void go_to(std::int64_t offset, std::uint32_t node);
  void go_to_on(Cc cc, std::int64_t offset, std::uint32_t node);
  [[nodiscard]] bool is_way_back(std::uint32_t node) const { return node != kNoNode && node <= node_; }
  void region_jump(const Inst& inst);
  void region_branch(const Inst& inst);
  // Versioned loops (emit_versioned_loops.cpp).
  /// Bytes that the inline cache of a loop's pointer holds for, from any address in it: no access is longer.
  static constexpr unsigned kPointerSpan = 8;
  /// Inline caches of the region's versioned loops, which come before all others.
  [[nodiscard]] unsigned loop_inline_caches() const;
  /// The versioned loop's pointer that the current instruction goes by, or null.
  [[nodiscard]] const LoopPointer* loop_pointer() const;
  bool emit_loop_check();
  void load_pointer(const LoopPointer& pointer);
  void check_pointer(const LoopPointer& pointer);
  void limit_rounds(const Reg& bytes, std::int64_t step);
  void loop_check_out_of_line(const OutOfLine& path);
  void unchecked_jump(std::int64_t offset, std::uint32_t node);
  Cc unchecked_compare(const Inst& inst, std::uint32_t taken, std::uint32_t other);
  void rounds_over_out_of_line(const OutOfLine& path);
  Jump count_round();
  /// Counts as a round: a way back within a body that does not check.
  [[nodiscard]] bool is_round(std::uint32_t to) const;
  void go_on_after_rounds(std::int64_t offset, std::uint32_t node, bool is_over);

  void region_jump_reg(const Inst& inst);
  void jump_reg_out_of_line(const OutOfLine& path);
  void compare_ways(const std::vector<RegionEdge>& ways, OutOfLine& leave);
  /// Where the indirect jumps of a call (RegionNode::call) go on.
  struct JumpTable {
    std::uint32_t call;
    unsigned shift;                 ///< the slot of an offset: its bits from this one on
    std::vector<RegionEdge> slots;  ///< as many as a power of two; unused: kNoNode
    std::vector<std::size_t> uses;  ///< where displacements to it end
  };
  JumpTable& table_of(std::uint32_t call);
  static bool fill_table(const std::vector<RegionEdge>& targets, std::size_t slots, JumpTable& table);
  void jump_by_table(JumpTable& table, OutOfLine& leave);
  [[nodiscard]] std::size_t jump_table_bytes() const;
  void emit_jump_tables(CompiledBlock& block);
  /// Out of a region: registers to where all other code expects them.
  void leave_region();

  OutOfLine out_of_line(void (Compiler::*emit)(const OutOfLine&)) {
    OutOfLine c{};
    c.emit = emit;
    c.page_offset = insn_offset_;
    return c;
  }
  /// Notes what the out-of-line code must keep; the inline code goes on here. After all registers were given
  /// out.
  void resume(OutOfLine& path) {
    path.back = a_.here();
    out_of_line_.push_back(path);
  }
  void keep_live(OutOfLine& path) {
    path.live_gprs = regs_.live_gprs();
    path.live_xmms = regs_.live_xmms();
  }
  void save_live(const OutOfLine& path);
  void restore_live(const OutOfLine& path);
  void call_thunk(std::size_t thunk, std::uint32_t page_offset);

  CodeBuffer& buffer_;
  Thunks& thunks_;
  GuestLayout layout_;
  HostFeatures features_;
  Assembler a_;
  Allocator regs_;

  // The block under way.
  const Unit* unit_ = nullptr;
  const CompileRequest* request_ = nullptr;
  std::size_t entry_ = 0;
  std::size_t out_of_line_next_ = 0;  ///< where the out-of-line code goes on
  std::uint32_t insn_offset_ = 0;
  std::int32_t insn_raw_ = 0;
  std::uint32_t boxed_ = 0;  ///< f registers known to hold a boxed single
  std::vector<OutOfLine> out_of_line_;
  std::vector<Link> links_;
  AccessGroups groups_;
  std::vector<Value> addends_;  ///< by group: the addend, or 0 when the lookup failed

  // The region under way, if it is one.
  const Region* region_ = nullptr;
  RegionReport* report_ = nullptr;
  RegionGlobalRegisters global_registers_;
  std::uint32_t node_ = 0;           ///< index of the node under way
  std::vector<std::size_t> starts_;  ///< of the nodes' code
  std::vector<Exit> exits_;
  std::vector<Forward> forwards_;
  std::vector<JumpTable> tables_;
  std::size_t own_switch_ = 0;  ///< routines that change between the two choices of global registers
  std::size_t common_switch_ = 0;
  std::size_t guards_ = 0;                ///< routine: "not equal" where the region cannot be entered; or 0
  std::size_t way_in_ = 0;                ///< routine: registers and inline caches
  std::size_t forget_inline_caches_ = 0;  ///< routine
  unsigned inline_cache_depth_ = 0;       ///< accesses in loops at least that deep get inline caches
  unsigned inline_caches_ = 0;            ///< given out
};

}  // namespace gstage::tcg::x86_64
