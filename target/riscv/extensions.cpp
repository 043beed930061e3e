// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/extensions.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "softmmu/option_values.h"
#include "target/riscv/cpu_models.h"

namespace gstage::riscv {

namespace {

/// A row of extensions.inc.
struct Extension {
  bool CpuConfig::*member;
  const char* property;
  const char* isa_name;
  const char* help;
};
constexpr Extension kExtensions[] = {
#define EXTENSION(member, property, isa_name, on, help) {&CpuConfig::member, property, isa_name, help},
#include "target/riscv/extensions.inc"
#undef EXTENSION
};
constexpr std::size_t kCount = std::size(kExtensions);

struct Model {
  const char* name;
  const char* help;
  CpuConfig config;
  const char* missing = nullptr;  ///< what the hart should have and has not
};
enum class Profile : std::uint8_t { rva22s64, rva23s64 };
/// The mandatory extensions of a profile and no other.
constexpr CpuConfig profile_config(Profile profile) {
  CpuConfig config;
#define EXTENSION(member, property, isa_name, on, help) config.member = false;
#include "target/riscv/extensions.inc"
#undef EXTENSION
#define PROFILE(name, member) \
  if (profile >= Profile::name) config.member = true;
#include "target/riscv/profiles.inc"
#undef PROFILE
  return config;
}
constexpr Model kModels[] = {
    {"rv64", "a 64-bit hart", CpuConfig{}},
    {"rva22s64", "what the profile RVA22S64 makes mandatory", profile_config(Profile::rva22s64)},
    {"rva23s64", "what the profile RVA23S64 makes mandatory, without V", profile_config(Profile::rva23s64),
     "V, Zvfhmin, Zvbb and Zvkt"},
    {"max", "a hart with everything that is implemented", max_config()},
};

#define MODEL(name)
#define FLAG(name)
#define VALUE(name)
/// Models that are not there yet.
constexpr const char* kMissingModels[] = {
#undef MODEL
#define MODEL(name) name,
#include "target/riscv/missing_cpu.inc"
#undef MODEL
#define MODEL(name)
};
/// Properties that are on or off and of which there is only "off".
constexpr const char* kMissingFlags[] = {
#undef FLAG
#define FLAG(name) name,
#include "target/riscv/missing_cpu.inc"
#undef FLAG
#define FLAG(name)
};
/// Other properties that are not there yet.
constexpr const char* kMissingValues[] = {
#undef VALUE
#define VALUE(name) name,
#include "target/riscv/missing_cpu.inc"
#undef VALUE
};
#undef MODEL
#undef FLAG
/// Properties that have one value, which may be given.
constexpr struct {
  const char* name;
  const char* value;
} kFixed[] = {{"g", "on"},
              {"s", "on"},
              {"u", "on"},
              {"svbare", "on"},
              {"cbom_blocksize", "64"},
              {"cbop_blocksize", "64"},
              {"cboz_blocksize", "64"},
              {"num-pmp-regions", "16"},
              {"pmp-granularity", "4"},
              {"num-triggers", "4"},
              {"vext_spec", "v1.0"}};
/// Old names of properties.
constexpr struct {
  const char* old_name;
  const char* name;
} kOldNames[] = {{"x-h", "h"}, {"debug", "sdtrig"}};

/// Properties that are registers' values, with the largest.
constexpr struct {
  const char* name;
  std::uint64_t CpuConfig::*member;
  std::uint64_t most;
} kIdentities[] = {{"mvendorid", &CpuConfig::mvendorid, 0xffff'ffff},
                   {"marchid", &CpuConfig::marchid, ~std::uint64_t{0}},
                   {"mimpid", &CpuConfig::mimpid, ~std::uint64_t{0}}};

/// Properties that are addresses.
constexpr struct {
  const char* name;
  std::uint64_t CpuConfig::*member;
} kAddresses[] = {{"rnmi-interrupt-vector", &CpuConfig::rnmi_vector},
                  {"rnmi-exception-vector", &CpuConfig::rnmi_exception_vector}};

/// `dependent` cannot be without `base`.
struct Dependency {
  bool CpuConfig::*dependent;
  bool CpuConfig::*base;
};
constexpr Dependency kDependencies[] = {
    {&CpuConfig::d, &CpuConfig::f},
    {&CpuConfig::zfa, &CpuConfig::f},
    {&CpuConfig::zfhmin, &CpuConfig::f},
    {&CpuConfig::zcd, &CpuConfig::d},
    {&CpuConfig::zcd, &CpuConfig::zca},
    {&CpuConfig::zabha, &CpuConfig::zaamo},
    {&CpuConfig::zacas, &CpuConfig::zaamo},
    {&CpuConfig::sv39, &CpuConfig::mmu},
    {&CpuConfig::sv48, &CpuConfig::sv39},
    {&CpuConfig::sv57, &CpuConfig::sv48},
    {&CpuConfig::h, &CpuConfig::sv39},
    {&CpuConfig::svade, &CpuConfig::sv39},
    {&CpuConfig::svadu, &CpuConfig::sv39},
    {&CpuConfig::smepmp, &CpuConfig::pmp},
    {&CpuConfig::ziccamoa, &CpuConfig::a},
    {&CpuConfig::ziccrse, &CpuConfig::zalrsc},
    {&CpuConfig::za64rs, &CpuConfig::zalrsc},
    {&CpuConfig::zawrs, &CpuConfig::zalrsc},
    {&CpuConfig::zcb, &CpuConfig::zca},
    {&CpuConfig::zcmop, &CpuConfig::zca},
    {&CpuConfig::zcmop, &CpuConfig::zimop},
    {&CpuConfig::shcounterenw, &CpuConfig::h},
    {&CpuConfig::shgatpa, &CpuConfig::h},
    {&CpuConfig::shtvala, &CpuConfig::h},
    {&CpuConfig::shvsatpa, &CpuConfig::h},
    {&CpuConfig::shvstvala, &CpuConfig::h},
    {&CpuConfig::shvstvecd, &CpuConfig::h},
    {&CpuConfig::shlcofideleg, &CpuConfig::h},
    {&CpuConfig::shlcofideleg, &CpuConfig::sscofpmf},
    {&CpuConfig::smstateen, &CpuConfig::ssstateen},
    {&CpuConfig::ssstateen, &CpuConfig::smstateen},
    {&CpuConfig::smcsrind, &CpuConfig::sscsrind},
    {&CpuConfig::sscsrind, &CpuConfig::smcsrind},
    {&CpuConfig::smcdeleg, &CpuConfig::ssccfg},
    {&CpuConfig::ssccfg, &CpuConfig::smcdeleg},
    {&CpuConfig::ssccfg, &CpuConfig::sscsrind},
    {&CpuConfig::ssccptr, &CpuConfig::sv39},
    {&CpuConfig::svinval, &CpuConfig::sv39},
    {&CpuConfig::svnapot, &CpuConfig::sv39},
    {&CpuConfig::svpbmt, &CpuConfig::sv39},
    {&CpuConfig::svvptc, &CpuConfig::sv39},
    {&CpuConfig::sspm, &CpuConfig::smnpm},
    {&CpuConfig::supm, &CpuConfig::ssnpm},
};
/// `whole` is a name for its parts and what only it has: it brings them, and cannot be without them. The
/// parts of a letter are there for its sake: they go with it.
struct Part {
  bool CpuConfig::*whole;
  bool CpuConfig::*part;
  bool is_letter = false;
  bool CpuConfig::*condition = nullptr;  ///< a part only where this is there
};
/// The largest first, so that what they bring brings its own.
constexpr Part kParts[] = {
    {&CpuConfig::m, &CpuConfig::zmmul, true},
    {&CpuConfig::a, &CpuConfig::zaamo, true},
    {&CpuConfig::a, &CpuConfig::zalrsc, true},
    {&CpuConfig::c, &CpuConfig::zca, true},
    {&CpuConfig::c, &CpuConfig::zcd, true, &CpuConfig::d},
    {&CpuConfig::b, &CpuConfig::zba},
    {&CpuConfig::b, &CpuConfig::zbb},
    {&CpuConfig::b, &CpuConfig::zbs},
    {&CpuConfig::zfh, &CpuConfig::zfhmin},
    {&CpuConfig::sha, &CpuConfig::h},
    {&CpuConfig::sha, &CpuConfig::ssstateen},
    {&CpuConfig::sha, &CpuConfig::shcounterenw},
    {&CpuConfig::sha, &CpuConfig::shgatpa},
    {&CpuConfig::sha, &CpuConfig::shtvala},
    {&CpuConfig::sha, &CpuConfig::shvsatpa},
    {&CpuConfig::sha, &CpuConfig::shvstvala},
    {&CpuConfig::sha, &CpuConfig::shvstvecd},
    {&CpuConfig::zk, &CpuConfig::zkn},
    {&CpuConfig::zk, &CpuConfig::zkr},
    {&CpuConfig::zk, &CpuConfig::zkt},
    {&CpuConfig::zkn, &CpuConfig::zbkb},
    {&CpuConfig::zkn, &CpuConfig::zbkc},
    {&CpuConfig::zkn, &CpuConfig::zbkx},
    {&CpuConfig::zkn, &CpuConfig::zkne},
    {&CpuConfig::zkn, &CpuConfig::zknd},
    {&CpuConfig::zkn, &CpuConfig::zknh},
    {&CpuConfig::zks, &CpuConfig::zbkb},
    {&CpuConfig::zks, &CpuConfig::zbkc},
    {&CpuConfig::zks, &CpuConfig::zbkx},
    {&CpuConfig::zks, &CpuConfig::zksed},
    {&CpuConfig::zks, &CpuConfig::zksh},
};
/// `name` brings `companion` along, unless the user says no: the levels of one extension. A row that names
/// a companion comes before those that go on from it.
struct Companion {
  bool CpuConfig::*name;
  bool CpuConfig::*companion;
};
constexpr Companion kCompanions[] = {
    {&CpuConfig::smstateen, &CpuConfig::ssstateen}, {&CpuConfig::ssstateen, &CpuConfig::smstateen},
    {&CpuConfig::smcdeleg, &CpuConfig::ssccfg},     {&CpuConfig::ssccfg, &CpuConfig::smcdeleg},
    {&CpuConfig::ssccfg, &CpuConfig::sscsrind},     {&CpuConfig::smcsrind, &CpuConfig::sscsrind},
    {&CpuConfig::sscsrind, &CpuConfig::smcsrind},
};
/// Without them there are no privileged instructions at all ("CSRs" of the privileged architecture).
constexpr bool CpuConfig::*kMandatory[] = {&CpuConfig::i, &CpuConfig::zicsr};
/// Address translation modes, smallest first.
constexpr bool CpuConfig::*kModes[] = {&CpuConfig::sv39, &CpuConfig::sv48, &CpuConfig::sv57};

const Extension& extension_of(bool CpuConfig::*member) {
  return *std::find_if(std::begin(kExtensions), std::end(kExtensions),
                       [member](const Extension& extension) { return extension.member == member; });
}

std::optional<bool> parse_bool(const std::string& value) {
  for (const char* const word : {"on", "true", "yes", "y"})
    if (value == word) return true;
  for (const char* const word : {"off", "false", "no", "n"})
    if (value == word) return false;
  return std::nullopt;
}

/// The state of one parse: the settings, and which of them the user named.
class Parser {
 public:
  explicit Parser(const Model& model) : config_(model.config) {}
  Status set(const Property& property);
  Status finish();
  [[nodiscard]] const CpuConfig& config() const { return config_; }

 private:
  Status set_named_value(const Property& property, bool& is_known);
  Status set_address(const Property& property, std::uint64_t CpuConfig::*member);
  Status set_identity(const Property& property, std::uint64_t CpuConfig::*member, std::uint64_t most);
  [[nodiscard]] std::optional<bool>& named(bool CpuConfig::*member) {
    return named_[static_cast<std::size_t>(&extension_of(member) - kExtensions)];
  }
  Status limit_modes();
  void complete();
  void name_wholes();
  Status settle_all();
  Status settle(const Dependency& dependency);

  CpuConfig config_;
  std::array<std::optional<bool>, kCount> named_{};
};

Status Parser::set_address(const Property& property, std::uint64_t CpuConfig::*member) {
  char* end = nullptr;
  const std::uint64_t address = std::strtoull(property.value.c_str(), &end, 0);
  constexpr std::uint64_t kBelowAlignment = 3;
  if (property.value.empty() || *end != '\0' || (address & kBelowAlignment) != 0)
    return error("-cpu: %s=%s must be an address that is a multiple of 4", property.name.c_str(),
                 property.value.c_str());
  config_.*member = address;
  return Ok{};
}

Status Parser::set_identity(const Property& property, std::uint64_t CpuConfig::*member, std::uint64_t most) {
  auto number = parse_number("-cpu " + property.name, property.value, 0, most);
  if (!number) return number.error();
  config_.*member = *number;
  return Ok{};
}

/// Properties that are not on or off.
Status Parser::set_named_value(const Property& property, bool& is_known) {
  is_known = true;
  for (const auto& [name, member] : kAddresses)
    if (property.name == name) return set_address(property, member);
  for (const auto& [name, member, most] : kIdentities)
    if (property.name == name) return set_identity(property, member, most);
  if (property.name == "priv_spec") {
    if (property.value == "v1.12.0" || property.value == "v1.13.0") return Ok{};
    return error("-cpu: priv_spec=%s is not supported yet: use v1.12.0 or v1.13.0", property.value.c_str());
  }
  if (property.name == "pmu-mask") {
    char* end = nullptr;
    std::strtoull(property.value.c_str(), &end, 0);
    if (!property.value.empty() && *end == '\0') return Ok{};
    return error("-cpu: pmu-mask=%s is not a number", property.value.c_str());
  }
  for (const auto& [name, value] : kFixed) {
    if (property.name != name) continue;
    const bool is_on = std::strcmp(value, "on") == 0;
    if (is_on ? parse_bool(property.value) == true : property.value == value) return Ok{};
    return error("-cpu: %s=%s is not supported yet: the one value is %s", name, property.value.c_str(),
                 value);
  }
  for (const char* const name : kMissingValues)
    if (property.name == name) return error("-cpu: %s= is not supported yet: leave it out", name);
  is_known = false;
  return Ok{};
}

Status Parser::set(const Property& property) {
  bool is_known = false;
  Status status = set_named_value(property, is_known);
  if (is_known) return status;
  std::string name = property.name;
  for (const auto& old : kOldNames) {
    if (name != old.old_name) continue;
    warn("-cpu: %s= is the old name of %s=: use %s=%s", old.old_name, old.name, old.name,
         property.value.c_str());
    name = old.name;
    break;
  }
  const auto* const extension = std::find_if(std::begin(kExtensions), std::end(kExtensions),
                                             [&name](const Extension& e) { return name == e.property; });
  const bool is_not_yet =
      std::find(std::begin(kMissingFlags), std::end(kMissingFlags), name) != std::end(kMissingFlags);
  if (extension == std::end(kExtensions) && !is_not_yet)
    return error("-cpu: there is no property '%s': `-cpu help` lists them", property.name.c_str());
  const std::optional<bool> value = parse_bool(property.value);
  if (!value) return error("-cpu: %s=%s must be on or off", property.name.c_str(), property.value.c_str());
  if (is_not_yet) {
    if (!*value) return Ok{};
    return error("-cpu: %s is not supported yet: leave it out", name.c_str());
  }
  config_.*extension->member = *value;
  named_[static_cast<std::size_t>(extension - kExtensions)] = value;
  return Ok{};
}

/// The largest mode that is set on by name is the largest there is.
Status Parser::limit_modes() {
  const bool CpuConfig::*largest = nullptr;
  for (bool CpuConfig::*const mode : kModes)
    if (named(mode) == true) largest = mode;
  if (largest == nullptr) return Ok{};
  bool is_above = false;
  for (bool CpuConfig::*const mode : kModes) {
    if (is_above) config_.*mode = false;
    is_above |= mode == largest;
  }
  return Ok{};
}

/// Parts that the user did not name follow their whole.
void Parser::complete() {
  for (const Part& part : kParts) {
    const bool has_condition = part.condition == nullptr || config_.*part.condition;
    if (named(part.part) || !has_condition) continue;
    if (config_.*part.whole) config_.*part.part = true;
    if (!(config_.*part.whole) && part.is_letter) config_.*part.part = false;
  }
}

/// Where all parts of Sha are there, so is Sha, which has nothing of its own.
void Parser::name_wholes() {
  if (named(&CpuConfig::sha)) return;
  config_.sha = std::all_of(std::begin(kParts), std::end(kParts), [this](const Part& part) {
    return part.whole != &CpuConfig::sha || config_.*part.part;
  });
}

/// Switches off what lost its base, unless the user asked for it.
Status Parser::settle(const Dependency& dependency) {
  if (!(config_.*dependency.dependent) || config_.*dependency.base) return Ok{};
  const char* const name = extension_of(dependency.dependent).property;
  const char* const base = extension_of(dependency.base).property;
  if (named(dependency.dependent) == true)
    return error("-cpu: %s=on needs %s: set %s=on or leave %s out", name, base, base, name);
  config_.*dependency.dependent = false;
  return Ok{};
}

Status Parser::settle_all() {
  for (const Dependency& dependency : kDependencies)
    if (Status status = settle(dependency); !status) return status;
  for (const Part& part : kParts) {
    if (part.condition != nullptr && !(config_.*part.condition)) continue;
    if (Status status = settle({part.whole, part.part}); !status) return status;
  }
  return Ok{};
}

Status Parser::finish() {
  for (bool CpuConfig::*const member : kMandatory)
    if (!(config_.*member))
      return error("-cpu: %s=off leaves no privileged architecture: leave it out",
                   extension_of(member).property);
  if (Status status = limit_modes(); !status) return status;
  complete();
  for (const Companion& row : kCompanions)
    if (config_.*row.name && !named(row.companion)) config_.*row.companion = true;
  // Each pass settles at least one step of the longest chain.
  for (std::size_t pass = 0; pass < std::size(kDependencies) + std::size(kParts); ++pass)
    if (Status status = settle_all(); !status) return status;
  config_.mmu = config_.mmu && config_.sv39;
  name_wholes();
  return Ok{};
}

std::string models_text() {
  std::string text;
  for (const std::string& name : cpu_model_names()) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// The model, or what is wrong with its name.
Result<const Model*> find_model(const std::string& name) {
  for (const Model& model : kModels)
    if (name == model.name) return &model;
  if (std::find(std::begin(kMissingModels), std::end(kMissingModels), name) != std::end(kMissingModels))
    return error("-cpu %s is not supported yet: use one of %s", name.c_str(), models_text().c_str());
  return error("-cpu: there is no model '%s': use one of %s", name.c_str(), models_text().c_str());
}

std::string model_properties(const Model& model) {
  std::string text = format("Properties of -cpu %s, on or off:\n", model.name);
  for (const Extension& extension : kExtensions)
    text += format("  %-14s %s (default: %s)\n", extension.property, extension.help,
                   model.config.*extension.member ? "on" : "off");
  text += "and with values:\n";
  for (const auto& row : kIdentities) text += format("  %s=N (default: 0)\n", row.name);
  for (const auto& row : kAddresses)
    text += format("  %s=ADDRESS: a handler of smrnmi (default: mtvec's)\n", row.name);
  for (const auto& row : kFixed) text += format("  %s=%s: the one value\n", row.name, row.value);
  return text + "  priv_spec=v1.12.0|v1.13.0 and pmu-mask=N: no effect\n";
}

}  // namespace

Result<CpuConfig> parse_cpu(const DeviceOptions& cpu) {
  auto found = find_model(cpu.driver);
  if (!found) return found.error();
  const Model* const model = *found;
  if (model->missing != nullptr)
    warn("-cpu %s: this hart lacks %s of the profile, which are not implemented yet", model->name,
         model->missing);
  Parser parser(*model);
  for (const Property& property : cpu.properties)
    if (Status status = parser.set(property); !status) return status.error();
  if (Status status = parser.finish(); !status) return status.error();
  return parser.config();
}

std::vector<std::string> isa_extension_names(const CpuConfig& config) {
  std::vector<std::string> names;
  for (const Extension& extension : kExtensions) {
    if (!(config.*extension.member)) continue;
    const bool is_letter = std::strlen(extension.property) == 1;
    const char* const name = is_letter ? extension.property : extension.isa_name;
    if (*name != '\0') names.emplace_back(name);
  }
  return names;
}

std::string isa_string(const CpuConfig& config) {
  std::string isa = "rv64";
  for (const std::string& name : isa_extension_names(config)) {
    if (name.size() > 1 && config.short_isa_string) continue;
    if (name.size() > 1) isa += '_';
    isa += name;
  }
  return isa;
}

std::string mmu_type(const CpuConfig& config) {
  if (!config.mmu) return "riscv,none";
  for (bool CpuConfig::*const mode : {&CpuConfig::sv57, &CpuConfig::sv48, &CpuConfig::sv39})
    if (config.*mode) return std::string("riscv,") + extension_of(mode).property;
  return "riscv,none";
}

std::vector<std::string> cpu_model_names() {
  std::vector<std::string> names;
  for (const Model& model : kModels) names.emplace_back(model.name);
  return names;
}

Result<std::string> cpu_help(const std::string& name) {
  if (!name.empty()) {
    auto model = find_model(name);
    if (!model) return model.error();
    return model_properties(**model);
  }
  std::string text = "Models (-cpu NAME[,PROP=on|off...]):\n";
  for (const Model& model : kModels) text += format("  %-12s %s\n", model.name, model.help);
  return text + model_properties(kModels[0]);
}

}  // namespace gstage::riscv
