// SPDX-License-Identifier: Apache-2.0
// What a telnet client sends: no data is lost or made up, however the stream is cut, and answers are bounded.
#include "io/telnet.h"

#include <algorithm>
#include <vector>

#include "softmmu/base/check.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  const Telnet::End end = input.flag() ? Telnet::End::kServer : Telnet::End::kClient;
  const std::span<const std::uint8_t> bytes = input.rest();
  Telnet whole(end);
  Telnet cut(end);
  std::vector<std::uint8_t> data[2];
  std::vector<std::uint8_t> answer[2];
  CHECK(whole.greeting() == cut.greeting());
  whole.decode(bytes, data[0], answer[0]);
  for (std::size_t at = 0; at < bytes.size(); ++at) cut.decode(bytes.subspan(at, 1), data[1], answer[1]);
  CHECK(data[0] == data[1] && answer[0] == answer[1]);
  CHECK(data[0].size() <= bytes.size() && answer[0].size() <= bytes.size() + 2);
  // What is encoded comes back, from an end in its first state.
  Telnet other(Telnet::End::kServer);
  other.greeting();
  std::vector<std::uint8_t> back;
  std::vector<std::uint8_t> none;
  other.decode(Telnet::encode(bytes), back, none);
  CHECK(none.empty() && std::equal(back.begin(), back.end(), bytes.begin(), bytes.end()));
}

const Registration registration("telnet", run);

}  // namespace
}  // namespace gstage::fuzz
