// SPDX-License-Identifier: Apache-2.0
// virtio-rng behind its transport.
#include "hw/virtio/rng.h"

#include "tests/fuzz/target.h"
#include "tests/fuzz/virtio_guest.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  static VirtioGuest guest(std::make_unique<hw::VirtioRng>(hw::EntropySource()), 1);
  guest.run(input);
}

const Registration registration("virtio_rng", run);

}  // namespace
}  // namespace gstage::fuzz
