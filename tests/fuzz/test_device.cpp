// SPDX-License-Identifier: Apache-2.0
// The test device: what it asks for is one of three things, with an exit code of a byte.
#include "softmmu/base/check.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"

#include "hw/misc/sifive_test.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  hw::SifiveTest device([](MachineRequest request, int) {
    CHECK(request == MachineRequest::kPoweroff || request == MachineRequest::kReset);
  });
  access_until_end(input, device, 0x10);
}

const Registration registration("test_device", run);

}  // namespace
}  // namespace gstage::fuzz
