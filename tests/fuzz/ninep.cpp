// SPDX-License-Identifier: Apache-2.0
// Requests of a guest to its shared folder: each has an answer or none, memory and descriptors stay bounded,
// and nothing beside the folder changes.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include <unistd.h>

#include "softmmu/base/check.h"
#include "io/ninep/session.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kMessage = 8192;

/// outside is what no request reaches; the shared folder lies beside it.
class World {
 public:
  World() : path_((fs::temp_directory_path() / "gstage-ninep-XXXXXX").string()) {
    CHECK(mkdtemp(path_.data()) != nullptr);
    std::ofstream(path_ + "/outside") << "outside";
  }
  ~World() { fs::remove_all(path_, ignored_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] std::string folder() const { return path_ + "/shared"; }
  /// The folder as each input finds it.
  void lay() {
    fs::permissions(folder(), fs::perms::owner_all, ignored_);
    fs::remove_all(folder(), ignored_);
    fs::create_directories(folder() + "/d", ignored_);
    std::ofstream(folder() + "/f") << "contents";
    fs::create_symlink("../outside", folder() + "/l", ignored_);
    fs::create_symlink("..", folder() + "/u", ignored_);
  }
  void check_outside() const {
    std::string text;
    std::ifstream(path_ + "/outside") >> text;
    CHECK(text == "outside");
    unsigned count = 0;
    for (const auto& entry : fs::directory_iterator(path_)) count += entry.path().empty() ? 0 : 1;
    CHECK(count == 2);
  }

 private:
  std::string path_;
  std::error_code ignored_;
};

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& to, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put_name(Input& input, Bytes& to) {
  static constexpr const char* kNames[] = {"f",
                                           "d",
                                           "l",
                                           "u",
                                           "n",
                                           "m",
                                           "..",
                                           ".",
                                           "../outside",
                                           "/",
                                           "",
                                           "user.a",
                                           ".virtfs_metadata",
                                           "user.virtfs.mode"};
  const auto which = input.take<std::uint8_t>();
  std::string name = which < std::size(kNames) ? kNames[which] : std::string();
  if (name.empty()) {
    const auto bytes = input.take_bytes(which % 16);
    name.assign(bytes.begin(), bytes.end());
  }
  put(to, name.size(), 2);
  to.insert(to.end(), name.begin(), name.end());
}

/// How the body of a request looks: f a fid, s a text, digits the bytes of a number, d data; c, n and w are
/// small numbers of 8, 4 and 2 bytes.
const char* form_of(std::uint8_t type) {
  using namespace ninep;
  switch (type) {
    case kTlopen: return "f4";
    case kTlcreate: return "fs444";
    case kTsymlink: return "fss4";
    case kTmknod: return "fs4444";
    case kTrename: return "ffs";
    case kTgetattr: return "f8";
    case kTsetattr: return "f444488888";
    case kTxattrwalk: return "ffs";
    case kTxattrcreate: return "fsc4";
    case kTreaddir:
    case kTread: return "f8n";
    case kTfsync: return "f4";
    case kTlock: return "f14884s";
    case kTgetlock: return "f1884s";
    case kTlink: return "ffs";
    case kTmkdir: return "fs44";
    case kTrenameat: return "fsfs";
    case kTunlinkat: return "fs4";
    case kTattach: return "f4ss4";
    case kTflush: return "2";
    case kTwalk: return "ffwss";
    case kTwrite: return "f8d";
    default: return "f";
  }
}

std::uint64_t draw_number(Input& input) {
  return input.flag() ? input.take<std::uint8_t>() : input.take<std::uint64_t>();
}

Bytes draw_request(Input& input) {
  static constexpr std::uint8_t kTypes[] = {8,   12,  14,  16,  18,  20,  22,  24,  26,  30,
                                            32,  40,  50,  52,  54,  70,  72,  74,  76,  102,
                                            104, 108, 110, 110, 116, 118, 120, 122, 100, 1};
  const std::uint8_t type = kTypes[input.below(std::size(kTypes))];
  Bytes body;
  for (const char* form = form_of(type); *form != '\0'; ++form) {
    if (*form == 'f') {
      put(body, input.below(8), 4);
    } else if (*form == 's') {
      put_name(input, body);
    } else if (*form == 'd') {
      const auto bytes = input.take_bytes(input.take<std::uint8_t>());
      put(body, bytes.size(), 4);
      body.insert(body.end(), bytes.begin(), bytes.end());
    } else if (*form == 'c' || *form == 'n' || *form == 'w') {
      put(body, *form == 'w' ? input.below(4) : input.take<std::uint8_t>(),
          *form == 'c'   ? 8
          : *form == 'n' ? 4
                         : 2);
    } else {
      // Sizes of files stay small, so that the host has room.
      put(body, type == ninep::kTwrite ? input.take<std::uint8_t>() : draw_number(input),
          static_cast<unsigned>(*form - '0'));
    }
  }
  if (input.take<std::uint8_t>() < 8) body.resize(input.below(body.size() + 4));
  Bytes message;
  put(message, ninep::kHeaderBytes + body.size(), 4);
  put(message, type, 1);
  put(message, 1, 2);
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

void begin(ninep::Session& session) {
  Bytes reply(kMessage);
  const std::uint8_t version[] = {21, 0, 0,   0,   100, 1,   0,   0,   32,  0,  0,
                                  8,  0, '9', 'P', '2', '0', '0', '0', '.', 'L'};
  CHECK(session.answer(version, reply) == sizeof version);
  Bytes attach;
  put(attach, 23, 4);
  put(attach, ninep::kTattach, 1);
  put(attach, 1, 2);
  for (const std::uint32_t value : {0u, ~0u}) put(attach, value, 4);
  for (int i = 0; i < 2; ++i) put(attach, 0, 2);
  put(attach, 0, 4);
  CHECK(session.answer(attach, reply) == 20);
}

void run(Input& input) {
  static World world;
  world.lay();
  const auto how = input.take<std::uint8_t>();
  ninep::ShareOptions options;
  options.path = world.folder();
  options.model = (how & 1) != 0 ? ninep::SecurityModel::kMappedFile : ninep::SecurityModel::kNone;
  options.is_read_only = (how & 0x1e) == 0x1e;
  auto share = ninep::Share::open(options);
  CHECK(share.ok());
  ninep::Session session(*share);
  begin(session);
  while (!input.empty()) {
    Bytes request;
    if ((how & 0x20) != 0 && input.flag()) {
      const auto bytes = input.take_bytes(40);
      request.assign(bytes.begin(), bytes.end());
    } else {
      request = draw_request(input);
    }
    Bytes reply(input.take<std::uint8_t>() < 16 ? input.below(40) : kMessage);
    const std::size_t size = session.answer(request, reply);
    CHECK(size <= reply.size());
    std::uint32_t told = 0;
    if (size != 0) std::memcpy(&told, reply.data(), sizeof told);
    CHECK(told == size);
    if ((how & 0x40) != 0 && input.take<std::uint8_t>() < 4) session.load(session.save());
  }
  world.check_outside();
}

const Registration registration("ninep", run);

}  // namespace
}  // namespace gstage::fuzz
