// SPDX-License-Identifier: Apache-2.0
// The sandbox from inside: a child process enters it and tries what it must not be able to do.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <asm/unistd.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/ninep/share.h"
#include "system/sandbox/sandbox.h"

namespace gstage {
namespace {

SandboxOptions closed() {
  SandboxOptions options;
  options.mode = SandboxOptions::Mode::kOn;
  return options;
}

/// Runs `inside` in a child that has entered the sandbox. What it returns, at most 255; -1 when the sandbox
/// refused or the child died.
template <class Inside>
int run_inside(const SandboxOptions& options, Inside&& inside) {
  const pid_t child = fork();
  if (child == 0) {
    const Status status = enter_sandbox(options);
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().message.c_str());
    _exit(status.ok() ? inside() : 255);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 255) return -1;
  return WEXITSTATUS(status);
}

/// A system call that must fail, and how.
struct Forbidden {
  const char* name;
  long (*call)();
  int error = EPERM;
};

template <class... Arguments>
long raw(long number, Arguments... arguments) {
  return syscall(number, arguments...);
}

/// A page that can be written and must never become code.
void* page() {
  static void* const mapped = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapped;
}

/// A connected pair of sockets, made before the sandbox.
std::array<int, 2> sockets{-1, -1};

const sockaddr_in kSomewhere{AF_INET, 0x5000, {0x0100007f}, {}};

const Forbidden kForbidden[] = {
    // Programs and processes
    {"execve", [] { return raw(SYS_execve, "/bin/true", nullptr, nullptr); }},
    {"execveat", [] { return raw(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); }},
    {"fork", [] { return raw(SYS_fork); }},
    {"vfork by clone",
     [] { return raw(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr, nullptr, nullptr, 0); }},
    {"clone3", [] { return raw(SYS_clone3, nullptr, 0); }, ENOSYS},
    {"ptrace", [] { return raw(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"process_vm_readv", [] { return raw(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0); }},
    {"process_vm_writev", [] { return raw(SYS_process_vm_writev, getppid(), nullptr, 0, nullptr, 0, 0); }},
    {"kill", [] { return raw(SYS_kill, getppid(), 0); }},
    {"tgkill of another process", [] { return raw(SYS_tgkill, getppid(), getppid(), 0); }},
    {"pidfd_open", [] { return raw(SYS_pidfd_open, getppid(), 0); }},
    {"setpriority", [] { return raw(SYS_setpriority, 0, 0, 0); }},
    {"prlimit64", [] { return raw(SYS_prlimit64, 0, 0, nullptr, nullptr); }},
    // Files
    {"open", [] { return raw(SYS_open, "/etc/passwd", O_RDONLY); }},
    {"openat", [] { return raw(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
    {"openat2", [] { return raw(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0); }},
    {"creat", [] { return raw(SYS_creat, "/tmp/gstage-made-inside", 0600); }},
    {"open_by_handle_at", [] { return raw(SYS_open_by_handle_at, AT_FDCWD, nullptr, O_RDONLY); }},
    {"mkdir", [] { return raw(SYS_mkdir, "/tmp/gstage-made-inside", 0700); }},
    {"mknod", [] { return raw(SYS_mknod, "/tmp/gstage-made-inside", S_IFIFO | 0600, 0); }},
    {"unlink", [] { return raw(SYS_unlink, "/tmp/gstage-is-not-there"); }},
    {"rename", [] { return raw(SYS_rename, "/tmp/gstage-is-not-there", "/tmp/gstage-made-inside"); }},
    {"link", [] { return raw(SYS_link, "/etc/passwd", "/tmp/gstage-made-inside"); }},
    {"symlink", [] { return raw(SYS_symlink, "/etc/passwd", "/tmp/gstage-made-inside"); }},
    {"chmod", [] { return raw(SYS_chmod, "/etc/passwd", 0644); }},
    {"truncate", [] { return raw(SYS_truncate, "/tmp/gstage-is-not-there", 0); }},
    {"stat", [] { return raw(SYS_stat, "/etc/passwd", page()); }},
    {"readlink", [] { return raw(SYS_readlink, "/proc/self/exe", page(), 100); }},
    {"getdents64", [] { return raw(SYS_getdents64, 0, page(), 4096); }},
    {"chdir", [] { return raw(SYS_chdir, "/"); }},
    {"inotify_init1", [] { return raw(SYS_inotify_init1, 0); }},
    {"memfd_create", [] { return raw(SYS_memfd_create, "inside", 0); }},
    {"io_uring_setup", [] { return raw(SYS_io_uring_setup, 1, page()); }},
    {"ioctl that types into the terminal", [] { return raw(SYS_ioctl, 0, TIOCSTI, "x"); }},
    // Sockets
    {"socket of IPv4", [] { return raw(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
    {"socket of Unix", [] { return raw(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
    {"socketpair", [] { return raw(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, page()); }},
    {"connect", [] { return raw(SYS_connect, sockets[0], &kSomewhere, sizeof(kSomewhere)); }},
    {"bind", [] { return raw(SYS_bind, sockets[0], &kSomewhere, sizeof(kSomewhere)); }},
    {"accept", [] { return raw(SYS_accept, sockets[0], nullptr, nullptr); }},
    {"sendto with an address",
     [] { return raw(SYS_sendto, sockets[0], "x", 1, 0, &kSomewhere, sizeof(kSomewhere)); }},
    {"sendmsg, which passes descriptors", [] { return raw(SYS_sendmsg, sockets[0], nullptr, 0); }},
    // Code
    {"mmap of code",
     [] { return raw(SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
    {"mprotect to code", [] { return raw(SYS_mprotect, page(), 4096, PROT_READ | PROT_EXEC); }},
    {"pkey_mprotect to code", [] { return raw(SYS_pkey_mprotect, page(), 4096, PROT_READ | PROT_EXEC, -1); }},
    {"personality, which makes all that is read code", [] { return raw(SYS_personality, 0x0400000); }},
    {"modify_ldt", [] { return raw(SYS_modify_ldt, 0, page(), 16); }},
    // Privileges
    {"setuid", [] { return raw(SYS_setuid, 0); }},
    {"setresgid", [] { return raw(SYS_setresgid, 0, 0, 0); }},
    {"setgroups", [] { return raw(SYS_setgroups, 0, nullptr); }},
    {"capset", [] { return raw(SYS_capset, nullptr, nullptr); }},
    {"prctl other than names and timers", [] { return raw(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0); }},
    {"unshare", [] { return raw(SYS_unshare, CLONE_NEWUSER); }},
    {"setns", [] { return raw(SYS_setns, 0, 0); }},
    {"chroot", [] { return raw(SYS_chroot, "/"); }},
    {"mount", [] { return raw(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr); }},
    // The kernel
    {"bpf", [] { return raw(SYS_bpf, 0, nullptr, 0); }},
    {"perf_event_open", [] { return raw(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
    {"userfaultfd", [] { return raw(SYS_userfaultfd, 0); }},
    {"add_key", [] { return raw(SYS_add_key, "user", "x", "x", 1, 0); }},
    {"init_module", [] { return raw(SYS_init_module, nullptr, 0, ""); }},
    {"kexec_load", [] { return raw(SYS_kexec_load, 0, 0, nullptr, 0); }},
    {"reboot", [] { return raw(SYS_reboot, 0, 0, 0, nullptr); }},
    {"settimeofday", [] { return raw(SYS_settimeofday, nullptr, nullptr); }},
    {"iopl", [] { return raw(SYS_iopl, 3); }},
    {"shmget", [] { return raw(SYS_shmget, 0, 4096, 0600); }},
    {"seccomp", [] { return raw(SYS_seccomp, 0, 0, nullptr); }},
};

class Sandbox : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()), 0); }
  void TearDown() override {
    for (const int fd : sockets) close(fd);
  }
};

TEST_F(Sandbox, RefusesEverySystemCallThatRunningAMachineDoesNotTake) {
  page();
  for (const Forbidden& forbidden : kForbidden) {
    const int error = run_inside(closed(), [&] {
      errno = 0;
      return forbidden.call() < 0 ? errno : 0;
    });
    EXPECT_EQ(error, forbidden.error) << forbidden.name;
  }
}

TEST_F(Sandbox, AnotherArchitecturesNumbersEndTheProcess) {
#ifdef __x86_64__
  const pid_t child = fork();
  if (child == 0) {
    if (!enter_sandbox(closed()).ok()) _exit(1);
    raw(__X32_SYSCALL_BIT + SYS_getpid);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << status;
#else
  GTEST_SKIP() << "there is one numbering";
#endif
}

TEST_F(Sandbox, LeavesThreadsMemoryAndOpenDescriptors) {
  const int result = run_inside(closed(), [] {
    std::string text;
    std::thread([&] {
      prctl(PR_SET_NAME, "inside");
      text.assign(std::size_t{8} << 20, 'x');
      timespec moment{0, 1000};
      nanosleep(&moment, nullptr);
    }).join();
    char byte = 0;
    if (write(sockets[0], text.data(), 1) != 1 || read(sockets[1], &byte, 1) != 1) return 1;
    if (send(sockets[0], "y", 1, MSG_DONTWAIT) != 1 || recv(sockets[1], &byte, 1, 0) != 1) return 2;
    return byte == 'y' ? 0 : 3;
  });
  EXPECT_EQ(result, 0);
}

/// What stands behind `name` in the text of /proc/PID/status.
std::string status_field(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + ":\t");
  return at == std::string::npos
             ? ""
             : text.substr(at + name.size() + 2, text.find('\n', at) - at - name.size() - 2);
}

TEST_F(Sandbox, LeavesNoCapabilitiesAndNoNewPrivileges) {
  SandboxOptions options = closed();
  const pid_t child = fork();
  if (child == 0) {
    const bool is_inside = enter_sandbox(options).ok();
    char byte = is_inside ? 'y' : 'n';
    if (write(sockets[0], &byte, 1) == 1 && read(sockets[0], &byte, 1) == 1) _exit(0);
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(sockets[1], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  std::ifstream file("/proc/" + std::to_string(child) + "/status");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (const char* const set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    EXPECT_EQ(status_field(text, set), "0000000000000000") << set;
  EXPECT_EQ(status_field(text, "NoNewPrivs"), "1");
  EXPECT_EQ(status_field(text, "Seccomp"), "2");
  ASSERT_EQ(write(sockets[1], &byte, 1), 1);
  int status = 0;
  waitpid(child, &status, 0);
}

/// A socket on a free port of the loopback address, and that address.
int listener_at(sockaddr_in& address) {
  address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd, 4), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return fd;
}

TEST_F(Sandbox, ConnectionsAreTakenOnlyWhereAskedFor) {
  sockaddr_in address;
  const int listener = listener_at(address);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto inside = [&] {
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0) return 200;
    return accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) >= 0 ? 100 : errno;
  };
  SandboxOptions options = closed();
  EXPECT_EQ(run_inside(options, inside), EPERM);
  options.networks.add(SandboxUser::kAccept);
  EXPECT_EQ(run_inside(options, inside), 100);
  close(client);
  close(listener);
}

TEST_F(Sandbox, ConnectionsAreMadeOnlyToThePortsAskedFor) {
  sockaddr_in address;
  sockaddr_in other;
  const int listener = listener_at(address);
  const int other_listener = listener_at(other);
  const auto inside = [](const sockaddr_in& to) {
    if (socket(AF_INET, SOCK_DGRAM, 0) >= 0) return 200;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? 100 : errno;
  };
  SandboxOptions options = closed();
  options.networks.add(SandboxUser::kConnect);
  options.tcp_ports = {ntohs(address.sin_port)};
  EXPECT_EQ(run_inside(options, [&] { return inside(address); }), 100);
  constexpr long kVersionOfPorts = 4;
  if (raw(SYS_landlock_create_ruleset, nullptr, 0, 1) >= kVersionOfPorts) {
    EXPECT_EQ(run_inside(options, [&] { return inside(other); }), EACCES);
  }
  close(listener);
  close(other_listener);
}

class SandboxFolder : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    char name[] = "/tmp/gstage-sandbox-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    top = name;
    folder = top + "/open";
    ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
    options = closed();
    options.folders = {folder};
  }
  void TearDown() override {
    for (const char* const file : {"/open/a", "/open/b", "/c"}) unlink((top + file).c_str());
    rmdir(folder.c_str());
    rmdir(top.c_str());
    Sandbox::TearDown();
  }

  std::string top;
  std::string folder;
  SandboxOptions options;
};

TEST_F(SandboxFolder, FilesBelowItAreMadeRenamedAndRemoved) {
  const int result = run_inside(options, [&] {
    const int fd = open((folder + "/a").c_str(), O_RDWR | O_CREAT, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1) return 1;
    if (renameat(AT_FDCWD, (folder + "/a").c_str(), AT_FDCWD, (folder + "/b").c_str()) != 0) return 2;
    return unlinkat(AT_FDCWD, (folder + "/b").c_str(), 0) == 0 ? 0 : 3;
  });
  EXPECT_EQ(result, 0);
}

TEST_F(SandboxFolder, NothingOutsideItIsOpenedOrMade) {
  const auto error_of_open = [&](const std::string& path, int flags) {
    return run_inside(options, [&] { return open(path.c_str(), flags, 0600) < 0 ? errno : 0; });
  };
  EXPECT_EQ(error_of_open("/etc/passwd", O_RDONLY), EACCES);
  EXPECT_EQ(error_of_open(folder + "/../c", O_WRONLY | O_CREAT), EACCES);
  ASSERT_EQ(symlink("/etc/passwd", (folder + "/a").c_str()), 0);
  EXPECT_EQ(error_of_open(folder + "/a", O_RDONLY), EACCES) << "through a symbolic link";
}

TEST_F(Sandbox, LeavesTheSocketsOfTheNetworksThatAreThereAndNoOthers) {
  const auto error_of_socket = [](SandboxUser user, int family) {
    SandboxOptions options = closed();
    options.networks.add(user);
    return run_inside(options, [&] {
      const int fd = socket(family, SOCK_STREAM, 0);
      if (fd < 0) return errno;
      // An internet network listens as well, Landlock or not.
      sockaddr_in any{AF_INET, 0, {0x0100007f}, {}};
      const bool listens = bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0 && listen(fd, 1) == 0;
      return family != AF_INET || listens ? 0 : errno;
    });
  };
  EXPECT_EQ(error_of_socket(SandboxUser::kInternet, AF_INET), 0);
  EXPECT_EQ(error_of_socket(SandboxUser::kInternet, AF_UNIX), EPERM);
  EXPECT_EQ(error_of_socket(SandboxUser::kInternet, AF_NETLINK), EPERM);
  EXPECT_EQ(error_of_socket(SandboxUser::kWires, AF_INET), EPERM);
  EXPECT_EQ(error_of_socket(SandboxUser::kTap, AF_INET), EPERM);
}

TEST_F(SandboxFolder, WhatIsForReadingIsNotWritten) {
  options.folders.clear();
  options.readable = {folder};
  ASSERT_GE(open((folder + "/a").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 0);
  const auto error_of_open = [&](const std::string& path, int flags) {
    return run_inside(options, [&] { return open(path.c_str(), flags, 0600) < 0 ? errno : 0; });
  };
  EXPECT_EQ(error_of_open(folder + "/a", O_RDONLY), 0);
  EXPECT_EQ(error_of_open(folder + "/a", O_WRONLY), EACCES);
  EXPECT_EQ(error_of_open(folder + "/b", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(error_of_open("/etc/passwd", O_RDONLY), EACCES);
}

TEST_F(SandboxFolder, ASharedFolderServesAndNothingBesideIt) {
  mkdir((folder + "/b").c_str(), 0700);
  std::ofstream(top + "/c") << "outside";
  options.folders.clear();
  options.shares = {folder};
  options.networks.add(SandboxUser::kShare);
  options.networks.add(SandboxUser::kShareWrite);
  const int result = run_inside(options, [&] {
    // In the child: what leads to descriptors is a process's own.
    auto share = ninep::Share::open({"id", folder});
    if (!share.ok()) return 16;
    ninep::Share& files = **share;
    const ninep::Descriptor& root = *files.root();
    ninep::Node below;
    ninep::Node node;
    ninep::Descriptor file;
    struct stat status {};
    if (files.look_up(root, "b", below) != 0) return 1;
    if (files.create(root, "a", O_RDWR, {0640, ~0u, ~0u}, node, file) != 0) return 2;
    if (files.rename(root, "a", *below, "a") != 0 || files.link(*node, root, "a") != 0) return 3;
    ninep::Changes changes;
    changes.valid =
        ninep::Changes::kMode | ninep::Changes::kMtime | ninep::Changes::kSize | ninep::Changes::kUid;
    changes.mode = 0600;
    changes.uid = geteuid();
    if (files.change(*node, changes) != 0 || files.attributes(*node, status) != 0) return 4;
    if ((status.st_mode & 0777) != 0600) return 5;
    if (files.remove(*below, "a", false) != 0 || files.remove(root, "b", true) != 0) return 6;
    if (files.make_folder(root, "b", {0700, ~0u, ~0u}, below) != 0) return 7;
    if (files.make_symlink(*below, "l", "target", {}, node) != 0) return 8;
    if (files.make_special(*below, "p", 0, {S_IFIFO | 0600, ~0u, ~0u}, node) != 0) return 9;
    std::vector<std::uint8_t> names;
    if (const int failure = files.list_attributes(root, names); failure != 0 && failure != EOPNOTSUPP)
      return 10;
    if (files.remove(*below, "l", false) != 0 || files.remove(*below, "p", false) != 0) return 11;
    if (files.remove(root, "b", true) != 0) return 12;
    if (::open((top + "/c").c_str(), O_RDONLY) >= 0 || errno != EACCES) return 13;
    if (::unlink((top + "/c").c_str()) == 0 || ::unlinkat(AT_FDCWD, (top + "/c").c_str(), 0) == 0) return 14;
    if (mknodat(AT_FDCWD, (folder + "/b").c_str(), S_IFCHR | 0600, 0x103) == 0 || errno != EPERM) return 15;
    return 0;
  });
  EXPECT_EQ(result, 0);
  rmdir((folder + "/b").c_str());
}

TEST_F(SandboxFolder, WithoutASharedFolderNothingOfFilesIsChanged) {
  const auto error_of = [&](auto call) {
    return run_inside(options, [&] { return call(folder.c_str()) < 0 ? errno : 0; });
  };
  EXPECT_EQ(error_of([](const char* path) { return fchmodat(AT_FDCWD, path, 0700, 0); }), EPERM);
  EXPECT_EQ(error_of([](const char* path) { return fchownat(AT_FDCWD, path, 1, 1, 0); }), EPERM);
  EXPECT_EQ(error_of([](const char* path) { return linkat(AT_FDCWD, path, AT_FDCWD, "x", 0); }), EPERM);
  EXPECT_EQ(error_of([](const char* path) { return utimensat(AT_FDCWD, path, nullptr, 0); }), EPERM);
  options.networks.add(SandboxUser::kShare);
  EXPECT_EQ(error_of([](const char* path) { return fchmodat(AT_FDCWD, path, 0700, 0); }), EPERM)
      << "a folder that is read alone";
}

TEST_F(Sandbox, RunsAsAnotherUserInAnotherRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SandboxOptions options = closed();
  options.user = "65534:65533";
  options.root = "/tmp";
  options.mode = SandboxOptions::Mode::kOff;  // what it is now can be asked
  const int result = run_inside(options, [&] {
    char where[100] = {};
    if (getuid() != 65534 || geteuid() != 65534 || getgid() != 65533 || getgroups(0, nullptr) != 0) return 1;
    if (setuid(0) == 0) return 2;
    return getcwd(where, sizeof(where)) != nullptr && std::strcmp(where, "/") == 0 &&
                   access("/etc/passwd", F_OK) != 0
               ? 0
               : 3;
  });
  EXPECT_EQ(result, 0);
}

TEST_F(Sandbox, AnUnprivilegedUserIsEnclosedAsWell) {
  if (geteuid() != 0) GTEST_SKIP() << "the other tests show it";
  SandboxOptions options = closed();
  options.user = "65534:65534";
  EXPECT_EQ(
      run_inside(options, [] { return raw(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) < 0 ? errno : 0; }),
      EPERM);
}

TEST(SandboxErrors, SayWhatIsWrong) {
  const auto refusal = [](const char* user, const char* root) {
    SandboxOptions options;
    options.user = user;
    options.root = root;
    const Status status = enter_sandbox(options);
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_NE(refusal("no-such-user", "").find("no user 'no-such-user'"), std::string::npos);
  EXPECT_NE(refusal("1:x", "").find("'1:x' is not UID:GID"), std::string::npos);
  EXPECT_NE(refusal("4294967295:1", "").find("is not UID:GID"), std::string::npos) << "-1 means no change";
  EXPECT_NE(refusal("", "/no/such/directory").find("/no/such/directory"), std::string::npos);
}

}  // namespace
}  // namespace gstage
