// SPDX-License-Identifier: Apache-2.0
#include "hw/loader/file_kinds.h"

#include <algorithm>
#include <cstring>

namespace gstage::hw {
namespace {

using namespace std::string_view_literals;

constexpr FileKind kKinds[] = {
    // What is unpacked.
    {"a gzip file", 0, "\x1f\x8b"sv, make_gzip_unpacker, "unpack it with gunzip", "zlib1g"},
    {"a zstd file", 0, "\x28\xb5\x2f\xfd"sv, make_zstd_unpacker, "unpack it with unzstd", "libzstd1"},
    {"an xz file", 0, "\xfd\x37zXZ\0"sv, make_xz_unpacker, "unpack it with unxz", "liblzma5"},
    {"an lzma file", 0, "\x5d\0\0"sv, make_lzma_unpacker, "unpack it with unlzma", "liblzma5"},
    {"an lzip file", 0, "LZIP"sv, make_lzip_unpacker, "unpack it with lzip -d", "liblzma5"},
    {"a bzip2 file", 0, "BZh"sv, make_bzip2_unpacker, "unpack it with bunzip2", "libbz2-1.0"},
    {"an lz4 file", 0, "\x04\x22\x4d\x18"sv, make_lz4_unpacker, "unpack it with unlz4", "liblz4-1"},
    {"an lz4 file", 0, "\x02\x21\x4c\x18"sv, make_lz4_legacy_unpacker, "unpack it with unlz4", "liblz4-1"},
    // What is not.
    {"an lzo file", 0, "\x89LZO\0\r\n\x1a\n"sv, nullptr, "unpack it with lzop -d"},
    {"a compress (.Z) file", 0, "\x1f\x9d"sv, nullptr, "unpack it with gunzip"},
    {"a zip file", 0, "PK\x03\x04"sv, nullptr, "unpack it with unzip"},
    {"a 7-Zip file", 0, "7z\xbc\xaf\x27\x1c"sv, nullptr, "unpack it with 7z x"},
    {"a tar file", 257, "ustar"sv, nullptr, "unpack it with tar -xf"},
    {"a cpio archive", 0, "07070"sv, nullptr, "name it with -initrd, and with this option the kernel"},
    {"a library or package (ar)", 0, "!<arch>\n"sv, nullptr, "name the kernel that is inside"},
    {"a device tree or a U-Boot image of several parts (FIT)", 0, "\xd0\x0d\xfe\xed"sv, nullptr,
     "name a tree with -dtb; take the kernel out of a FIT with dumpimage, and name that"},
    {"an Android boot image", 0, "ANDROID!"sv, nullptr, "name the kernel that is inside"},
    {"a disk image (qcow2)", 0, "QFI\xfb"sv, nullptr, "name it with -drive, and with this option the kernel"},
    {"a file system (squashfs)", 0, "hsqs"sv, nullptr,
     "name it with -drive or -initrd, and with this option the kernel"},
    {"a Linux kernel for x86", 0x202, "HdrS"sv, nullptr, "name one for riscv64"},
    {"a Linux kernel for arm64", 0x38, "ARM\x64"sv, nullptr, "name one for riscv64"},
};

/// PE files that are no Linux kernel have no code at their beginning.
constexpr FileKind kEfiProgram = {"an EFI program", 0, "MZ"sv, nullptr,
                                  "start it from EFI firmware, which -bios or a drive provides"};

bool has_bytes(std::span<const std::byte> head, std::size_t offset, std::string_view bytes) {
  return head.size() >= bytes.size() && offset <= head.size() - bytes.size() &&
         std::memcmp(head.data() + offset, bytes.data(), bytes.size()) == 0;
}

/// Microsoft's PE format, "MS-DOS Stub": the offset of the signature is at 0x3c. Linux's flat image is a PE
/// file as well, but one that can be entered at its first byte (Documentation/arch/riscv/boot-image-header).
bool is_efi_program(std::span<const std::byte> head) {
  constexpr std::size_t kPlaceOfOffset = 0x3c;
  std::uint32_t offset = 0;
  if (head.size() < kPlaceOfOffset + sizeof offset) return false;
  std::memcpy(&offset, head.data() + kPlaceOfOffset, sizeof offset);
  return has_bytes(head, 0, kEfiProgram.magic) && has_bytes(head, offset, "PE\0\0"sv) &&
         !has_bytes(head, 0x38, "RSC\x05"sv);
}

}  // namespace

const FileKind* find_file_kind(std::span<const std::byte> head) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const FileKind& kind) {
    return has_bytes(head, kind.offset, kind.magic);
  });
  if (found != std::end(kKinds)) return found;
  return is_efi_program(head) ? &kEfiProgram : nullptr;
}

Error refuse_file_kind(const std::string& name, const FileKind& kind) {
  return error("%s is %s, which gstage does not load; %s", name.c_str(), kind.name, kind.advice);
}

}  // namespace gstage::hw
