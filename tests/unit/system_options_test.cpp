// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include <gtest/gtest.h>

#include "softmmu/option_values.h"
#include "system/consoles.h"
#include "system/options.h"

#include "tests/unit/option_words.h"

namespace gstage {
namespace {

TEST(OptionValues, PropertiesSplitAtSingleCommas) {
  auto p = parse_properties("-x", "virt,aia=aplic-imsic,flag,text=a,,b=c", "type");
  ASSERT_TRUE(p.ok());
  ASSERT_EQ(p->size(), 4u);
  EXPECT_EQ((*p)[0].name + "|" + (*p)[0].value, "type|virt");
  EXPECT_EQ((*p)[1].name + "|" + (*p)[1].value, "aia|aplic-imsic");
  EXPECT_EQ((*p)[2].name + "|" + (*p)[2].value, "flag|on");
  EXPECT_EQ((*p)[3].name + "|" + (*p)[3].value, "text|a,b=c");
  for (const char* const bad : {"", "a=1,", ",b", "=1", "a=1,=2"})
    EXPECT_FALSE(parse_properties("-x", bad, "type").ok()) << bad;
}

TEST(OptionValues, Sizes) {
  const std::pair<const char*, std::uint64_t> good[] = {{"512", 512ull << 20},   {"512M", 512ull << 20},
                                                        {"2g", 2ull << 30},      {"1.5G", 3ull << 29},
                                                        {"16384K", 16ull << 20}, {"1T", 1ull << 40}};
  for (const auto& [text, bytes] : good) {
    auto size = parse_size("-m", text, 1 << 20);
    ASSERT_TRUE(size.ok()) << text;
    EXPECT_EQ(*size, bytes) << text;
  }
  for (const char* const bad :
       {"", "M", "-1", "1X", "1MM", "0x10", "inf", " 1", "1 M", "99999999999999999999T"})
    EXPECT_FALSE(parse_size("-m", bad, 1 << 20).ok()) << bad;
}

TEST(OptionValues, NumbersNameValueAndRange) {
  auto n = parse_number("-smp", "0x10", 1, 512);
  ASSERT_TRUE(n.ok());
  EXPECT_EQ(*n, 16u);
  for (const char* const bad : {"0", "513", "-1", "1x", "", "99999999999999999999999"}) {
    const auto refused = parse_number("-smp", bad, 1, 512);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_NE(refused.error().message.find(bad), std::string::npos);
    EXPECT_NE(refused.error().message.find("1 to 512"), std::string::npos);
  }
}

TEST(Options, NoArgumentsAreTheDefaults) {
  const Options o = parse({});
  EXPECT_EQ(o.machine.machine.driver, "virt");
  EXPECT_EQ(o.machine.harts, 1u);
  EXPECT_EQ(o.machine.ram_bytes, 128ull << 20);
  EXPECT_EQ(o.machine.bios, "default");
  EXPECT_EQ(o.machine.engine.accel, Accel::kJit);
  EXPECT_TRUE(o.run.can_reboot);
  EXPECT_FALSE(o.run.starts_paused);
}

TEST(Options, ALineThatPeopleUse) {
  const Options o = parse({"--machine",
                           "virt,aia=aplic-imsic,aia-guests=7",
                           "-cpu",
                           "rv64,h=true,svpbmt=on",
                           "-smp",
                           "4",
                           "-m",
                           "2g",
                           "-nographic",
                           "-bios",
                           "fw.bin",
                           "-kernel",
                           "Image",
                           "-initrd",
                           "rootfs.img",
                           "-append",
                           "console=ttyS0,115200 root=/dev/vda",
                           "-no-reboot",
                           "-S",
                           "-device",
                           "loader,file=x.bin,addr=0x90000000,force-raw=on",
                           "-accel",
                           "tcg,thread=multi,tb-size=64"});
  EXPECT_EQ(o.machine.machine.driver, "virt");
  ASSERT_NE(o.machine.machine.find("aia-guests"), nullptr);
  EXPECT_EQ(*o.machine.machine.find("aia-guests"), "7");
  EXPECT_EQ(o.machine.cpu.driver, "rv64");
  EXPECT_EQ(*o.machine.cpu.find("h"), "true");
  EXPECT_EQ(o.machine.harts, 4u);
  EXPECT_EQ(o.machine.ram_bytes, 2ull << 30);
  EXPECT_EQ(o.machine.append, "console=ttyS0,115200 root=/dev/vda") << "text is not split";
  EXPECT_FALSE(o.run.can_reboot);
  EXPECT_TRUE(o.run.starts_paused);
  ASSERT_EQ(o.machine.devices.size(), 1u);
  EXPECT_EQ(o.machine.devices[0].driver, "loader");
  EXPECT_EQ(*o.machine.devices[0].find("addr"), "0x90000000");
  EXPECT_EQ(o.machine.engine.buffer_bytes, 64ull << 20);
}

TEST(Options, MachinePropertiesAddUpAndAccelIsTakenOut) {
  const Options o = parse({"-M", "virt,accel=interp", "-machine", "dumpdtb=x.dtb"});
  EXPECT_EQ(o.machine.machine.driver, "virt");
  EXPECT_EQ(o.machine.engine.accel, Accel::kInterp);
  EXPECT_EQ(*o.machine.machine.find("dumpdtb"), "x.dtb");
  EXPECT_EQ(o.machine.machine.find("accel"), nullptr);
}

TEST(Options, SmpForms) {
  EXPECT_EQ(parse({"-smp", "cpus=8"}).machine.harts, 8u);
  EXPECT_EQ(parse({"-smp", "sockets=2,cores=2"}).machine.harts, 4u);
  EXPECT_EQ(parse({"-smp", "2,maxcpus=2"}).machine.harts, 2u);
  EXPECT_NE(refusal({"-smp", "0"}).find("1 to 512"), std::string::npos);
  EXPECT_NE(refusal({"-smp", "4,cores=3"}).find("product"), std::string::npos);
  EXPECT_NE(refusal({"-smp", "2,maxcpus=4"}).find("not supported yet"), std::string::npos);
  EXPECT_NE(refusal({"-smp", "dies=2"}).find("dies= is not supported yet"), std::string::npos);
  EXPECT_EQ(parse({"-smp", "2,dies=1,clusters=1"}).machine.harts, 2u);
}

TEST(Options, MemoryBounds) {
  EXPECT_EQ(parse({"-m", "size=1G"}).machine.ram_bytes, 1ull << 30);
  EXPECT_EQ(parse({"-m", "16"}).machine.ram_bytes, 16ull << 20);
  EXPECT_NE(refusal({"-m", "1"}).find("16M to 4T"), std::string::npos);
  EXPECT_NE(refusal({"-m", "5T"}).find("16M to 4T"), std::string::npos);
  EXPECT_NE(refusal({"-m", "1G,colour=red"}).find("has no property 'colour'"), std::string::npos);
}

TEST(Options, KnownButMissingIsRefusedByName) {
  EXPECT_TRUE(refusal({"-netdev", "vde,id=n"}).starts_with("-netdev vde is not supported yet"));
  EXPECT_EQ(refusal({"--plugin", "file=x"}), "-plugin is not supported yet");
  EXPECT_TRUE(refusal({"-object", "memory-backend-epc,id=m"})
                  .starts_with("-object memory-backend-epc is not supported yet: there are filter-dump, "));
  EXPECT_NE(refusal({"-display", "gtk"}).find("-display gtk is not supported yet"), std::string::npos);
  EXPECT_NE(refusal({"-accel", "tcg,one-insn-per-tb=on"}).find("one-insn-per-tb=on is not supported yet"),
            std::string::npos);
  EXPECT_EQ(refusal({"-writeconfig", "x"}), "-writeconfig is not supported yet");
  EXPECT_TRUE(
      refusal({"-chardev", "parport,id=c"})
          .starts_with("-chardev: the character back end 'parport' is not supported yet: use stdio,"));
}

TEST(Options, UnknownIsNamed) {
  EXPECT_NE(refusal({"-frobnicate"}).find("-frobnicate: unknown option"), std::string::npos);
  EXPECT_NE(refusal({""}).find("unexpected argument"), std::string::npos);
  EXPECT_NE(refusal({"-machine", "pc"}).find("unknown board 'pc'"), std::string::npos);
  EXPECT_NE(refusal({"-accel", "frobnicator"}).find("unknown accelerator 'frobnicator'"), std::string::npos);
  EXPECT_NE(refusal({"-kernel"}).find("argument is missing"), std::string::npos);
  EXPECT_NE(refusal({"-", "x"}).find("unexpected"), std::string::npos);
}

TEST(Options, EveryMessageIsOneLine) {
  for (const Words& words :
       {Words{"-m", "1"}, Words{"-drive", "a"}, Words{"-nope"}, Words{"-chardev", "socket"}}) {
    const std::string text = refusal(words);
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_FALSE(text.empty());
  }
}

TEST(Options, HelpFitsAndListsEveryGroup) {
  const std::string help = parse({"--help"}).output;
  EXPECT_EQ(parse({"-h"}).output, help);
  std::istringstream lines(help);
  std::string line;
  while (std::getline(lines, line)) EXPECT_LE(line.size(), 100u) << line;
  for (const char* const word : {"-M, -machine", "-kernel", "-drive", "-nographic", "-no-reboot", "-version"})
    EXPECT_NE(help.find(word), std::string::npos) << word;
  EXPECT_EQ(help.find("vnc"), std::string::npos) << "what is missing is not advertised";
}

TEST(Options, TextsThatAreAskedFor) {
  EXPECT_TRUE(parse({"-version"}).output.starts_with("gstage version "));
  EXPECT_NE(parse({"-machine", "help"}).output.find("virt"), std::string::npos);
  EXPECT_NE(parse({"-d", "help"}).output.find("guest_errors"), std::string::npos);
  EXPECT_NE(parse({"-device", "help"}).output, "");
  EXPECT_NE(parse({"-cpu", "help"}).output, "");
  EXPECT_NE(parse({"-accel", "help"}).output.find("interp"), std::string::npos);
}

TEST(Options, TheFirstAcceleratorThatIsThereRuns) {
  const std::pair<Words, Accel> rows[] = {
      {{"-M", "virt,accel=kvm:tcg"}, Accel::kJit},
      {{"-M", "virt,accel=hvf:interp:tcg"}, Accel::kInterp},
      {{"-accel", "kvm", "-accel", "tcg"}, Accel::kJit},
      {{"-accel", "kvm,kernel-irqchip=split", "-accel", "interp", "-accel", "tcg"}, Accel::kInterp},
      {{"-accel", "interp:tcg"}, Accel::kInterp},
  };
  for (const auto& [words, accel] : rows) EXPECT_EQ(parse(words).machine.engine.accel, accel) << words.back();
  const Options o = parse({"-accel", "tcg,tb-size=64", "-accel", "interp,tb-size=8"});
  EXPECT_EQ(o.machine.engine.accel, Accel::kJit);
  EXPECT_EQ(o.machine.engine.buffer_bytes, 64ull << 20) << "what does not run has no say";
  parse({"-accel", "tcg,thread=single", "-accel", "tcg,thread=multi,split-wx=on,one-insn-per-tb=off"});
  EXPECT_EQ(refusal({"-accel", "kvm", "-accel", "hvf"}),
            "-accel: hvf is not supported yet: use tcg (jit is the same) or interp");
  EXPECT_NE(refusal({"-M", "virt,accel=tcg:frobnicator"}).find("'frobnicator'"), std::string::npos);
}

TEST(Options, RefusalsOfWhatHasNoChoiceNameTheOption) {
  const std::pair<const char*, const char*> rows[] = {
      {"-vga", "std"}, {"-parallel", "stdio"}, {"-display", "gtk"}};
  for (const auto& [option, value] : rows) {
    const std::string text = refusal({option, value});
    EXPECT_TRUE(text.starts_with(std::string(option) + " " + value + " is not supported yet: use ")) << text;
    parse({option, "none"});
  }
}

TEST(Options, HelpOfEveryOptionThatHasProperties) {
  const std::pair<Words, const char*> rows[] = {
      {{"-M", "help"}, "virt"},
      {{"-machine", "?"}, "virt"},
      {{"-M", "virt,help"}, "kernel=FILE"},
      {{"-cpu", "help"}, "rva23s64"},
      {{"-cpu", "rv64,help"}, "svpbmt"},
      {{"-cpu", "max,h=off,?"}, "svpbmt"},
      {{"-smp", "help"}, "sockets=N"},
      {{"-m", "help"}, "size="},
      {{"-accel", "help"}, "interp"},
      {{"-accel", "tcg,help"}, "tb-size=MIB"},
      {{"-drive", "help"}, "file=FILE"},
      {{"-device", "help"}, "virtio-blk-device"},
      {{"-device", "virtio-blk-device,help"}, "queue-size=N"},
      {{"-device", "loader,help"}, "force-raw=on|off"},
      {{"-object", "help"}, "rng-builtin"},
      {{"-object", "rng-random,help"}, "filename=FILE"},
      {{"-global", "help"}, "force-legacy"},
      {{"-chardev", "help"}, "pty"},
      {{"-chardev", "stdio,help"}, "signal=on|off"},
      {{"-chardev", "socket,help"}, "reconnect-ms=N"},
      {{"-serial", "help"}, "mon:BACKEND"},
      {{"-monitor", "help"}, "tcp:HOST:PORT"},
      {{"-mon", "help"}, "mode=readline"},
      {{"-rtc", "help"}, "base=utc|localtime|DATE"},
      {{"-name", "help"}, "process=TEXT"},
      {{"-boot", "help"}, "order=LETTERS"},
      {{"-fw_cfg", "help"}, "string=TEXT"},
      {{"-L", "help"}, "/usr/share/qemu"},
      {{"-d", "help"}, "guest_errors"},
      {{"-vga", "help"}, "none"},
      {{"-netdev", "help"}, "user"},
      {{"-netdev", "user,help"}, "hostfwd="},
      {{"-nic", "help"}, "model="},
      {{"-net", "help"}, "model="},
      {{"-display", "help"}, "none"},
  };
  for (const auto& [words, part] : rows) {
    const std::string text = parse(words).output;
    EXPECT_NE(text.find(part), std::string::npos) << words[0] << " " << words[1] << ": " << text;
    std::istringstream lines(text);
    std::string line;
    while (std::getline(lines, line)) EXPECT_LE(line.size(), 110u) << line;
  }
}

TEST(Options, BoardsTakeTheKernelAsProperties) {
  const Options o = parse({"-M", "virt,kernel=k,initrd=i,append=a b,dtb=d,firmware=f"});
  EXPECT_EQ(o.machine.kernel + o.machine.initrd + o.machine.append + o.machine.dtb + o.machine.bios,
            "kia bdf");
  EXPECT_TRUE(o.machine.machine.properties.empty());
}

TEST(Options, Objects) {
  const Options o = parse({"-object", "rng-builtin,id=r", "-object", "rng-random,id=s,filename=f"});
  ASSERT_EQ(o.machine.objects.size(), 2u);
  EXPECT_EQ(o.machine.objects[0].driver, "rng-builtin");
  EXPECT_EQ(refusal({"-object", "rng-builtin"}), "-object rng-builtin has no id: add id=NAME");
  EXPECT_NE(refusal({"-object", "rng-builtin,id=r,filename=f"}).find("no property 'filename'"),
            std::string::npos);
}

TEST(Options, GlobalAndRtcWhereTheyChangeNothing) {
  parse({"-global", "virtio-mmio.force-legacy=false", "-rtc", "base=utc,clock=host", "-name", "x", "-vga",
         "none"});
  EXPECT_NE(refusal({"-global", "virtio-mmio.force-legacy=true"}).find("legacy interface"),
            std::string::npos);
  const Options globals = parse({"-global", "virtio-rng-device.packed=on", "-global",
                                 "driver=virtio-blk-device,property=serial,value=a.b=c"});
  ASSERT_EQ(globals.machine.globals.size(), 2u);
  EXPECT_EQ(globals.machine.globals[0].driver, "virtio-rng-device");
  EXPECT_EQ(*globals.machine.globals[0].find("packed"), "on");
  EXPECT_EQ(*globals.machine.globals[1].find("serial"), "a.b=c");
  EXPECT_NE(refusal({"-global", "frobnicator.x=1"}).find("no such driver"), std::string::npos);
  EXPECT_NE(refusal({"-global", "virtio-rng-device.frob=1"}).find("no property 'frob'"), std::string::npos);
  EXPECT_NE(refusal({"-global", "nonsense"}).find("DRIVER.PROP=VALUE"), std::string::npos);
  EXPECT_NE(refusal({"-rtc", "base=later"}).find("base=later"), std::string::npos);
}

/// Serial ports and monitors after the defaults, as "serial,serial|monitor".
std::string consoles(const Words& words) {
  Options o = parse(words);
  add_default_consoles(o);
  std::string text;
  for (const auto& s : o.serials) text += (text.empty() ? "" : ",") + s;
  text += "|";
  for (const auto& m : o.monitors) text += m;
  return text;
}

TEST(Consoles, Defaults) {
  EXPECT_EQ(consoles({}), "mon:stdio|");
  EXPECT_EQ(consoles({"-nographic"}), "mon:stdio|");
  EXPECT_EQ(consoles({"-nographic", "-serial", "mon:stdio"}), "mon:stdio|");
  EXPECT_EQ(consoles({"-nographic", "-serial", "stdio"}), "stdio|");
  EXPECT_EQ(consoles({"-nographic", "-serial", "null"}), "null|stdio");
  EXPECT_EQ(consoles({"-nographic", "-monitor", "none"}), "stdio|none");
  EXPECT_EQ(consoles({"-nographic", "-monitor", "stdio"}), "null|stdio");
  EXPECT_EQ(consoles({"-monitor", "null", "-display", "none", "-serial", "mon:stdio"}), "mon:stdio|null");
  EXPECT_EQ(consoles({"-display", "none"}), "null|");
  EXPECT_EQ(consoles({"-nodefaults"}), "|");
  EXPECT_EQ(consoles({"-nodefaults", "-nographic", "-serial", "mon:stdio"}), "mon:stdio|");
  EXPECT_EQ(consoles({"-nographic", "-chardev", "stdio,id=c,mux=on", "-serial", "chardev:c", "-mon", "c"}),
            "chardev:c|chardev:c");
}

TEST(Consoles, ChardevForms) {
  const Options o = parse({"-chardev", "stdio,id=a,mux=on,signal=off", "-chardev", "file,id=b,path=x",
                           "-chardev", "pty,id=c", "-chardev", "stdio,id=d,signal=off"});
  ASSERT_EQ(o.chardevs.size(), 4u);
  EXPECT_EQ(o.chardevs[0].backend.driver, "stdio");
  EXPECT_EQ(*o.chardevs[1].backend.find("path"), "x");
  EXPECT_EQ(o.chardevs[2].id, "c");
  EXPECT_EQ(*o.chardevs[3].backend.find("signal"), "off");
  EXPECT_NE(refusal({"-chardev", "pty"}).find("id="), std::string::npos);
  EXPECT_NE(refusal({"-chardev", "stdio,id=a,logtimestamp=on"}).find("logtimestamp= is not supported yet"),
            std::string::npos);
}

TEST(Consoles, ChardevsAreSharedOnlyWhenMultiplexed) {
  MachineRequests requests;
  Options o = parse({"-nodefaults", "-chardev", "null,id=n", "-serial", "chardev:n", "-serial", "chardev:n"});
  const auto twice = open_consoles(o, requests);
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("mux=on"), std::string::npos);
  o = parse({"-nodefaults", "-chardev", "null,id=n,mux=on", "-serial", "chardev:n", "-mon", "n"});
  const auto monitors = open_consoles(o, requests);
  ASSERT_TRUE(monitors.ok());
  EXPECT_EQ(o.machine.serials.size(), 1u);
  EXPECT_TRUE(o.machine.chardevs.contains("n")) << "a device may use it too";
  o = parse({"-serial", "chardev:missing"});
  EXPECT_NE(open_consoles(o, requests).error().message.find("'missing'"), std::string::npos);
}

/// "driver,name=value,…" of a device or network.
std::string line_of(const DeviceOptions& device) {
  std::string text = device.driver;
  for (const Property& property : device.properties) text += "," + property.name + "=" + property.value;
  return text;
}

TEST(NetworkOptions, NicIsANetdevAndItsDevice) {
  const Options o = parse(
      {"-device", "virtio-rng-device", "-nic", "user,model=virtio,mac=52:54:00:00:00:01,hostfwd=tcp::1-:2"});
  ASSERT_EQ(o.netdevs.size(), 1u);
  EXPECT_EQ(line_of(o.netdevs[0]), "user,hostfwd=tcp::1-:2,id=nic0");
  ASSERT_EQ(o.machine.devices.size(), 2u);
  EXPECT_EQ(line_of(o.machine.devices[0]), "virtio-net-pci,mac=52:54:00:00:00:01,netdev=nic0");
  EXPECT_TRUE(parse({"-nic", "none"}).netdevs.empty());
}

TEST(NetworkOptions, NetsOneNetworkGoesToItsOneNic) {
  const Options o =
      parse({"-net", "nic,model=virtio,macaddr=52:54:00:12:34:58", "-net", "user,hostfwd=tcp::1-:2"});
  ASSERT_EQ(o.machine.devices.size(), 1u);
  EXPECT_EQ(line_of(o.machine.devices[0]), "virtio-net-pci,mac=52:54:00:12:34:58,netdev=net0");
  ASSERT_EQ(o.netdevs.size(), 1u);
  EXPECT_EQ(line_of(o.netdevs[0]), "user,hostfwd=tcp::1-:2,id=net0");
  EXPECT_TRUE(parse({"-net", "none"}).machine.devices.empty());
}

TEST(NetworkOptions, MoreThanOneWireOfNetIsAHub) {
  const Options o = parse({"-net", "user", "-net", "nic", "-net", "nic,netdev=x", "-net", "nic"});
  ASSERT_EQ(o.machine.devices.size(), 3u);
  EXPECT_EQ(line_of(o.machine.devices[0]), "virtio-net-pci,netdev=hub0port0");
  EXPECT_EQ(line_of(o.machine.devices[1]), "virtio-net-pci,netdev=x");
  EXPECT_EQ(line_of(o.machine.devices[2]), "virtio-net-pci,netdev=hub0port1");
  ASSERT_EQ(o.netdevs.size(), 4u);
  EXPECT_EQ(line_of(o.netdevs[1]), "hubport,hubid=0,netdev=net0,id=hub0net0");
}

TEST(NetworkOptions, RefusalsNameWhatIsWrong) {
  const std::pair<Words, const char*> rows[] = {
      {{"-netdev", "user"}, "has no id"},
      {{"-netdev", "frob,id=n"}, "there is no network 'frob'"},
      {{"-netdev", "user,id=n,smb=x"}, "smb= is not supported yet"},
      {{"-netdev", "user,id=n,foo=x"}, "no property 'foo'"},
      {{"-netdev", "l2tpv3,id=n"}, "l2tpv3 is not supported yet"},
      {{"-nic", "user,foo=x"}, "no property 'foo'"},
      {{"-nic", "passt"}, "passt is not supported yet"},
      {{"-net", "nic,foo=x"}, "no property 'foo'"},
  };
  for (const auto& [words, part] : rows)
    EXPECT_NE(refusal(words).find(part), std::string::npos) << refusal(words);
}

TEST(ShareOptions, AFolderIsSharedByItsId) {
  const Options o =
      parse({"-fsdev", "local,id=f,path=/a,,b,security_model=mapped-file,fmode=0640,dmode=750"});
  ASSERT_EQ(o.machine.shares.size(), 1u);
  EXPECT_EQ(o.machine.shares[0].id, "f");
  EXPECT_EQ(o.machine.shares[0].path, "/a,b");
  EXPECT_EQ(o.machine.shares[0].model, ninep::SecurityModel::kMappedFile);
  EXPECT_EQ(o.machine.shares[0].file_mode, 0640u);
  EXPECT_EQ(o.machine.shares[0].directory_mode, 0750u);
  EXPECT_FALSE(o.machine.shares[0].is_read_only);
  EXPECT_TRUE(o.machine.devices.empty());
}

TEST(ShareOptions, VirtfsIsTheFolderAndItsDevice) {
  const Options o = parse({"-virtfs", "local,path=/a,mount_tag=rootfs,security_model=none,id=x", "-virtfs",
                           "local,path=/b,mount_tag=tag,security_model=none,readonly"});
  ASSERT_EQ(o.machine.devices.size(), 2u);
  EXPECT_EQ(line_of(o.machine.devices[0]), "virtio-9p-pci,fsdev=x,mount_tag=rootfs");
  EXPECT_EQ(line_of(o.machine.devices[1]), "virtio-9p-pci,fsdev=tag,mount_tag=tag");
  EXPECT_TRUE(o.machine.shares[1].is_read_only);
}

TEST(ShareOptions, TheSandboxLeavesWhatTheFolderNeeds) {
  EXPECT_FALSE(parse({}).sandbox.networks.has(SandboxUser::kShare));
  const Options written = parse({"-virtfs", "local,path=/a,mount_tag=t,security_model=none"});
  EXPECT_TRUE(written.sandbox.networks.has(SandboxUser::kShare));
  EXPECT_TRUE(written.sandbox.networks.has(SandboxUser::kShareWrite));
  EXPECT_EQ(written.sandbox.shares, std::vector<std::string>{"/a"});
  EXPECT_FALSE(written.sandbox.keeps_file_capabilities);
  const Options read = parse({"-virtfs", "local,path=/a,mount_tag=t,security_model=passthrough,readonly=on"});
  EXPECT_FALSE(read.sandbox.networks.has(SandboxUser::kShareWrite));
  EXPECT_EQ(read.sandbox.readable, std::vector<std::string>{"/a"});
  EXPECT_TRUE(read.sandbox.shares.empty());
  EXPECT_TRUE(
      parse({"-fsdev", "local,id=t,path=/a,security_model=passthrough"}).sandbox.keeps_file_capabilities);
}

TEST(ShareOptions, RefusalsNameWhatIsWrong) {
  const std::pair<Words, const char*> rows[] = {
      {{"-fsdev", "local,path=/a,security_model=none"}, "no id"},
      {{"-fsdev", "local,id=f,security_model=none"}, "path=FOLDER"},
      {{"-fsdev", "local,id=f,path=/a"}, "security_model=none"},
      {{"-fsdev", "local,id=f,path=/a,security_model=some"}, "security_model=some"},
      {{"-fsdev", "synth,id=f"}, "-fsdev synth is not supported yet"},
      {{"-fsdev", "local,id=f,path=/a,security_model=none,fmode=888"}, "fmode=888"},
      {{"-fsdev", "local,id=f,path=/a,security_model=none,foo=1"}, "no property 'foo'"},
      {{"-fsdev", "local,id=f,path=/a,security_model=none", "-fsdev",
        "local,id=f,path=/b,security_model=none"},
       "given twice"},
      {{"-virtfs", "local,path=/a,security_model=none"}, "mount_tag=TAG"},
  };
  for (const auto& [words, part] : rows)
    EXPECT_NE(refusal(words).find(part), std::string::npos) << refusal(words);
}

}  // namespace
}  // namespace gstage
