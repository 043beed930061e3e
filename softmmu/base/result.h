// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "softmmu/base/check.h"

namespace gstage {

/// A host or configuration error: one sentence that says what is wrong and what to change.
struct Error {
  std::string message;
};

/// printf-style construction of an Error. What it quotes of outside text comes out printable.
[[gnu::format(printf, 1, 2)]] Error error(const char* format, ...);

/// Either a value or an Error. Errors of this kind are printed once, in main.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}          // NOLINT: implicit by design
  Result(Error failure) : state_(std::move(failure)) {}  // NOLINT: implicit by design

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }
  T& value() {
    CHECK(ok());
    return std::get<T>(state_);
  }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }
  [[nodiscard]] const Error& error() const {
    CHECK(!ok());
    return std::get<Error>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success carries nothing.
struct Ok {};
using Status = Result<Ok>;

}  // namespace gstage
