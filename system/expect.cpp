// SPDX-License-Identifier: Apache-2.0
#include "system/expect.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include "softmmu/base/format.h"

namespace gstage {

namespace {

/// Outside text in XML, which has no control characters.
std::string xml(const std::string& text) {
  std::string result;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string xml_lines(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    result += xml(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return result;
}

/// `failure` is empty for one that passed.
std::string test_case(const std::string& name, const std::string& failure) {
  const std::string head = format("    <testcase classname=\"gstage\" name=\"%s\"", xml(name).c_str());
  if (failure.empty()) return head + "/>\n";
  return head + format(">\n      <failure message=\"%s\"/>\n    </testcase>\n", xml(failure).c_str());
}

}  // namespace

/// In front of the port's back end.
class Expectations::Tap final : public Chardev {
 public:
  Tap(std::shared_ptr<Chardev> base, Expectations& owner) : base_(std::move(base)), owner_(owner) {}
  void write(std::span<const std::uint8_t> bytes) override {
    base_->write(bytes);
    owner_.seen(bytes);
  }
  void attach(Receive receive, CanReceive can_receive) override {
    base_->attach(std::move(receive), std::move(can_receive));
  }
  void resume_input() override { base_->resume_input(); }
  std::shared_ptr<Chardev> add_front() override { return base_->add_front(); }
  bool on_focus(std::function<void()> callback) override { return base_->on_focus(std::move(callback)); }
  [[nodiscard]] std::string describe() const override { return base_->describe(); }
  Ringbuf* ringbuf() override { return base_->ringbuf(); }

 private:
  const std::shared_ptr<Chardev> base_;
  Expectations& owner_;
};

Result<std::unique_ptr<Expectations>> Expectations::make(const ExpectOptions& options,
                                                         MachineControl& control) {
  std::unique_ptr<Expectations> made(new Expectations(options, control));
  if (options.junit.empty()) return made;
  made->junit_ = open(options.junit.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  if (made->junit_ < 0)
    return error("--junit: cannot write '%s' (%s): name a file that can be written", options.junit.c_str(),
                 std::strerror(errno));
  return made;
}

Expectations::~Expectations() {
  if (timer_ != 0) g_source_remove(timer_);
  if (junit_ >= 0) close(junit_);
}

std::shared_ptr<Chardev> Expectations::tap(std::shared_ptr<Chardev> base) {
  return std::make_shared<Tap>(std::move(base), *this);
}

/// Any thread.
void Expectations::seen(std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  if (matcher_.verdict() != OutputMatcher::Verdict::kNone) return;
  const OutputMatcher::Verdict verdict = matcher_.put(bytes);
  if (verdict == OutputMatcher::Verdict::kNone) return;
  const bool is_good = verdict == OutputMatcher::Verdict::kAllFound;
  control_.request(MachineRequest::kQuit,
                   static_cast<int>(is_good ? ExpectCode::kAllFound : ExpectCode::kFailOn));
}

void Expectations::start() {
  begin_ = std::chrono::steady_clock::now();
  if (options_.timeout_s == 0) return;
  const auto over = [](void* data) -> gboolean {
    auto* const self = static_cast<Expectations*>(data);
    self->timer_ = 0;
    self->is_over_ = true;
    self->control_.request(MachineRequest::kQuit, static_cast<int>(ExpectCode::kTimeout));
    return G_SOURCE_REMOVE;
  };
  timer_ = g_timeout_add_seconds(options_.timeout_s, over, this);
}

/// Why it went wrong; empty: it did not.
std::string Expectations::reason(int exit_code) const {
  switch (matcher_.verdict()) {
    case OutputMatcher::Verdict::kAllFound: return "";
    case OutputMatcher::Verdict::kFailed:
      return format("--fail-on '%s' was found: %s", matcher_.failures()[matcher_.failed()].pattern().c_str(),
                    matcher_.failed_line().c_str());
    default: break;
  }
  const bool is_missing = matcher_.found() < matcher_.expected().size();
  const std::string missing = is_missing ? format(" --expect '%s' was not found",
                                                  matcher_.expected()[matcher_.found()].pattern().c_str())
                                         : "";
  if (is_over_)
    return format("--timeout: %u s are over", options_.timeout_s) + (is_missing ? ":" + missing : "");
  if (is_missing) return format("the machine ended with exit code %d:", exit_code) + missing;
  return exit_code == 0 ? "" : format("the machine ended with exit code %d", exit_code);
}

int Expectations::finish(int exit_code, const std::string& name) {
  const std::lock_guard lock(mutex_);
  // Who was first counts: a guest that fails by itself says more than we can.
  const bool is_missing =
      matcher_.verdict() == OutputMatcher::Verdict::kNone && matcher_.found() < matcher_.expected().size();
  const std::string why = reason(exit_code);
  if (exit_code == 0 && is_missing) exit_code = static_cast<int>(ExpectCode::kMissing);
  restore_terminal();
  if (!why.empty()) std::fprintf(stderr, "gstage: %s\n", printable(why).c_str());
  if (junit_ < 0) return exit_code;
  const std::string text = report(exit_code, why, name);
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t n = write(junit_, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      std::fprintf(stderr, "gstage: --junit: the report is not whole: writing failed (is the disk full?)\n");
      return exit_code == 0 ? 1 : exit_code;
    }
    at += static_cast<std::size_t>(n);
  }
  return exit_code;
}

std::string Expectations::report(int exit_code, const std::string& why, const std::string& name) const {
  const bool has_failed = matcher_.verdict() == OutputMatcher::Verdict::kFailed;
  std::string cases;
  unsigned tests = 0;
  unsigned failures = 0;
  const auto add = [&](const std::string& what, const std::string& failure) {
    cases += test_case(what, failure);
    ++tests;
    if (!failure.empty()) ++failures;
  };
  for (std::size_t i = 0; i < options_.expected.size(); ++i)
    add("expect: " + options_.expected[i].pattern(), i < matcher_.found() ? "" : "not found: " + why);
  for (std::size_t i = 0; i < options_.failures.size(); ++i)
    add("fail-on: " + options_.failures[i].pattern(),
        has_failed && i == matcher_.failed() ? "found: " + matcher_.failed_line() : "");
  if (tests == 0 || (failures == 0 && exit_code != 0)) add("end", exit_code == 0 ? "" : why);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin_;
  return format(
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
             "  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"%.3f\">\n",
             xml(name.empty() ? "gstage" : name).c_str(), tests, failures, time.count()) +
         cases + "    <system-out>" + xml_lines(matcher_.tail()) +
         "</system-out>\n  </testsuite>\n</testsuites>\n";
}

}  // namespace gstage
