// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>

namespace gstage {

/// A library of the host that is opened when it is first needed: linking it would cost every start the time
/// to relocate it. It stays open until the program ends.
class SharedLibrary {
 public:
  /// `name` is the one with the version: "libzstd.so.1".
  explicit SharedLibrary(const char* name) : handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}

  /// Whether it is installed.
  [[nodiscard]] bool is_open() const { return handle_ != nullptr; }
  /// Points `function` at the symbol; false when the library is not there or has no such symbol.
  template <class F>
  bool find(F*& function, const char* symbol) const {
    function = is_open() ? reinterpret_cast<F*>(dlsym(handle_, symbol)) : nullptr;
    return function != nullptr;
  }

 private:
  void* handle_;
};

}  // namespace gstage
