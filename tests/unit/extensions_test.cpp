// SPDX-License-Identifier: Apache-2.0
// -cpu: what is accepted, refused, and what the guest is told.
#include "target/riscv/extensions.h"

#include <string>

#include <gtest/gtest.h>

namespace gstage::riscv {
namespace {

/// "rv64,d=off" as the option parser would hand it over.
DeviceOptions cpu(const std::string& text) {
  DeviceOptions options;
  std::size_t at = text.find(',');
  options.driver = text.substr(0, at);
  while (at != std::string::npos) {
    const std::size_t end = text.find(',', at + 1);
    const std::string part = text.substr(at + 1, end == std::string::npos ? end : end - at - 1);
    const std::size_t equals = part.find('=');
    options.properties.push_back(
        {part.substr(0, equals), equals == std::string::npos ? "on" : part.substr(equals + 1)});
    at = end;
  }
  return options;
}

CpuConfig parsed(const std::string& text) {
  Result<CpuConfig> config = parse_cpu(cpu(text));
  EXPECT_TRUE(config.ok()) << text << ": " << (config.ok() ? "" : config.error().message);
  return config.ok() ? *config : CpuConfig{};
}

std::string refusal(const std::string& text) {
  const Result<CpuConfig> config = parse_cpu(cpu(text));
  EXPECT_FALSE(config.ok()) << text;
  return config.ok() ? "" : config.error().message;
}

TEST(ExtensionsTest, ModelsHaveTheirExtensions) {
  EXPECT_EQ(isa_string(parsed("rv64")), isa_string(CpuConfig{}));
  EXPECT_EQ(isa_string(parsed("max")), isa_string(max_config()));
  for (const char* const model : {"rv64", "max"}) EXPECT_EQ(mmu_type(parsed(model)), "riscv,sv57");
  EXPECT_FALSE(parsed("rv64").zicond);
  EXPECT_TRUE(parsed("max").zicond && parsed("rv64,zicond=on").zicond);
  EXPECT_FALSE(parsed("max,zicond=off").zicond);
}

TEST(ExtensionsTest, IsaStringShowsLettersThenNames) {
  const std::string isa = isa_string(parsed("rv64"));
  EXPECT_EQ(isa.rfind("rv64imafdch_zic", 0), 0u) << isa;
  EXPECT_NE(isa.find("_sstc"), std::string::npos);
  EXPECT_EQ(isa.find("sv57"), std::string::npos) << isa;
  EXPECT_EQ(isa_string(parsed("rv64,h=off,d=off")).rfind("rv64imafc_", 0), 0u);
  const auto names = isa_extension_names(parsed("rv64,sstc=off"));
  EXPECT_EQ(names.front(), "i");
  for (const std::string& name : names) {
    EXPECT_FALSE(name.empty());
    EXPECT_NE(name, "sstc");
  }
}

TEST(ExtensionsTest, ProfilesHaveTheirMandatoryExtensionsAndWhatQemuAdds) {
  EXPECT_EQ(isa_string(parsed("rva22s64")),
            "rv64imafdcb_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicntr_zicsr_zifencei_"
            "zihintpause_zihpm_zmmul_za64rs_zaamo_zalrsc_zfhmin_zca_zcd_zba_zbb_zbs_zkt_sdtrig_ssccptr_"
            "sscounterenw_ssstrict_sstvala_sstvecd_ssu64xl_svade_svinval_svpbmt");
  EXPECT_EQ(mmu_type(parsed("rva22s64")), "riscv,sv39");
  EXPECT_EQ(
      isa_string(parsed("rva23s64")),
      "rv64imafdcbh_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicond_zicntr_zicsr_"
      "zifencei_zihintntl_zihintpause_zihpm_zimop_zmmul_za64rs_zaamo_zalrsc_zawrs_zfa_zfhmin_zca_zcb_zcd_"
      "zcmop_zba_zbb_zbs_zkt_sdtrig_shcounterenw_sha_shgatpa_shtvala_shvsatpa_shvstvala_shvstvecd_smnpm_"
      "smstateen_ssccptr_sscofpmf_sscounterenw_ssnpm_ssstateen_ssstrict_sstc_sstvala_sstvecd_ssu64xl_supm_"
      "svade_svinval_svnapot_svpbmt");
  EXPECT_TRUE(parsed("rva22s64,h=on").h);
  for (const char* const model : {"rva22s64", "rva23s64"}) {
    EXPECT_FALSE(parsed(model).pmp) << model;
    EXPECT_TRUE(parsed(std::string(model) + ",pmp=on").pmp);
  }
}

TEST(ExtensionsTest, Rv64IsThatOfQemu) {
  EXPECT_EQ(isa_string(parsed("rv64")),
            "rv64imafdch_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicntr_zicsr_zifencei_"
            "zihintntl_zihintpause_zihpm_zmmul_za64rs_zaamo_zalrsc_zawrs_zfa_zca_zcd_zba_zbb_zbc_zbs_sdtrig_"
            "shcounterenw_shgatpa_shtvala_shvsatpa_shvstvala_shvstvecd_ssccptr_sscounterenw_ssstrict_sstc_"
            "sstvala_sstvecd_ssu64xl_svadu_svvptc");
}

TEST(ExtensionsTest, MaxUpdatesAAndDWhereNobodySaysOtherwise) {
  EXPECT_TRUE(parsed("max").svadu);
  EXPECT_FALSE(parsed("max").svade) << "with it menvcfg.ADUE would be clear at reset";
  EXPECT_FALSE(parsed("max").sdtrig_guard);
}

TEST(ExtensionsTest, ShaIsNamedWhereAllOfItIsThere) {
  EXPECT_TRUE(parsed("rv64,smstateen=on").sha);
  EXPECT_FALSE(parsed("rv64").sha) << "no state enables";
  EXPECT_FALSE(parsed("rv64,smstateen=on,shtvala=off").sha);
  EXPECT_FALSE(parsed("rv64,smstateen=on,sha=off").sha);
}

TEST(ExtensionsTest, ShortIsaStringsHaveTheLettersAlone) {
  EXPECT_EQ(isa_string(parsed("rv64,short-isa-string=on")), "rv64imafdch");
  EXPECT_GT(isa_extension_names(parsed("rv64,short-isa-string=on")).size(), 20u) << "of the string alone";
}

TEST(ExtensionsTest, IdentitiesAreNumbers) {
  const CpuConfig config = parsed("rv64,mvendorid=0x489,marchid=0x8000000000000001,mimpid=3");
  EXPECT_EQ(config.mvendorid, 0x489u);
  EXPECT_EQ(config.marchid, 0x8000000000000001u);
  EXPECT_EQ(config.mimpid, 3u);
  EXPECT_NE(refusal("rv64,mvendorid=0x100000000").find("-cpu mvendorid"), std::string::npos) << "32 bits";
  EXPECT_NE(refusal("rv64,marchid=some").find("'some'"), std::string::npos);
}

TEST(ExtensionsTest, MaxLeavesOutWhatOldFirmwareDiesOf) {
  const CpuConfig max = parsed("max");
  EXPECT_FALSE(max.smdbltrp || max.smrnmi);
  EXPECT_TRUE(max.ssdbltrp && max.smmpm && max.smnpm && max.ssnpm && max.sspm && max.supm && max.sdtrig);
  const CpuConfig rv64 = parsed("rv64");
  EXPECT_FALSE(rv64.ssdbltrp || rv64.smmpm || rv64.smnpm || rv64.ssnpm);
  EXPECT_TRUE(rv64.sdtrig);
  EXPECT_FALSE(parsed("max,ssnpm=off").supm);
  EXPECT_NE(refusal("rv64,sspm=on").find("sspm=on needs smnpm"), std::string::npos);
}

TEST(ExtensionsTest, AddressesOfTheHandlersOfNonMaskableInterrupts) {
  const CpuConfig config = parsed("rv64,smrnmi=on,rnmi-interrupt-vector=0x1000,rnmi-exception-vector=8192");
  EXPECT_EQ(config.rnmi_vector, 0x1000u);
  EXPECT_EQ(config.rnmi_exception_vector, 8192u);
  EXPECT_EQ(parsed("rv64").rnmi_vector, 0u);
  for (const char* const bad : {"", "here", "0x1001", "0x1000 "})
    EXPECT_NE(refusal(std::string("rv64,rnmi-interrupt-vector=") + bad).find("multiple of 4"),
              std::string::npos)
        << bad;
}

TEST(ExtensionsTest, BooleansInTheirSpellings) {
  for (const char* const off : {"h=off", "h=false", "h=no", "x-h=false"})
    EXPECT_FALSE(parsed(std::string("rv64,") + off).h);
  for (const char* const on : {"h", "h=on", "h=true", "x-h=true"})
    EXPECT_TRUE(parsed(std::string("rv64,") + on).h);
  EXPECT_NE(refusal("rv64,h=maybe").find("h=maybe"), std::string::npos);
}

TEST(ExtensionsTest, WhatLosesItsBaseGoesWithItUnlessAskedFor) {
  EXPECT_FALSE(parsed("rv64,f=off").d);
  EXPECT_FALSE(parsed("rv64,pmp=off").smepmp);
  const CpuConfig bare = parsed("rv64,mmu=off");
  EXPECT_FALSE(bare.sv39 || bare.sv48 || bare.sv57 || bare.h || bare.svadu);
  EXPECT_EQ(mmu_type(bare), "riscv,none");
  for (const char* const text : {"rv64,f=off,d=on", "rv64,d=on,f=off", "rv64,mmu=off,h=on",
                                 "rv64,pmp=off,smepmp=on", "rv64,sv39=off,sv48=on", "rv64,sv39=off,h=on"})
    EXPECT_NE(refusal(text).find("needs"), std::string::npos) << text;
  EXPECT_FALSE(parsed("rv64,sv39=off").mmu);
}

TEST(ExtensionsTest, AGroupBringsItsParts) {
  const CpuConfig all = parsed("rv64,zk=on,zks=on,zfh=on,b=on");
  EXPECT_TRUE(all.zkn && all.zkr && all.zkt && all.zknd && all.zkne && all.zknh && all.zksed && all.zksh);
  EXPECT_TRUE(all.zbkb && all.zbkc && all.zbkx && all.zfhmin && all.zba && all.zbb && all.zbs);
  EXPECT_FALSE(parsed("rv64,zks=on").zkr);
  for (const char* const text : {"rv64,zk=on,zknd=off", "rv64,zkn=on,zbkb=off", "rv64,zfh=on,zfhmin=off",
                                 "rv64,b=on,zbs=off", "rv64,c=on,zcd=off"})
    EXPECT_NE(refusal(text).find("needs"), std::string::npos) << text;
  const CpuConfig some = parsed("max,zkne=off");
  EXPECT_FALSE(some.zkne || some.zkn || some.zk);
  EXPECT_TRUE(some.zknd && some.zkr && some.zks);
  EXPECT_FALSE(parsed("max,zba=off").b);
  EXPECT_FALSE(parsed("max,f=off").zfa);
}

TEST(ExtensionsTest, PartsOfALetterGoWithItUnlessAskedFor) {
  EXPECT_FALSE(parsed("rv64,a=off").zaamo || parsed("rv64,a=off").zalrsc || parsed("rv64,m=off").zmmul);
  EXPECT_FALSE(parsed("rv64,c=off").zca || parsed("rv64,c=off").zcd);
  const CpuConfig config = parsed("rv64,a=off,zaamo=on,m=off,zmmul=on,c=off,zca=on,zacas=on");
  EXPECT_TRUE(config.zaamo && config.zmmul && config.zca && config.zacas);
  EXPECT_FALSE(config.a || config.zalrsc || config.m || config.c || config.zcd || config.zawrs);
  EXPECT_FALSE(parsed("rv64,zalrsc=off").a || parsed("rv64,zmmul=off").m || parsed("rv64,zcd=off").c);
  EXPECT_TRUE(parsed("rv64,d=off").c && parsed("rv64,d=off").zca);
  EXPECT_FALSE(parsed("rv64,d=off").zcd);
  EXPECT_NE(refusal("rv64,a=off,zacas=on").find("zaamo"), std::string::npos);
}

TEST(ExtensionsTest, NamesStandInTheirOrder) {
  const std::string isa = isa_string(parsed("max"));
  EXPECT_EQ(isa.rfind("rv64imafdcbh_", 0), 0u) << isa;
  for (const char* const part :
       {"_zmmul_za64rs_zaamo_zabha_zacas_zalrsc_zawrs_zfa_zfh_zfhmin_zca_zcb_zcd_zcmop_zba_",
        "_zbs_zk_zkn_zknd_zkne_zknh_zkr_zks_zksed_zksh_zkt_"})
    EXPECT_NE(isa.find(part), std::string::npos) << isa;
}

TEST(ExtensionsTest, TheLargestModeNamedIsTheLargestThereIs) {
  EXPECT_EQ(mmu_type(parsed("rv64,sv39=on")), "riscv,sv39");
  EXPECT_EQ(mmu_type(parsed("rv64,sv48=on")), "riscv,sv48");
  EXPECT_EQ(mmu_type(parsed("rv64,sv39=on,sv48=on")), "riscv,sv48");
  EXPECT_EQ(mmu_type(parsed("rv64,sv57=off")), "riscv,sv48");
  EXPECT_EQ(mmu_type(parsed("rv64,sv48=off")), "riscv,sv39");
  const CpuConfig config = parsed("rv64,sv48=on");
  EXPECT_TRUE(config.sv39 && config.sv48);
  EXPECT_FALSE(config.sv57);
}

TEST(ExtensionsTest, PropertiesThatChangeNothing) {
  for (const char* const text :
       {"rv64,priv_spec=v1.12.0", "rv64,priv_spec=v1.13.0", "rv64,pmu-mask=0x7fff8", "rv64,v=off",
        "rv64,svpbmt=false", "rv64,zacas=off", "rv64,ztso=off", "rv64,g=on", "rv64,s=true", "rv64,u=on",
        "rv64,cbom_blocksize=64", "rv64,num-pmp-regions=16"})
    EXPECT_EQ(isa_string(parsed(text)), isa_string(CpuConfig{})) << text;
}

TEST(ExtensionsTest, LevelsOfOneExtensionComeTogether) {
  EXPECT_TRUE(parsed("rv64,smstateen=on").ssstateen);
  EXPECT_TRUE(parsed("rv64,ssccfg=on").smcdeleg && parsed("rv64,ssccfg=on").smcsrind);
  const CpuConfig without = parsed("max,smcsrind=off");
  EXPECT_FALSE(without.smcsrind || without.sscsrind || without.smcdeleg || without.ssccfg);
  EXPECT_NE(refusal("rv64,smcdeleg=on,ssccfg=off").find("smcdeleg=on needs"), std::string::npos);
  EXPECT_NE(refusal("rv64,shlcofideleg=on").find("needs sscofpmf"), std::string::npos);
}

TEST(ExtensionsTest, RefusalsNameTheCulprit) {
  EXPECT_NE(refusal("rv32").find("-cpu rv32 is not supported yet"), std::string::npos);
  EXPECT_NE(refusal("frobnicator").find("there is no model 'frobnicator'"), std::string::npos);
  EXPECT_NE(refusal("rv64,num-pmp-regions=8").find("num-pmp-regions=8 is not supported yet"),
            std::string::npos);
  EXPECT_NE(refusal("rv64,s=off").find("s=off is not supported yet"), std::string::npos);
  EXPECT_NE(refusal("rv64,frobnicate=on").find("frobnicate"), std::string::npos);
  EXPECT_NE(refusal("rv64,v=on").find("v is not supported yet"), std::string::npos);
  EXPECT_NE(refusal("rv64,ztso=true").find("ztso is not supported yet"), std::string::npos);
  EXPECT_NE(refusal("rv64,svpbmt=on,mmu=off").find("svpbmt=on needs"), std::string::npos);
  EXPECT_NE(refusal("rv64,vlen=256").find("vlen"), std::string::npos);
  EXPECT_NE(refusal("rv64,priv_spec=v1.10.0").find("v1.10.0"), std::string::npos);
  EXPECT_NE(refusal("rv64,pmu-mask=many").find("many"), std::string::npos);
  EXPECT_NE(refusal("rv64,i=off").find("i=off"), std::string::npos);
  EXPECT_NE(refusal("rv64,zicsr=off").find("zicsr=off"), std::string::npos);
}

TEST(ExtensionsTest, HelpListsEveryProperty) {
  const std::string help = *cpu_help("");
#define EXTENSION(member, property, isa_name, on, text) \
  EXPECT_NE(help.find(std::string("  ") + (property)), std::string::npos) << (property);
#include "target/riscv/extensions.inc"
#undef EXTENSION
  EXPECT_NE(help.find("rv64"), std::string::npos);
}

TEST(ExtensionsTest, HelpOfAModelHasItsDefaults) {
  const auto row = [](const char* model, const char* property) {
    const std::string help = *cpu_help(model);
    const std::size_t at = help.find(std::string("\n  ") + property + " ") + 1;
    return help.substr(at, help.find('\n', at) - at);
  };
  EXPECT_NE(row("rva22s64", "svade").find("default: on"), std::string::npos) << row("rva22s64", "svade");
  EXPECT_NE(row("rv64", "svade").find("default: off"), std::string::npos);
  EXPECT_FALSE(cpu_help("frobnicator").ok());
}

}  // namespace
}  // namespace gstage::riscv
