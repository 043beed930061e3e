#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad command lines: each gives one line on stderr that says what is wrong, exit code 1, and touches nothing.

usage: bad_input.py [--gstage FILE] [WORD of the rows to try]
"""

import argparse
import bz2
import ctypes
import gzip
import lzma
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile

MIB = 1 << 20
ELF_RISCV, ELF_X86 = 243, 62

# (command line, words that the line has to contain in any case of letters). Files are made by make_files.
ROWS = [
    # Files
    # kvm-unit-tests look for these words before they run anything.
    ('-kernel missing', ['missing failed to load', 'no such file']),
    ('-bios missing', ['missing', 'no such file']),
    ('-kernel good -initrd missing', ['missing', 'no such file']),
    ('-kernel good -dtb missing', ['missing', 'no such file']),
    ('-kernel good -device loader,file=missing,addr=0x84000000', ['missing', 'no such file']),
    ('-drive if=none,id=d,format=raw,file=missing -device virtio-blk-device,drive=d', ['missing', 'no such file']),
    ('-drive if=none,id=d,format=raw,file=readonly -device virtio-blk-device,drive=d', ['readonly', 'readonly=on']),
    *((f'{option} {name}', [f'{option.split()[-1]} {name}', words])
      for option in ('-kernel', '-bios', '-kernel good -initrd', '-kernel good -dtb')
      for name, words in (('directory', 'directory'), ('fifo', 'not a regular file'), ('empty', 'empty'),
                          ('unreadable', 'permission denied'), ('/dev/zero', 'not a regular file'))),
    *((f'-device loader,addr=0x84000000,file={name}', ['-device loader', name, words])
      for name, words in (('directory', 'directory'), ('fifo', 'not a regular file'), ('empty', 'empty'),
                          ('unreadable', 'permission denied'), ('/dev/zero', 'not a regular file'))),
    # Images
    ('-kernel short_header', ['short_header', 'truncated']),
    ('-kernel short_segment', ['short_segment', 'truncated']),
    ('-bios short_segment', ['short_segment', 'truncated']),
    ('-kernel x86', ['x86', 'risc-v']),
    ('-kernel elf32', ['elf32', '64-bit']),
    ('-kernel outside', ['outside', 'ram']),
    ('-kernel big_endian', ['big_endian', 'big-endian']),
    ('-kernel overlapping', ['overlapping', 'two segments overlap at 0x80000004']),
    ('-kernel wrapping', ['wrapping', 'beyond the address space']),
    ('-kernel elsewhere', ['elsewhere', 'entry point at 0x1234']),
    ('-m 64M -kernel huge_memory', ['huge_memory', 'larger -m']),
    ('-m 64M -kernel big', ['big', 'ram']),
    ('-m 64M -kernel good -initrd big', ['big', 'ram']),
    ('-m 64M -device loader,file=good,addr=0x90000000,force-raw=on', ['good', 'ram']),
    ('-kernel good -device loader,file=good,addr=0x80000000,force-raw=on', ['overlap']),
    ('-kernel good -bios good', ['-kernel good', '-bios good', 'overlap']),
    ('-m 128M -kernel good -initrd big', ['-initrd big', 'too large', 'larger -m']),
    # Device trees
    ('-dtb good', ['good', 'no flattened device tree']),
    ('-dtb truncated.dtb', ['truncated.dtb', 'truncated']),
    ('-dtb reservations.dtb', ['reservations.dtb', 'tree']),
    ('-dtb structure.dtb', ['structure.dtb', 'damaged device tree']),
    ('-dtb rootless.dtb', ['rootless.dtb', 'tree']),
    ('-dtb huge', ['huge', '20 mib']),
    # Packed files and containers
    ('-kernel damaged.gz', ['damaged.gz', 'gzip', 'damaged or truncated']),
    ('-kernel damaged.xz', ['damaged.xz', 'xz', 'damaged or truncated']),
    ('-kernel damaged.bz2', ['damaged.bz2', 'bzip2', 'damaged or truncated']),
    ('-kernel damaged.zst', ['damaged.zst', 'zstd', 'damaged or truncated']),
    ('-kernel damaged.lz4', ['damaged.lz4', 'lz4', 'damaged or truncated']),
    ('-m 64M -kernel bomb.gz', ['bomb.gz', 'more than the 64 mib', 'larger -m']),
    ('-m 64M -bios bomb.xz', ['bomb.xz', 'more than the 64 mib', 'larger -m']),
    ('-kernel image.lzo', ['image.lzo', 'lzo', 'lzop -d']),
    ('-kernel damaged.uImage', ['damaged.uImage', 'U-Boot', 'checksum']),
    ('-kernel structure.dtb', ['structure.dtb', 'FIT']),
    ('-kernel archive.zip', ['archive.zip', 'zip file', 'unzip']),
    ('-kernel grub.efi', ['grub.efi', 'EFI program']),
    ('-kernel cut.efi', ['cut.efi', 'zboot', 'truncated']),
    # Sizes and numbers
    ('-m 1', ['-m', '1 mib', 'small']),
    ('-m lots', ['-m', 'lots']),
    ('-m 99999999T', ['-m', '99999999T']),
    ('-smp 0', ['-smp', '0']),
    ('-smp -1', ['-smp', '-1']),
    ('-smp many', ['-smp', 'many']),
    ('-smp 100000', ['-smp', '100000']),
    # Unknown names
    ('-frobnicate', ['-frobnicate']),
    ('--frobnicate', ['frobnicate']),
    ('-kernel', ['-kernel']),
    ('stray', ['stray']),
    ('-M frobnicator', ['frobnicator', 'virt']),
    ('-M virt,colour=red', ['colour']),
    ('-M virt,aia=frobnicator', ['frobnicator', 'aplic-imsic']),
    ('-M virt,aia=aplic-imsic,aia-guests=64', ['aia-guests', '64', '63']),
    ('-M virt,aia=aplic-imsic -cpu rv64,ssaia=off', ['ssaia']),
    ('-cpu frobnicator', ['frobnicator', 'rv64']),
    ('-cpu rv64,colour=on', ['colour']),
    ('-cpu rv64,sv48=perhaps', ['sv48', 'perhaps']),
    ('-cpu rv64,rnmi-interrupt-vector=0x1001', ['rnmi-interrupt-vector', 'multiple of 4']),
    ('-accel frobnicator', ['frobnicator', 'jit']),
    ('-device frobnicator', ['frobnicator']),
    ('-device virtio-rng-device,colour=red', ['colour']),
    ('-device virtio-rng-pci,disable-legacy=off', ['disable-legacy=on']),
    ('-device virtio-rng-pci,disable-modern=on', ['disable-modern=off']),
    ('-device virtio-rng-pci-transitional', ['legacy']),
    ('-device virtio-rng-pci,vectors=4000', ['vectors']),
    ('-device virtio-blk-device', ['drive']),
    ('-device virtio-blk-device,drive=nowhere', ['nowhere']),
    ('-drive if=none,id=d,format=raw,file=good,colour=red', ['colour']),
    ('-drive if=none,id=d,format=raw', ['file']),
    ('-drive if=frobnicator,file=good', ['frobnicator']),
    ('-serial frobnicator', ['frobnicator']),
    ('-serial file:no/such/directory', ['no/such/directory', 'no such file']),
    ('-d frobnicator', ['frobnicator']),
    # Control characters and what is no UTF-8 are escaped
    ("-cpu '\x1b[31mred\r'", ['\\x1b[31mred\\x0d']),
    ("-kernel 'two\nlines'", ['two\\x0alines', 'no such file']),
    ("-M virt,dumpdtb=no/\udcff", ['no/\\xff']),
    ("'-\x7f'", ['-\\x7f']),
    # The sandbox
    ('-sandbox perhaps', ['-sandbox', 'perhaps', 'on or off']),
    ('-sandbox on,spawn=allow', ['-sandbox', 'spawn=allow', 'not supported yet']),
    ('-sandbox on,colour=red', ['-sandbox', 'colour']),
    ('-runas no-such-user -kernel good', ['-runas', 'no-such-user']),
    ('-runas 1:x -kernel good', ['-runas', '1:x', 'UID:GID']),
    ('-chroot missing -kernel good', ['-chroot', 'missing', 'no such file']),
    ('-run-with colour=red', ['-run-with', 'colour']),
    ('-run-with async-teardown=on', ['-run-with', 'async-teardown', 'not supported yet']),
    # Programs that were built for simulators
    ('-semihosting-config colour=red', ['colour', 'root']),
    ('-semihosting-config enable=perhaps', ['enable', 'perhaps']),
    ('-semihosting-config target=gdb', ['target=gdb', 'not supported yet']),
    ('-semihosting-config chardev=nowhere', ['chardev', 'nowhere']),
    ('-semihosting-config root=nowhere -kernel good', ['root=nowhere', 'no such file']),
    ('-signature made -kernel good', ['-signature', 'begin_signature']),
    ('-signature made,granularity=3', ['granularity=3']),
    ('-M spike,colour=red', ['colour']),
    ('-M spike -device virtio-rng-device', ['virtio-rng-device', 'spike']),
    ('-M spike -drive if=none,id=d,format=raw,file=good', ['-drive', 'spike']),
    # Known, but not there yet: by the option's name
    ('-nic passt', ['-nic passt is not supported yet']),
    ('-net vde', ['-net vde is not supported yet']),
    ('-vga std', ['-vga std is not supported yet']),
    ('-writeconfig x', ['-writeconfig is not supported yet']),
    ('-async-teardown', ['-async-teardown is not supported yet']),
    ('-accel tcg,one-insn-per-tb=on', ['-accel: one-insn-per-tb=on is not supported yet']),
    ('-accel kvm', ['-accel: kvm is not supported yet']),
    ('-accel tcg,colour=red', ['-accel tcg', 'colour']),
    ('-cpu sifive-u54', ['-cpu sifive-u54 is not supported yet']),
    ('-cpu rv64,zvbb=on', ['-cpu: zvbb is not supported yet']),
    ('-cpu rv64,mvendorid=0x100000000', ['-cpu mvendorid', '4294967295']),
    ('-M virt,pflash0=f', ['-machine pflash0=f', "there is no drive 'f'"]),
    ('-drive if=pflash,format=raw,file=good', ['-drive if=pflash,unit=0', 'the flash bank 33554432']),
    # Memory
    ('-mem-path nowhere/ram', ['-mem-path', 'nowhere/ram', 'no such file']),
    ('-m 1G -mem-path good', ['-mem-path', 'good', 'fewer than']),
    ('-object memory-backend-file,id=m,size=64M,mem-path=nowhere/ram -M virt,memory-backend=m', ['nowhere/ram']),
    ('-object memory-backend-ram,id=m -M virt,memory-backend=m', ['id=m has no size']),
    ('-object memory-backend-ram,id=m,size=64M,host-nodes=0', ['host-nodes= is not supported yet']),
    ('-M virt,memory-backend=m', ["there is no memory 'm'"]),
    ('-numa node,memdev=m', ["there is no memory 'm'"]),
    ('-numa island', ['island', 'node, cpu, dist']),
    # Guests of hypervisors
    ('-device guest-loader,addr=0x90000000', ['needs kernel= or initrd=']),
    ('-device guest-loader,kernel=good', ['addr=']),
    ('-device guest-loader,kernel=good,initrd=good,addr=0x90000000', ['one of them']),
    ('-device guest-loader,initrd=good,addr=0x84000000,bootargs=x', ['bootargs= goes with kernel=']),
    ('-device guest-loader,initrd=nowhere,addr=0x84000000', ['guest-loader,initrd=', 'nowhere', 'no such file']),
    ('-device guest-loader,initrd=good,addr=0x10', ['no RAM']),
    ('-chardev socket,id=c,path=p', ['c: ', 'unix:p', 'no such file']),
    ('-object iothread,id=i', ['-object iothread is not supported yet']),
    ('-device virtio-gpu-device,help', ['-device virtio-gpu-device is not supported yet']),
    ('-netdev vhost-user,id=n', ['-netdev vhost-user is not supported yet']),
    ('-virtfs proxy,socket=s,mount_tag=t', ['-virtfs proxy is not supported yet']),
    ('-virtfs local,path=/,security_model=none', ['-virtfs', 'mount_tag=TAG']),
    ('-virtfs local,path=no/such/folder,mount_tag=t,security_model=none', ['-fsdev t', 'no/such/folder']),
    ('-fsdev local,id=f,path=/', ['-fsdev', 'security_model']),
    ('-fsdev local,id=f,path=/,security_model=open', ['-fsdev', 'security_model=open']),
    ('-device virtio-9p-device,mount_tag=t', ['virtio-9p-device', 'fsdev=']),
    ('-device virtio-9p-device,mount_tag=t,fsdev=f', ['virtio-9p-device', "no fsdev 'f'"]),
    ('-drive if=none,id=d,format=qcow2,file=good', ['qcow2', 'is no qcow2 image']),
    ('-drive if=none,id=d,format=raw,file=good,werror=explode', ['unknown werror=explode', 'stop']),
    ('-drive if=none,id=d,format=raw,file=good,rerror=enospc', ['rerror=enospc', 'report']),
    ('-drive if=none,id=d,format=raw,file=good -device virtio-blk-device,drive=d,rerror=enospc', ['rerror=enospc']),
    ('-drive if=none,id=d,format=raw,file=good -device virtio-blk-device,drive=d,werror=no', ['werror', 'enospc']),
    ('-drive if=none,id=d,format=raw,file=good,bps=1,bps_rd=1', ['bps-total', 'reads and writes']),
    ('-drive if=none,id=d,format=raw,file=good,throttling.iops-total=fast', ['throttling.iops-total=fast']),
    ('-drive if=none,id=d,format=raw,file=nbd:somewhere', ['nbd:somewhere', 'nbd://HOST']),
    ('-drive if=none,id=d,format=raw,file=nbds://localhost/x', ['TLS', 'not supported yet']),
    ('-drive if=none,id=d,format=raw,file=nbd+unix:///x?socket=missing', ['nbd+unix:///x?socket=missing']),
    ('-blockdev nbd,node-name=n,export=x', ['driver=nbd needs its server']),
    ('-blockdev throttle,node-name=n,throttle-group=g,file.driver=file,file.filename=good', ["no throttle-group 'g'"]),
    ('-device nvme', ['nvme', 'serial=']),
    ('-device virtio-gpu-pci', ['virtio-gpu-pci', 'not supported yet']),
    ('-device riscv-iommu-pci', ['riscv-iommu-pci', 'not supported yet']),
]


def elf(machine=ELF_RISCV, bits=64, segments=((0x80000000, 8, 8),), entry=0x80000000, order=1):
    """An executable of these segments (address, bytes in the file, bytes in memory); each begins with a jump to
    itself."""
    code = struct.pack('<I', 0x0000006f)
    ident = b'\x7fELF' + bytes([2 if bits == 64 else 1, order, 1]) + bytes(9)
    if bits == 32:
        return ident + struct.pack('<HHIIIIIHHHHHH', 2, machine, 1, 0x80000000, 0, 0, 0, 52, 0, 0, 0, 0, 0)
    headers = ident + struct.pack('<HHIQQQIHHHHHH', 2, machine, 1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    contents = b''
    for address, file_size, memory_size in segments:
        offset = 64 + 56 * len(segments) + len(contents)
        headers += struct.pack('<IIQQQQQQ', 1, 7, offset, address, address, file_size, memory_size, 8)
        contents += code.ljust(file_size, b'\0')[:file_size]
    return headers + contents


def tree(structure, reservations=bytes(16)):
    """A flattened device tree of these words."""
    words = struct.pack(f'>{len(structure)}I', *structure)
    begin = 40 + len(reservations)
    total = begin + len(words) + 8
    return struct.pack('>10I', 0xd00dfeed, total, begin, begin + len(words), 40, 17, 16, 0, 8,
                       len(words)) + reservations + words + b'a\0b\0c\0d\0'


def pe_file(at_4=bytes(4), at_8=bytes(8)):
    """The beginning of a PE file, in which EFI programs are."""
    return (b'MZ\0\0' + at_4 + at_8).ljust(0x3c, b'\0') + struct.pack('<I', 0x40) + b'PE\0\0' + bytes(100)


def packed_files():
    """Damaged ones (cut in the middle), and bombs."""
    image = bytes(range(256)) * 64
    zeroes = bytes(65 * MIB)
    lz4 = b'\x02\x21\x4c\x18' + struct.pack('<I', 100) + bytes(50)
    zst = b'\x28\xb5\x2f\xfd\x00\x58' + struct.pack('<I', 100 << 3 | 1)[:3] + bytes(50)
    cut = {'gz': gzip.compress(image), 'xz': lzma.compress(image), 'bz2': bz2.compress(image)}
    return {**{f'damaged.{name}': content[:len(content) // 2] for name, content in cut.items()},
            'damaged.lz4': lz4, 'damaged.zst': zst,
            'bomb.gz': gzip.compress(zeroes, 1), 'bomb.xz': lzma.compress(zeroes, preset=0)}


def make_files(directory):
    """The files that the rows name, in the directory that the rows run in."""
    contents = {
        'good': elf(), 'empty': b'', 'unreadable': elf(), 'readonly': bytes(MIB),
        'short_header': elf()[:40], 'short_segment': elf(segments=[(0x80000000, 4096, 4096)])[:1000],
        'x86': elf(machine=ELF_X86), 'elf32': elf(bits=32), 'outside': elf(segments=[(0x40000000, 8, 8)]),
        'big_endian': elf(order=2), 'overlapping': elf(segments=[(0x80000000, 8, 8), (0x80000004, 8, 8)]),
        'wrapping': elf(segments=[((1 << 64) - 8, 8, 16)]), 'elsewhere': elf(entry=0x1234),
        'huge_memory': elf(segments=[(0x80000000, 8, 1 << 62)]),
        'truncated.dtb': tree([1, 0, 2, 9])[:-1], 'structure.dtb': tree([1, 0, 3, 1 << 30, 0, 2, 9]),
        'reservations.dtb': tree([1, 0, 2, 9], bytes(15) + b'\1'), 'rootless.dtb': tree([9]),
        'image.lzo': b'\x89LZO\0\r\n\x1a\n' + bytes(100), 'damaged.uImage': b'\x27\x05\x19\x56' + bytes(100),
        'archive.zip': b'PK\3\4' + bytes(100), 'grub.efi': pe_file(),
        'cut.efi': pe_file(b'zimg', struct.pack('<II', 4096, 1 << 31)),
        **packed_files(),
    }
    for name, content in contents.items():
        with open(os.path.join(directory, name), 'wb') as stream:
            stream.write(content)
    for name, size in (('big', 90 * MIB), ('huge', 1 << 42)):
        with open(os.path.join(directory, name), 'wb') as stream:
            stream.truncate(size)
    os.mkfifo(os.path.join(directory, 'fifo'))
    os.mkdir(os.path.join(directory, 'directory'))
    os.chmod(os.path.join(directory, 'unreadable'), 0)
    os.chmod(os.path.join(directory, 'readonly'), 0o444)


def obey_permissions():
    """Run in the child: without these two capabilities root is refused what others are."""
    pr_capbset_drop, cap_dac_override, cap_dac_read_search = 24, 1, 2
    libc = ctypes.CDLL(None)
    for capability in (cap_dac_override, cap_dac_read_search):
        libc.prctl(pr_capbset_drop, capability, 0, 0, 0)


def is_bound_by_permissions(directory):
    return subprocess.run(['cat', os.path.join(directory, 'unreadable')], stderr=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, preexec_fn=obey_permissions, check=False).returncode != 0


def state(directory):
    """Names, sizes and times of all files: what a command line must leave as it is."""
    return sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in os.scandir(directory))


def complaint(gstage, row, words, directory):
    """What is wrong with how gstage takes the row; empty if nothing."""
    before = state(directory)
    command = [gstage, *('-M virt -display none -bios none'.split()), *shlex.split(row)]
    try:
        run = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=60, preexec_fn=obey_permissions, check=False)
    except subprocess.TimeoutExpired:
        return 'it runs instead of refusing'
    lines = run.stderr.splitlines()
    if run.returncode != 1:
        return f'exit code {run.returncode} instead of 1; stderr: {run.stderr[:300]!r}'
    if len(lines) != 1:
        return f'{len(lines)} lines on stderr instead of 1: {run.stderr[:300]!r}'
    missing = [word for word in words if word.lower() not in lines[0].lower()]
    if missing:
        return f'the line does not say {missing}: {lines[0]}'
    if run.stdout:
        return f'stdout is not empty: {run.stdout[:300]!r}'
    return '' if state(directory) == before else 'it changed files'


def main(arguments):
    root = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
    parser = argparse.ArgumentParser(description='Tries bad command lines.')
    parser.add_argument('--gstage', default=os.path.join(root, 'build', 'gstage'))
    parser.add_argument('word', nargs='?', default='')
    settings = parser.parse_args(arguments)
    gstage = os.path.abspath(os.environ.get('GSTAGE', settings.gstage))
    if not os.access(gstage, os.X_OK):
        parser.error(f'no emulator {gstage}: build it first (scripts/build)')
    failed = tried = 0
    with tempfile.TemporaryDirectory() as directory:
        make_files(directory)
        permissions = is_bound_by_permissions(directory)
        for row, words in ROWS:
            if settings.word not in row:
                continue
            if not permissions and re.search(r'unreadable|readonly', row):
                print(f'skipped, this user may open every file: {row}')
                continue
            tried += 1
            problem = complaint(gstage, row, words, directory)
            if problem:
                failed += 1
                print(f'gstage {row}\n  {problem}')
    print(f'{tried - failed} of {tried} bad command lines are refused as they should be')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
