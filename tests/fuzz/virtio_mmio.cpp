// SPDX-License-Identifier: Apache-2.0
// The transport with a disk, whose requests a worker takes while the guest goes on.
#include "hw/virtio/blk.h"

#include "tests/fuzz/memory_disk.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/virtio_guest.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  static VirtioGuest guest(
      std::make_unique<hw::VirtioBlk>(std::make_shared<MemoryDisk>(), hw::VirtioBlkOptions{"serial"}), 1,
      nullptr, 1);
  guest.run(input);
}

const Registration registration("virtio_mmio", run);

}  // namespace
}  // namespace gstage::fuzz
