// SPDX-License-Identifier: Apache-2.0
// The test device: what it asks for is one of three things, with an exit code of a byte.
#include "softmmu/base/check.h"
#include "hw/misc/sifive_test.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

struct Control final : MachineControl {
  void request(MachineRequest request, int) override {
    CHECK(request == MachineRequest::kPoweroff || request == MachineRequest::kReset);
  }
};

void run(Input& input) {
  Control control;
  hw::SifiveTest device(control);
  access_until_end(input, device, 0x10);
}

const Registration registration("test_device", run);

}  // namespace
}  // namespace gstage::fuzz
