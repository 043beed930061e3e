// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/cpu.h"

#include <cstddef>
#include <cstring>

#include "softmmu/base/format.h"
#include "softmmu/base/futex.h"
#include "softmmu/base/log.h"
#include "softmmu/base/trace.h"
#include "tcg/runtime/engine.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/debug/debugger.h"
#include "target/riscv/debug/hart_debug.h"
#include "target/riscv/guest.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"
#include "target/riscv/pmu/pmu.h"
#include "target/riscv/sanitize/fences.h"
#include "target/riscv/sanitize/icache.h"
#include "target/riscv/semihosting/semihosting.h"
#include "target/riscv/trace/exit_recorder.h"
#include "target/riscv/trap/trap.h"
#include "target/riscv/vary/variation.h"

namespace gstage::riscv {

namespace {

class HartCpu final : public RiscvCpu {
 public:
  HartCpu(unsigned index, const CpuSetup& setup, Debugger& debugger)
      : index_(index), setup_(setup), hart_(std::make_unique<Hart>()), debug_(debugger, index, *hart_) {
    hart_->config = &setup_.config;
    hart_->memory = setup_.memory;
    hart_->mmu = &mmu_;
    hart_->cpu = this;
    hart_->hartid = index;
    if (setup_.imsic.identities != 0) {
      imsic_ = std::make_unique<Imsic>(setup_.imsic, *hart_, *this);
      hart_->imsic = imsic_.get();
    }
    setup_.memory->code_pages().add_tlb(mmu_.tlb);
    // A deadline that passed shows in mip by comparison with the time; the timer only makes the hart look.
    const auto look = [this] { kick(kAttendTimer); };
    s_timer_ = setup_.timers->make(look);
    vs_timer_ = setup_.timers->make(look);
    nap_timer_ = setup_.timers->make(look);
    overflow_timer_ = setup_.timers->make(look);
    // Until the hart has looked again nothing is known of its timers: whoever asks compares with the time.
    setup_.time->on_set([this] {
      hart_->timers_due.store(0, std::memory_order_relaxed);
      kick(kAttendTimer);
    });
  }

  void set_engine(tcg::Engine& engine) { engine_ = &engine; }

  [[nodiscard]] unsigned index() const override { return index_; }
  CpuCore& core() override { return hart_->core; }
  Tlb& tlb() override { return mmu_.tlb; }
  Hart& hart() override { return *hart_; }
  [[nodiscard]] std::uint64_t time() const override { return setup_.time->now(); }
  [[nodiscard]] std::uint64_t uptime() const override { return setup_.time->uptime(); }

  void run() override {
    std::atomic<std::uint32_t>& attention = hart_->core.attention;
    if (debug_.is_used()) attention.fetch_or(kAttendDebug, std::memory_order_seq_cst);
    FenceSanitizer* const fences = hart_->fence_sanitizer;
    if (fences != nullptr || hart_->icache_sanitizer != nullptr) set_current_hart(hart_.get());
    for (;;) {
      const bool has_slept = hart_->is_waiting != 0;
      if (has_slept) sleep();
      const std::uint32_t wanted = attention.exchange(0, std::memory_order_seq_cst);
      if (has_slept && (wanted & kAttendTimer) == 0) note_due_timers(*hart_);
      if ((wanted & kAttendTimer) != 0) look_at_timers();
      if ((wanted & kAttendWatch) != 0) setup_.memory->look_at_watched();
      if (fences != nullptr) fences->begin_access(*hart_);
      if ((wanted & kAttendStop) != 0) return;
      if ((wanted & kAttendDebug) != 0) {
        if (debug_.attend(*engine_)) return;
        if (hart_->is_waiting != 0) continue;
      }
      take_interrupt(*hart_);
      engine_->run(hart_->core, mmu_.tlb);
    }
  }

  bool attend() override {
    constexpr std::uint32_t kBrief = kAttendInterrupt | kAttendTimer;
    std::atomic<std::uint32_t>& attention = hart_->core.attention;
    const bool is_brief = (attention.load(std::memory_order_acquire) & ~kBrief) == 0;
    if (!is_brief || hart_->is_waiting != 0) return false;
    const std::uint32_t wanted = attention.fetch_and(~kBrief, std::memory_order_seq_cst);
    if ((wanted & kAttendTimer) != 0) look_at_timers();
    take_interrupt(*hart_);
    return true;
  }

  void reset() override;

  void kick(std::uint32_t bits) override {
    if (bits != kAttendExclusive) hart_->is_napping.store(0, std::memory_order_seq_cst);
    hart_->core.attention.fetch_or(bits, std::memory_order_seq_cst);
    if (is_asleep_.load(std::memory_order_seq_cst)) futex_wake(hart_->core.attention);
  }

  void set_irq(unsigned mip_bit, bool is_high) override {
    const std::uint64_t bit = std::uint64_t{1} << mip_bit;
    const std::uint64_t before = is_high ? hart_->irq_lines.fetch_or(bit, std::memory_order_seq_cst)
                                         : hart_->irq_lines.fetch_and(~bit, std::memory_order_seq_cst);
    const bool was_high = (before & bit) != 0;
    if (was_high != is_high) trace(TraceEvent::hart_line, index_, mip_bit, is_high);
    const bool is_news = is_high && (!was_high || hart_->is_napping.load(std::memory_order_seq_cst) != 0);
    if (is_news) kick(kAttendInterrupt);
  }

  void update_timers() override {
    const std::uint64_t now = note_due_timers(*hart_);
    trace(TraceEvent::hart_timers, index_, hart_->hs.timecmp, hart_->vs.timecmp, now);
    const auto deadline = [&](std::uint64_t compare, std::uint64_t delta) {
      return setup_.time->deadline(now, ticks_to_change(now + delta, compare));
    };
    s_timer_->arm(has_stimecmp_interrupt(*hart_) ? deadline(hart_->hs.timecmp, 0) : Timer::kNever);
    vs_timer_->arm(has_vstimecmp_interrupt(*hart_) ? deadline(hart_->vs.timecmp, hart_->htimedelta)
                                                   : Timer::kNever);
    if (hart_->config->sscofpmf) arm_overflow_timer();
  }

  /// Any thread.
  void send_nmi() {
    hart_->is_nmi_pending.store(1, std::memory_order_seq_cst);
    kick(kAttendInterrupt);
  }

  void report_critical_error() override { setup_.control->request(MachineRequest::kPoweroff, 1); }

  [[nodiscard]] std::string describe() const override;

 private:
  /// One of the hart's timers has run out, or mtime was written. Timers only say that it may be time: clocked
  /// counters are compared.
  void look_at_timers() {
    trace(TraceEvent::hart_timer_fired, index_);
    if (hart_->config->sscofpmf) notice_overflows(*hart_);
    update_timers();
  }
  void arm_overflow_timer() {
    overflow_timer_->arm(setup_.time->deadline(time(), ticks_to_overflow(*hart_)));
  }

  /// wfi: until an interrupt is pending that mie enables (or, in a nap, somebody kicks the hart), or somebody
  /// wants something else of the hart.
  void sleep() {
    const bool is_nap = hart_->is_napping.load(std::memory_order_seq_cst) != 0;
    if (is_nap) nap_timer_->arm(setup_.clock->now_ns() + kNapNs);
    if (hart_->exits != nullptr) hart_->exits->sleep(*hart_, true);
    wait_for_wakeup();
    if (hart_->exits != nullptr) hart_->exits->sleep(*hart_, false);
    if (is_nap) nap_timer_->arm(Timer::kNever);
  }

  /// Until attention is not 0, or for no reason. What ends a short wait is seen without the host's help.
  void wait_for_attention() {
    constexpr unsigned kLooks = 200;
    std::atomic<std::uint32_t>& attention = hart_->core.attention;
    for (unsigned look = 0; look < kLooks; ++look) {
      if (attention.load(std::memory_order_relaxed) != 0) return;
      relax_host();
    }
    is_asleep_.store(true, std::memory_order_seq_cst);
    if (attention.load(std::memory_order_seq_cst) == 0) futex_wait(attention, 0);
    is_asleep_.store(false, std::memory_order_seq_cst);
  }

  void wait_for_wakeup() {
    std::atomic<std::uint32_t>& attention = hart_->core.attention;
    // A sleeping hart is outside generated code: an exclusive section need not wake it.
    constexpr std::uint32_t kMayBeNothing =
        kAttendInterrupt | kAttendTimer | kAttendExclusive | kAttendSample;
    while (hart_->is_napping.load(std::memory_order_seq_cst) != 0 || !has_wakeup(*hart_)) {
      const std::uint32_t seen = attention.load(std::memory_order_seq_cst);
      if ((seen & ~kMayBeNothing) != 0) return;  // and sleeps again when that is done
      // A line that rose after has_wakeup looked has set its bit since, or does so and ends the wait.
      if ((seen & kMayBeNothing) != 0)
        attention.fetch_and(~kMayBeNothing, std::memory_order_seq_cst);
      else
        wait_for_attention();
      if ((seen & kAttendTimer) != 0) look_at_timers();
    }
    hart_->is_waiting = 0;
  }

  const unsigned index_;
  const CpuSetup setup_;
  MmuState mmu_;
  std::unique_ptr<Hart> hart_;
  std::unique_ptr<Imsic> imsic_;
  HartDebug debug_;
  tcg::Engine* engine_ = nullptr;
  std::atomic<bool> is_asleep_{false};  ///< the thread waits for the attention word, or is about to
  std::unique_ptr<Timer> s_timer_;
  std::unique_ptr<Timer> vs_timer_;
  std::unique_ptr<Timer> nap_timer_;
  std::unique_ptr<Timer> overflow_timer_;
};

void HartCpu::reset() {
  Hart& hart = *hart_;
  // All registers; what surrounds the hart, beginning with `config`, stays.
  std::memset(static_cast<void*>(hart.x), 0, offsetof(Hart, config) - offsetof(Hart, x));
  hart.core.attention.store(0, std::memory_order_seq_cst);
  debug_.reset();
  hart.core.trap_pending = 0;
  hart.core.mxcsr = CpuCore{}.mxcsr;
  hart.core.reservation_vaddr = CpuCore{}.reservation_vaddr;
  hart.core.pc = setup_.reset_pc;
  hart.s = &hart.hs;
  hart.priv = kMachine;
  reset_csrs(hart);
  if (imsic_ != nullptr) imsic_->reset();
  if (hart.exits != nullptr) hart.exits->end(hart);
  reset_mmu(hart);
  update_timers();
}

std::string HartCpu::describe() const {
  const Hart& hart = *hart_;
  std::string text = format("hart %u  pc %016llx  mode %s\n", index_,
                            static_cast<unsigned long long>(hart.core.pc), mode_name(hart.priv, hart.v != 0));
  for (unsigned i = 0; i < 32; ++i)
    text += format(" x%-2u %016llx%s", i, static_cast<unsigned long long>(hart.x[i]), i % 4 == 3 ? "\n" : "");
  return text;
}

class Cluster final : public CpuCluster {
 public:
  static Result<std::unique_ptr<CpuCluster>> make(const CpuSetup& setup) {
    auto cluster = std::make_unique<Cluster>(setup);
    cluster->add_sanitizers(setup);
    if (setup.vary.is_on())
      if (Status status = cluster->vary(setup); !status.ok()) return status.error();
    if (setup.semihosting.is_enabled) {
      auto semihosting = Semihosting::make(setup.semihosting, *setup.control);
      if (!semihosting) return semihosting.error();
      cluster->semihosting_ = std::move(*semihosting);
      for (auto& cpu : cluster->cpus_) cpu->hart().semihosting = cluster->semihosting_.get();
    }
    tcg::EngineOptions options = setup.engine;
    // A region keeps translations of its own.
    if (setup.sanitize.is_on()) options.regions = Regions::kOff;
    auto engine = tcg::Engine::make(cluster->guest_, *setup.memory, cluster->exclusive_, options);
    if (!engine) return engine.error();
    cluster->engine_ = std::move(*engine);
    for (auto& cpu : cluster->cpus_) cpu->set_engine(*cluster->engine_);
    return std::unique_ptr<CpuCluster>(std::move(cluster));
  }

  explicit Cluster(const CpuSetup& setup)
      : guest_(setup.config),
        has_nmi_(setup.config.smrnmi),
        debugger_(setup.harts, [this](unsigned hart) { cpus_[hart]->kick(kAttendDebug); }) {
    for (unsigned i = 0; i < setup.harts; ++i) {
      cpus_.push_back(std::make_unique<HartCpu>(i, setup, debugger_));
      exclusive_.add_hart(*cpus_.back());
      setup.memory->add_agent();
    }
  }
  ~Cluster() override = default;
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  [[nodiscard]] unsigned count() const override { return static_cast<unsigned>(cpus_.size()); }
  RiscvCpu& cpu(unsigned index) override { return *cpus_[index]; }
  tcg::Engine& engine() override { return *engine_; }
  Debugger& debugger() override { return debugger_; }
  [[nodiscard]] std::string sanitizer_summary() const override {
    std::string text;
    if (fence_sanitizer_ != nullptr) text += fence_sanitizer_->summary();
    if (icache_sanitizer_ != nullptr) text += icache_sanitizer_->summary();
    return text;
  }
  bool send_nmi() override {
    if (has_nmi_) cpus_.front()->send_nmi();
    return has_nmi_;
  }

 private:
  void add_sanitizers(const CpuSetup& setup) {
    if (setup.sanitize.fences != FenceCheck::kOff)
      fence_sanitizer_ = std::make_unique<FenceSanitizer>(setup.sanitize, *setup.memory);
    if (setup.sanitize.has_icache)
      icache_sanitizer_ = std::make_unique<IcacheSanitizer>(*setup.memory, setup.sanitize.grace_ms);
    for (auto& cpu : cpus_) {
      Hart& hart = cpu->hart();
      hart.fence_sanitizer = fence_sanitizer_.get();
      hart.icache_sanitizer = icache_sanitizer_.get();
      if (fence_sanitizer_ != nullptr) fence_sanitizer_->add_hart(hart);
      if (icache_sanitizer_ != nullptr) icache_sanitizer_->add_hart(hart);
    }
  }

  Status vary(const CpuSetup& setup) {
    auto choices = choose(setup.vary, setup.config);
    if (!choices) return choices.error();
    log_line(Log::kSanitize, "vary: %s", riscv::describe(*choices).c_str());
    for (auto& cpu : cpus_) {
      variations_.push_back(std::make_unique<Variation>(*choices, cpu->index()));
      cpu->hart().variation = variations_.back().get();
    }
    return Ok{};
  }

  RiscvGuest guest_;
  const bool has_nmi_;
  Debugger debugger_;
  Exclusive exclusive_;
  std::unique_ptr<Semihosting> semihosting_;         ///< null: it is off
  std::unique_ptr<FenceSanitizer> fence_sanitizer_;  ///< likewise
  std::unique_ptr<IcacheSanitizer> icache_sanitizer_;
  std::vector<std::unique_ptr<Variation>> variations_;  ///< of the harts; empty: the option is not there
  std::vector<std::unique_ptr<HartCpu>> cpus_;
  std::unique_ptr<tcg::Engine> engine_;
};

}  // namespace

Result<std::unique_ptr<CpuCluster>> make_cpus(const CpuSetup& setup) { return Cluster::make(setup); }

}  // namespace gstage::riscv
