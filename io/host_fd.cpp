// SPDX-License-Identifier: Apache-2.0
#include "io/host_fd.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>

namespace gstage {

int open_nameless(const std::string& folder) {
  const int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || errno == ENOENT || errno == EACCES) return fd;
  // Not all file systems have such files.
  std::string name = folder + "/gstage-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace gstage
