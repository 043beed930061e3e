// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/signature.h"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/riscv/elf_symbols.h"

namespace gstage::hw {
namespace {

constexpr std::string_view kSymbols[] = {"begin_signature", "end_signature"};

/// Bytes of the signature at a time, a multiple of every granularity.
constexpr std::uint64_t kChunk = 64 << 10;

/// The bytes as lines; those that the last line lacks are zeros.
std::string lines_of(std::span<const std::byte> bytes, unsigned granularity) {
  std::string text;
  for (std::size_t line = 0; line < bytes.size(); line += granularity) {
    for (std::size_t at = line + granularity; at-- > line;)
      text += format("%02x", at < bytes.size() ? static_cast<unsigned>(bytes[at]) : 0);
    text += '\n';
  }
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<Signature>> Signature::plan(const SignatureOptions& options,
                                                   std::span<const std::shared_ptr<ImageFile>> files,
                                                   const AddressSpace& memory) {
  std::unique_ptr<Signature> signature(new Signature(options, memory));
  for (const auto& file : files) {
    const auto symbols = find_symbols(*file, kSymbols);
    if (symbols.size() != std::size(kSymbols)) continue;
    signature->begin_ = Paddr{symbols.at("begin_signature")};
    signature->size_ = symbols.at("end_signature") - signature->begin_.value;
    std::byte last{};
    const bool is_there =
        signature->size_ == 0 || (signature->begin_ + signature->size_ > signature->begin_ &&
                                  memory.read(signature->begin_, &last, 1) &&
                                  memory.read(signature->begin_ + (signature->size_ - 1), &last, 1));
    if (!is_there)
      return error("-signature: begin_signature to end_signature of %s is no range of memory",
                   file->name().c_str());
    signature->fd_ = ::open(options.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (signature->fd_ < 0)
      return error("-signature %s: %s; name a file that can be written", options.file.c_str(),
                   std::strerror(errno));
    return signature;
  }
  return error(
      "-signature needs an ELF file with the symbols begin_signature and end_signature: name an architecture "
      "test with -kernel");
}

Signature::~Signature() {
  if (fd_ >= 0) close(fd_);
}

Status Signature::write() {
  std::vector<std::byte> bytes;
  for (std::uint64_t done = 0; done < size_; done += bytes.size()) {
    bytes.resize(std::min(kChunk, size_ - done));
    if (!memory_.read(begin_ + done, bytes.data(), bytes.size()))
      return error("-signature: the range of the test is not all in memory");
    if (!write_all(fd_, lines_of(bytes, options_.granularity)))
      return error("-signature %s: %s", options_.file.c_str(), std::strerror(errno));
  }
  return Ok{};
}

}  // namespace gstage::hw
