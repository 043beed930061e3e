// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "softmmu/base/result.h"
#include "io/block/file.h"

namespace gstage::nbd {

/// A server and which of its disks is meant.
struct Server {
  std::string path;  ///< of a socket; empty: it is a host
  std::string host;
  unsigned port = kDefaultPort;
  std::string export_name;

  static constexpr unsigned kDefaultPort = 10809;
  /// As a URI.
  [[nodiscard]] std::string text() const;
};

/// Whether it names a server: "nbd:...", "nbd+unix:...", "nbds:...".
bool is_server_name(const std::string& name);
/// Takes such a name apart: "nbd://HOST[:PORT]/[EXPORT]", "nbd+unix:///[EXPORT]?socket=PATH",
/// "nbd:HOST:PORT[:exportname=EXPORT]", "nbd:unix:PATH[:exportname=EXPORT]". Refuses others with a sentence.
Result<Server> parse_server_name(const std::string& what, const std::string& name);

/// Makes a connection. A socket that is connected and belongs to who called, or a negative errno value.
using Connect = std::function<int()>;
/// That of a server, which is looked up once.
Result<Connect> make_connector(const Server& server);

/// How a disk of a server is used.
struct Setup {
  std::string name;  ///< for messages
  std::string export_name;
  Connect connect;
  bool can_unmap = false;               ///< a discard gives space back to the server
  bool skips_sync = false;              ///< what is written may be lost with the server
  unsigned reconnect_delay_s = 0;       ///< so long requests wait for a server that is gone
  unsigned connect_timeout_s = 10;      ///< for the server to say what it has
  unsigned silence_timeout_ms = 60000;  ///< a server that is silent for so long, while asked, is gone
};

/// A disk of a server.
struct Opened {
  std::shared_ptr<BlockFile> file;
  bool is_read_only = false;
};

/// Whether this program was built with libnbd's headers.
bool is_built_in();
/// Connects. Requests go one after the other. Once the server is gone they fail with an I/O error; each tries
/// to connect anew before, and the first sync behind a new connection fails if something was not flushed.
Result<Opened> open(Setup setup);

}  // namespace gstage::nbd
