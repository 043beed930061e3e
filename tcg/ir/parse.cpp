// SPDX-License-Identifier: Apache-2.0
#include "tcg/ir/parse.h"

#include <charconv>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tcg/ir/helpers.h"
#include "tcg/ir/op_info.h"

namespace gstage::tcg {
namespace {

using Words = std::vector<std::string_view>;

/// Decimal or 0x-hexadecimal with an optional minus sign; up to 64 bits.
std::optional<std::int64_t> to_number(std::string_view word) {
  const bool is_negative = word.starts_with('-');
  if (is_negative) word.remove_prefix(1);
  const bool is_hex = word.starts_with("0x");
  if (is_hex) word.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value, is_hex ? 16 : 10);
  if (code != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return static_cast<std::int64_t>(is_negative ? 0 - value : value);
}

/// A number behind a prefix: x10, v3, flags=0x1.
std::optional<std::int64_t> to_number_after(std::string_view prefix, std::string_view word) {
  if (!word.starts_with(prefix)) return std::nullopt;
  return to_number(word.substr(prefix.size()));
}

/// Splits at blanks and commas, up to a comment.
Words split(std::string_view line) {
  line = line.substr(0, line.find(';'));
  Words words;
  constexpr std::string_view kBlanks = " \t\r,";
  for (;;) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == line.npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::optional<Op> find_op(std::string_view name) {
  for (unsigned i = 0; i < kOpCount; ++i)
    if (kOpInfo[i].name == name) return static_cast<Op>(i);
  return std::nullopt;
}

std::optional<std::uint8_t> find_aux(AuxKind kind, std::string_view name) {
  if (kind == AuxKind::length) {
    if (name == "2" || name == "4") return static_cast<std::uint8_t>(name[0] - '0');
    return std::nullopt;
  }
  for (unsigned i = 0; aux_name(kind, i) != nullptr; ++i)
    if (aux_name(kind, i) == name) return static_cast<std::uint8_t>(i);
  return std::nullopt;
}

std::optional<std::int64_t> find_rmw(std::string_view name) {
  for (unsigned i = 0; rmw_name(i) != nullptr; ++i)
    if (rmw_name(i) == name) return i;
  return std::nullopt;
}

/// Reads the lines one after the other into a unit. A method that finds an error returns its text.
class Parser {
 public:
  std::string line(std::string_view text);
  Unit take() { return std::move(unit_); }

 private:
  std::string unit_line(const Words& words);
  std::string instruction(const Words& words);
  std::string operands(const Words& words, std::size_t at, const OpInfo& row, Inst& inst);
  std::string immediate(std::string_view word, ImmKind kind, Inst& inst);
  std::string value(std::string_view word, Inst& inst);

  Unit unit_;
  std::unordered_map<std::int64_t, std::uint32_t> indices_;  ///< by number in the text
};

std::string quote(std::string_view what, std::string_view word) {
  return std::string(what) + " \"" + std::string(word) + "\"";
}

std::string Parser::unit_line(const Words& words) {
  struct Field {
    std::string_view prefix;
    std::uint32_t* value;
  };
  const Field fields[] = {{"flags=", &unit_.flags},
                          {"first=", &unit_.first_offset},
                          {"bytes=", &unit_.guest_bytes},
                          {"insns=", &unit_.guest_insns}};
  for (std::size_t i = 1; i < words.size(); ++i) {
    bool is_known = false;
    for (const Field& field : fields) {
      const auto number = to_number_after(field.prefix, words[i]);
      if (!number) continue;
      *field.value = static_cast<std::uint32_t>(*number);
      is_known = true;
    }
    if (!is_known) return quote("unknown field", words[i]);
  }
  return {};
}

std::string Parser::immediate(std::string_view word, ImmKind kind, Inst& inst) {
  std::optional<std::int64_t> number;
  switch (kind) {
    case ImmKind::none: return {};
    case ImmKind::number:
    case ImmKind::offset: number = to_number(word); break;
    case ImmKind::x: number = to_number_after("x", word); break;
    case ImmKind::f: number = to_number_after("f", word); break;
    case ImmKind::rmw: number = find_rmw(word); break;
    case ImmKind::helper: {
      const Helper* helper = find_helper(word);
      if (helper == nullptr) return quote("unknown helper", word);
      number = reinterpret_cast<std::int64_t>(helper);
      break;
    }
  }
  if (!number) return quote("bad operand", word);
  inst.imm = *number;
  return {};
}

std::string Parser::value(std::string_view word, Inst& inst) {
  const auto number = to_number_after("v", word);
  if (!number) return quote("not a value:", word);
  const auto index = indices_.find(*number);
  if (index == indices_.end()) return quote("undefined value", word);
  inst.args[inst.argument_count++] = Value{index->second};
  return {};
}

std::string Parser::operands(const Words& words, std::size_t at, const OpInfo& row, Inst& inst) {
  const bool has_second = inst.op == Op::branch || inst.op == Op::insn;
  const bool is_leading = row.imm == ImmKind::x || row.imm == ImmKind::f || row.imm == ImmKind::helper;
  std::size_t count = row.arguments + (row.imm != ImmKind::none ? 1u : 0u) + (has_second ? 1u : 0u);
  // A call takes as many values as it is given; verify() compares with the helper.
  const std::size_t given = words.size() - at;
  if (inst.op == Op::call && given >= 1 && given < count) count = given;
  if (given != count) return "expected " + std::to_string(count) + " operands, not " + std::to_string(given);
  std::string failure;
  if (is_leading) failure = immediate(words[at++], row.imm, inst);
  const std::size_t values = inst.op == Op::call ? count - 1 : row.arguments;
  for (std::size_t i = 0; i < values && failure.empty(); ++i) failure = value(words[at++], inst);
  if (!failure.empty()) return failure;
  if (!is_leading && row.imm != ImmKind::none) failure = immediate(words[at++], row.imm, inst);
  if (!has_second || !failure.empty()) return failure;
  const auto second = to_number(words[at]);
  if (!second) return quote("bad operand", words[at]);
  inst.imm2 = static_cast<std::int32_t>(*second);
  return {};
}

std::string Parser::instruction(const Words& words) {
  std::size_t at = 0;
  std::optional<std::int64_t> result;
  if (words.size() >= 3 && words[1] == "=") {
    result = to_number_after("v", words[0]);
    if (!result) return quote("not a value:", words[0]);
    at = 2;
  }
  std::string_view name = words[at++];
  std::string_view suffix;
  if (const std::size_t dot = name.find('.'); dot != name.npos) {
    suffix = name.substr(dot + 1);
    name = name.substr(0, dot);
  }
  const auto op = find_op(name);
  if (!op) return quote("unknown op", name);
  const OpInfo& row = info(*op);
  Inst inst{.op = *op};
  if (row.aux != AuxKind::none) {
    const auto aux = find_aux(row.aux, suffix);
    if (!aux) return quote("bad suffix", suffix);
    inst.aux = *aux;
  } else if (!suffix.empty()) {
    return quote("this op has no suffix", suffix);
  }
  if (result && row.result == Type::none) return quote("no value is made by", name);
  if (std::string failure = operands(words, at, row, inst); !failure.empty()) return failure;
  unit_.insts.push_back(inst);
  const auto index = static_cast<std::uint32_t>(unit_.insts.size() - 1);
  if (result && !indices_.emplace(*result, index).second) return quote("defined twice:", words[0]);
  return {};
}

std::string Parser::line(std::string_view text) {
  const Words words = split(text);
  if (words.empty()) return {};
  return words[0] == "unit" ? unit_line(words) : instruction(words);
}

}  // namespace

Result<Unit> parse(std::string_view text) {
  Parser parser;
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string failure = parser.line(text.substr(0, end));
    if (!failure.empty()) return error("line %u of the IR: %s", number, failure.c_str());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.take();
}

}  // namespace gstage::tcg
