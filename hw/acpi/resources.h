// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hw/acpi/aml.h"

namespace gstage::hw::acpi::aml {

// Resource descriptors (ACPI 6.6, section 6.4), which `resources` makes a template of.

/// One descriptor.
struct Resource {
  Bytes bytes;
};

/// `ResourceTemplate () {…}`: a buffer of descriptors, and the end tag.
Term resources(const std::vector<Resource>& descriptors);

/// `Memory32Fixed (ReadWrite, …)`: registers that are there and nowhere else.
Resource fixed_memory(std::uint64_t base, std::uint64_t size);
/// `Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) {gsi}`.
Resource wire(std::uint32_t gsi);
/// The same of several devices.
Resource shared_wire(std::uint32_t gsi);

// What a bridge passes on; `base` and `size` are those of the window, bytes.

/// `WordBusNumber`: so many buses, from 0 on.
Resource bus_window(unsigned buses);
/// `DWordMemory`; the same addresses on both sides.
Resource memory32_window(std::uint64_t base, std::uint64_t size);
/// `QWordMemory`.
Resource memory64_window(std::uint64_t base, std::uint64_t size);
/// `DWordIO`: I/O addresses from 0 on, which are at `base` on the side of the harts.
Resource io_window(std::uint64_t base, std::uint64_t size);
/// `QWordMemory (ResourceConsumer, …)`: what the device itself takes.
Resource reserved_memory(std::uint64_t base, std::uint64_t size);

}  // namespace gstage::hw::acpi::aml
