// SPDX-License-Identifier: Apache-2.0
#include "bare.h"

#define UART ((volatile uint8_t *)0x10000000)
#define TEST_DEVICE ((volatile uint32_t *)0x100000)
#define EXIT_PASS 0x5555
#define EXIT_FAIL 0x13333

// The time base of the virt board is 10 MHz. Iterations grow until they take this long, so that the
// same program suits an interpreter and hardware.
#define LEAST_TICKS 1000000ull
#define WARM_UP 16
#define GROWTH 4

#define PTE_V BIT(0)
#define PTE_RWX (BIT(1) | BIT(2) | BIT(3))
#define PTE_U BIT(4)
#define PTE_AD (BIT(6) | BIT(7))
#define PTE_PPN_SHIFT 10
#define ATP_SV39 (8ull << 60)
#define ATP_ID_SHIFT 44

struct vcpu vcpus[VCPUS];

static uint64_t groot[VCPUS][2048] __attribute__((aligned(16384)));
static uint64_t gtable[VCPUS][512] __attribute__((aligned(4096)));
static uint64_t gleaves[VCPUS][512] __attribute__((aligned(4096)));
static uint64_t vroot[VCPUS][512] __attribute__((aligned(4096)));
static uint64_t vtable[VCPUS][512] __attribute__((aligned(4096)));
static uint64_t vleaves[VCPUS][512] __attribute__((aligned(4096)));
static uint64_t private_pages[VCPUS][GUEST_PAGES][512] __attribute__((aligned(4096)));
static volatile bool secondary_up;

void host_trap(void);
void bench_main(void);

void put_string(const char *text) {
  for (; *text; text++) {
    while (!(UART[5] & 0x20)) {
    }
    UART[0] = (uint8_t)*text;
  }
}

static void put_number(uint64_t value) {
  char digits[24];
  int at = sizeof digits - 1;
  digits[at] = 0;
  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  put_string(digits + at);
}

static void power_off(uint32_t code) {
  *TEST_DEVICE = code;
  for (;;) {
  }
}

// No trap is expected while HS mode itself runs.
__attribute__((aligned(4))) void host_trap(void) {
  put_string("trap in HS mode: scause ");
  put_number(csr_read("scause"));
  put_string(" sepc ");
  put_number(csr_read("sepc"));
  put_string("\n");
  power_off(EXIT_FAIL);
}

static uint64_t pte(uint64_t target, uint64_t flags) {
  return target >> 12 << PTE_PPN_SHIFT | PTE_AD | PTE_V | flags;
}

// A pointer to a table: A, D and U of such an entry are reserved.
static uint64_t link(const uint64_t *table) {
  return (uint64_t)table >> 12 << PTE_PPN_SHIFT | PTE_V;
}

void guest_page(struct vcpu *vcpu, unsigned page, bool present) {
  uint64_t at = (uint64_t)private_pages[vcpu - vcpus][page];
  ((volatile uint64_t *)vcpu->data_table)[page] = present ? pte(at, PTE_RWX | PTE_U) : 0;
}

// Both stages: a gigapage of RAM one to one (G-stage pages need U), and the private pages. The first
// stage also maps the device, which the second does not.
static void build(int id) {
  struct vcpu *vcpu = &vcpus[id];
  vcpu->vmid = (unsigned)id + 1;
  vcpu->data_table = gleaves[id];
  groot[id][2] = pte(0x80000000, PTE_RWX | PTE_U);
  groot[id][1] = link(gtable[id]);
  gtable[id][0] = link(gleaves[id]);
  vroot[id][2] = pte(0x80000000, PTE_RWX);
  vroot[id][1] = link(vtable[id]);
  vroot[id][0] = pte(0, PTE_RWX);
  vtable[id][0] = link(vleaves[id]);
  for (unsigned i = 0; i < GUEST_PAGES; i++) {
    vleaves[id][i] = pte(GUEST_DATA + i * PAGE, PTE_RWX);
    guest_page(vcpu, i, true);
    private_pages[id][i][0] = i + 1;
  }
  vcpu->hgatp = ATP_SV39 | (uint64_t)vcpu->vmid << ATP_ID_SHIFT | (uint64_t)groot[id] >> 12;
  vcpu->vsatp = ATP_SV39 | 1ull << ATP_ID_SHIFT | (uint64_t)vroot[id] >> 12;
}

// vsatp goes through Bare, so that no translation can mix one guest's first stage with the other's
// second (privileged specification, "Hypervisor Memory-Management Fence Instructions", note).
void guest_load(const struct vcpu *vcpu) {
  csr_write(VSATP, 0);
  csr_write(HGATP, vcpu->hgatp);
  csr_write(VSATP, vcpu->vsatp);
}

void guest_start(struct vcpu *vcpu, const void *code, uint64_t argument) {
  for (int i = 0; i < 32; i++) vcpu->x[i] = 0;
  vcpu->x[0] = (uint64_t)code;
  vcpu->x[10] = argument;
  guest_load(vcpu);
}

void fence_vvma_all(void) {
  asm volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" : : : "memory");
}

void fence_gvma_all(void) {
  asm volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" : : : "memory");
}

bool secondary_present(void) {
  for (uint64_t end = csr_read("time") + LEAST_TICKS; !secondary_up && csr_read("time") < end;) {
  }
  return secondary_up;
}

void secondary_up_now(void);
void secondary_up_now(void) {
  secondary_up = true;
}

__attribute__((weak)) void secondary_main(void) {
  for (;;) asm volatile("wfi");
}

static void setup(void) {
  csr_write("stvec", host_trap);
  csr_write("satp", 0);
  csr_write(HEDELEG, 0);
  csr_write(HIDELEG, 0);
  csr_write(HCOUNTEREN, 7);
  // VTW: the guest's WFI exits. VSXL is 64 bits.
  csr_write(HSTATUS, BIT(21) | 2ull << 32);
  csr_write(VSSTATUS, 0);
  for (int id = 0; id < VCPUS; id++) build(id);
  guest_load(&vcpus[0]);
  fence_vvma_all();
  fence_gvma_all();
}

static void fail(const struct bench *bench) {
  put_string("FAIL ");
  put_string(bench->name);
  put_string("\n");
  power_off(EXIT_FAIL);
}

static void put_figure(const char *word, const char *name) {
  put_string(word);
  put_string(" ");
  put_string(name);
}

// All the work since the START line is in the figures, so that a reader of the console can put its own
// clock to the same work.
static void measure(const struct bench *bench) {
  if (!bench->run(WARM_UP)) fail(bench);
  put_figure("START", bench->name);
  put_string("\n");
  uint64_t begin = csr_read("time"), total = 0, ticks = 0;
  for (uint64_t n = WARM_UP; ticks < LEAST_TICKS; n *= GROWTH) {
    if (!bench->run(n)) fail(bench);
    total += n;
    ticks = csr_read("time") - begin;
  }
  put_figure("BENCH", bench->name);
  put_string(" ");
  put_number(total);
  put_string(" ");
  put_number(ticks);
  put_string("\n");
}

void bench_main(void) {
  setup();
  for (const struct bench *bench = benches; bench->name; bench++) {
    if (!bench->two_harts || secondary_present()) measure(bench);
  }
  put_string("BENCH done\n");
  power_off(EXIT_PASS);
}
