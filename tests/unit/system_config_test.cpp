// SPDX-License-Identifier: Apache-2.0
// Options about the process, the clock and configuration files.
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/wall_clock.h"
#include "system/consoles.h"
#include "system/options.h"
#include "system/process.h"
#include "system/read_config.h"

namespace gstage {
namespace {

using Words = std::vector<std::string>;

Options parse(const Words& words) {
  auto options = parse_options(words);
  EXPECT_TRUE(options.ok()) << options.error().message;
  return options.ok() ? *options : Options{};
}

std::string refusal(const Words& words) {
  const auto options = parse_options(words);
  return options.ok() ? "" : options.error().message;
}

std::string temporary(const char* name) {
  return ::testing::TempDir() + format("gstage-%d-%s", getpid(), name);
}

/// What a configuration stands for, an option a line.
std::string configured(const std::string& text) {
  auto options = parse_config(text, "file");
  if (!options) return options.error().message;
  std::string lines;
  for (const ConfiguredOption& option : *options) lines += "-" + option.word + " " + option.argument + "\n";
  return lines;
}

TEST(ReadConfig, SectionsAreOptions) {
  EXPECT_EQ(configured("# a comment\n"
                       "\n"
                       "[drive \"hd0\"]\n"
                       "  file = \"a,b.img\"\r\n"
                       "  if=\"none\"\n"
                       "[ device ]\n"
                       "\tdriver = \"virtio-blk-device\"\n"
                       "\tdrive = \"hd0\"\n"
                       "[smp-opts]\n"
                       "cpus = \"4\"\n"
                       "[machine]\n"
                       "[global]\n"
                       "driver = \"virtio-mmio\"\n"
                       "property = \"force-legacy\"\n"
                       "value = \"false\"\n"),
            "-drive id=hd0,file=a,,b.img,if=none\n"
            "-device driver=virtio-blk-device,drive=hd0\n"
            "-smp cpus=4\n"
            "-global virtio-mmio.force-legacy=false\n");
  EXPECT_EQ(configured(""), "");
}

TEST(ReadConfig, WhatIsWrongIsNamedWithItsLine) {
  const std::pair<const char*, const char*> rows[] = {
      {"x = \"1\"", "file:1: a property before the first section"},
      {"\n[rtc\n", "file:2: '[rtc' is no heading"},
      {"[rtc \"]", "file:1: '[rtc \"]' is no heading"},
      {"[rtc]\nbase = utc\n", "file:2: 'base = utc' is no property"},
      {"[rtc]\nbase\n", "file:2: 'base' is no property"},
      {"[rtc]\nba se = \"utc\"\n", "is no property"},
      {"[rtc]\nbase = \"u\"tc\"\n", "is no property"},
      {"[spice]\n", "[spice] is not supported yet"},
  };
  for (const auto& [text, words] : rows)
    EXPECT_NE(configured(text).find(words), std::string::npos) << text << ": " << configured(text);
}

TEST(ReadConfig, OptionsOfAFileCountAsThoseOfTheLine) {
  const std::string path = temporary("config");
  std::ofstream(path) << "[memory]\nsize = \"1G\"\n[chardev \"c\"]\nbackend = \"null\"\nmux = \"on\"\n";
  const Options o = parse({"-readconfig", path, "-smp", "2"});
  EXPECT_EQ(o.machine.ram_bytes, std::uint64_t{1} << 30);
  ASSERT_EQ(o.chardevs.size(), 1u);
  EXPECT_EQ(o.chardevs[0].id, "c");
  std::ofstream(path) << "[memory]\nsize = \"lots\"\n";
  EXPECT_NE(refusal({"-readconfig", path}).find("'lots'"), std::string::npos);
  unlink(path.c_str());
  EXPECT_NE(refusal({"-readconfig", path}).find(path), std::string::npos);
}

/// What the clock of a line shows at once, seconds since 1970.
std::int64_t shown(const std::string& rtc) {
  const Clock clock;
  return static_cast<std::int64_t>(make_wall_clock(parse({"-rtc", rtc}).machine.rtc, clock)() /
                                   1'000'000'000);
}

TEST(Rtc, BasesAndSources) {
  const auto now = static_cast<std::int64_t>(time(nullptr));
  constexpr std::int64_t kSlack = 3600 / 2;
  for (const char* const source : {"host", "rt", "vm"}) {
    const std::string clock = std::string(",clock=") + source;
    EXPECT_NEAR(shown("base=utc" + clock), now, kSlack) << source;
    EXPECT_NEAR(shown("base=1999-12-31T23:59:58" + clock), 946684798, kSlack) << source;
    EXPECT_NEAR(shown("base=1970-01-01,driftfix=slew" + clock), 0, kSlack) << source;
  }
  const char* const old = getenv("TZ");
  const std::string saved = old == nullptr ? "" : old;
  setenv("TZ", "EST5", 1);
  tzset();
  EXPECT_NEAR(shown("base=localtime"), now - 5 * 3600, kSlack);
  old == nullptr ? unsetenv("TZ") : setenv("TZ", saved.c_str(), 1);
  tzset();
}

TEST(Rtc, TheMachinesOwnClockStandsStillWithIt) {
  Clock clock;
  const WallClock vm = make_wall_clock(parse({"-rtc", "base=2000-01-01,clock=vm"}).machine.rtc, clock);
  const WallClock rt = make_wall_clock(parse({"-rtc", "base=2000-01-01,clock=rt"}).machine.rtc, clock);
  const std::uint64_t before = vm();
  const std::uint64_t real_before = rt();
  while (rt() == real_before) {
  }
  EXPECT_EQ(vm(), before);
  clock.start();
  while (vm() == before) {
  }
  EXPECT_GT(vm(), before);
}

TEST(Rtc, RefusalsNameTheValue) {
  for (const char* const bad :
       {"base=later", "base=2006-06-31", "base=2006-06-17T25:00:00", "base=2006-06-17T", "base=2006-06-17x",
        "base=1969-12-31", "clock=sun", "driftfix=maybe", "colour=red"})
    EXPECT_NE(refusal({"-rtc", bad}).find(std::string(bad).substr(std::string(bad).find('=') + 1)),
              std::string(bad) == "colour=red" ? 0 : std::string::npos)
        << bad << ": " << refusal({"-rtc", bad});
}

TEST(Process, NoAcpiIsAPropertyOfTheMachine) {
  const std::vector<Property> properties = parse({"-M", "virt", "-no-acpi"}).machine.machine.properties;
  ASSERT_EQ(properties.size(), 1u);
  EXPECT_EQ(properties[0].name + "=" + properties[0].value, "acpi=off");
}

TEST(Firmware, BootSaysWhatItDoes) {
  const FirmwareOptions none = parse({}).machine.firmware;
  EXPECT_FALSE(none.has_menu || none.is_strict || none.menu_ms);
  EXPECT_EQ(none.retry_ms, 0xffffffffu);
  const FirmwareOptions all =
      parse({"-boot", "c,menu=on,splash-time=5000", "-boot", "strict=on,reboot-timeout=7"}).machine.firmware;
  EXPECT_TRUE(all.has_menu);
  EXPECT_TRUE(all.is_strict);
  EXPECT_EQ(all.menu_ms, 5000u);
  EXPECT_EQ(all.retry_ms, 7u);
  EXPECT_EQ(parse({"-boot", "reboot-timeout=-1"}).machine.firmware.retry_ms, 0xffffffffu);
  EXPECT_NE(refusal({"-boot", "splash-time=65536"}).find("65536"), std::string::npos);
  EXPECT_NE(refusal({"-boot", "reboot-timeout=-2"}).find("-2"), std::string::npos);
}

TEST(Firmware, FilesForFwCfg) {
  const auto files =
      parse({"-fw_cfg", "name=opt/a,file=some,,file", "-fw_cfg", "opt/b,string="}).machine.firmware.files;
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name + " " + files[0].path, "opt/a some,file");
  EXPECT_EQ(files[1].name + " " + files[1].path + files[1].text, "opt/b ");
  EXPECT_NE(parse({"-fw_cfg", "help"}).output.find("string=TEXT"), std::string::npos);
  EXPECT_NE(refusal({"-fw_cfg", "file=f"}).find("no name"), std::string::npos);
  EXPECT_NE(refusal({"-fw_cfg", "name=opt/a"}).find("one of them"), std::string::npos);
  EXPECT_NE(refusal({"-fw_cfg", "name=opt/a,file=f,string=t"}).find("one of them"), std::string::npos);
  EXPECT_NE(refusal({"-fw_cfg", "name=opt/a,file="}).find("empty"), std::string::npos);
  EXPECT_NE(refusal({"-fw_cfg", "string=t,name=" + std::string(56, 'n')}).find("longer"), std::string::npos);
}

TEST(Process, NamesAndIdentifiers) {
  const Options o = parse({"-name", "VM-0,process=guest,debug-threads=on", "-uuid",
                           "01234567-89AB-cdef-0123-456789abcdef", "--boot", "order=c,menu=on,splash-time=0",
                           "-boot", "c", "-usb", "-k", "de", "-full-screen", "-L", "some/folder"});
  EXPECT_EQ(o.name, "VM-0");
  EXPECT_EQ(o.process_name, "guest");
  EXPECT_EQ(o.uuid, "01234567-89ab-cdef-0123-456789abcdef");
  EXPECT_EQ(o.machine.firmware_folders, Words{"some/folder"});
  EXPECT_NE(refusal({"-uuid", "0123"}).find("'0123'"), std::string::npos);
  EXPECT_NE(refusal({"-boot", "colour=red"}).find("'colour'"), std::string::npos);
  EXPECT_NE(refusal({"-boot", "menu=perhaps"}).find("perhaps"), std::string::npos);
  EXPECT_NE(refusal({"-enable-kvm"}).find("KVM"), std::string::npos);
  EXPECT_TRUE(parse({"-L", "mine", "-L", "help"}).output.starts_with("mine\n"));
}

TEST(Process, OnlyAsQemuItAnswersWithQemusVersion) {
  EXPECT_EQ(parse({"-version"}).output.find("QEMU"), std::string::npos);
  const auto options = parse_options(Words{"--version"}, "qemu-system-riscv64");
  ASSERT_TRUE(options.ok());
  const Options o = Result(options).value();
  EXPECT_TRUE(o.output.starts_with("QEMU emulator version ")) << o.output;
  EXPECT_NE(o.output.find("(gstage "), std::string::npos) << "and says what it is";
}

TEST(Process, ADaemonHasNoTerminal) {
  EXPECT_NE(refusal({"-daemonize", "-nographic"}).find("-nographic"), std::string::npos);
  EXPECT_NE(refusal({"-daemonize", "-serial", "mon:stdio"}).find("standard input"), std::string::npos);
  Options o = parse({"-daemonize"});
  add_default_consoles(o);
  EXPECT_EQ(o.serials, Words{"null"});
}

TEST(Process, ThePidFileIsLockedAndGoes) {
  const std::string path = temporary("pid");
  {
    PidFile file;
    ASSERT_TRUE(file.make(path).ok());
    int number = 0;
    std::ifstream(path) >> number;
    EXPECT_EQ(number, getpid());
    struct stat status;
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const pid_t other = fork();
    if (other == 0) _exit(PidFile().make(path).ok() ? 1 : 0);
    int code = 0;
    waitpid(other, &code, 0);
    EXPECT_EQ(code, 0) << "another process does not take it";
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  PidFile nowhere;
  EXPECT_FALSE(nowhere.make("/nonexistent/pid").ok());
}

/// The exit code that a caller sees of a daemon that calls `ready` or not.
int daemon_code(bool gets_ready) {
  const pid_t caller = fork();
  if (caller == 0) {
    Daemon daemon;
    if (!daemon.begin().ok()) _exit(2);
    if (gets_ready) daemon.ready();
    _exit(3);
  }
  int code = 0;
  waitpid(caller, &code, 0);
  return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

TEST(Process, ACallerLearnsWhetherTheDaemonIsUp) {
  EXPECT_EQ(daemon_code(true), 0);
  EXPECT_EQ(daemon_code(false), 1);
}

}  // namespace
}  // namespace gstage
