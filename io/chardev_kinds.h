// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "softmmu/property.h"
#include "io/chardev.h"
#include "io/chardev_needs.h"

namespace gstage {

/// What a back end wants of the program.
struct ChardevHost {
  std::function<void()> quit = [] {};                        ///< at Ctrl-a x
  std::function<bool()> is_quitting = [] { return false; };  ///< asked while a server waits for its client
};

/// A short form as -serial takes it ("tcp:localhost:4321,server,nowait", "mon:stdio") in the long one: the
/// kind in `driver`, properties behind. `what` begins a message: "serial0".
Result<DeviceOptions> parse_chardev(const std::string& what, const std::string& text);
/// Brings the properties to the names that the table has ("nowait" is wait=off), and refuses what the kind
/// does not know. Opens nothing.
Status check_chardev(const std::string& what, DeviceOptions& options);

/// Makes the back end that `options`, checked, say. `label` names it in messages. Adds to `needs`. Where a
/// server waits for a client, so does this.
Result<std::shared_ptr<Chardev>> open_chardev(const DeviceOptions& options, const std::string& label,
                                              const ChardevHost& host, ChardevNeeds& needs);
/// The two in one, of a short form.
Result<std::shared_ptr<Chardev>> make_chardev(const std::string& text, const std::string& label,
                                              const ChardevHost& host = {});

/// Text for the user: all kinds, or the properties of one; empty if there is none of that name.
std::string chardev_help(const std::string& kind);

}  // namespace gstage
