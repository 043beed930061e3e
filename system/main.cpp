// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "system/program.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string path = argc > 0 ? argv[0] : "";
  return gstage::run_program(arguments, path.substr(path.rfind('/') + 1));
}
