// SPDX-License-Identifier: Apache-2.0
// A hypervisor that does nothing but what needs fences: it maps, unmaps and remaps pages of its own and of its
// guests, takes rights away, exchanges tables, and uses ASIDs and VMIDs again. Each of its fences can be left
// out (fences.h). Two harts.
#include "fenced.h"

#define HS_ASID 3
#define OTHER_ASID 4
#define GUEST_ASID 7
#define VMID 1ull
#define OTHER_VMID 2ull
#define VA 0xc0000000ull        // of the first test page
#define GPA 0x100000000ull      // likewise, of the guest
#define TEST_DEVICE 0x100000
#define STRIDE 0x200000ull      // tests lie in tables of their own

enum { kOld = 0x1111, kNew = 0x2222 };

static uint64_t *space, *guest_space, *guest_stage;
static uint64_t *old_page, *new_data;
static unsigned tests;

static uint64_t test_va(void) { return VA + STRIDE * tests; }
static uint64_t test_gpa(void) { return GPA + STRIDE * tests; }
static uint64_t hgatp(const uint64_t *root, uint64_t vmid) { return SV39 | vmid << 44 | (uint64_t)root >> 12; }

void unexpected(uint64_t cause, uint64_t epc, uint64_t tval);
void unexpected(uint64_t cause, uint64_t epc, uint64_t tval) {
  put_string("fenced: unexpected trap");
  put_hex(cause);
  put_hex(epc);
  put_hex(tval);
  put_string("\n");
  *(volatile uint32_t *)TEST_DEVICE = 0x13333;
}

// Says where the program sees what was before, as it may without the fence.
static void expect(const char *test, uint64_t seen, uint64_t expected) {
  if (seen == expected) return;
  put_string("fenced: ");
  put_string(test);
  put_string(" sees");
  put_hex(seen);
  put_string("\n");
}

// A page with kOld in both stages' identity, mapped at the next test's address.
static void begin(void) {
  tests++;
  old_page = new_page();
  new_data = new_page();
  old_page[0] = kOld;
  new_data[0] = kNew;
}

// What the other hart is to do; one thing at a time.
static uint64_t (*volatile request)(uint64_t);
static volatile uint64_t request_argument, request_result;

static uint64_t on_other_hart(uint64_t (*function)(uint64_t), uint64_t argument) {
  request_argument = argument;
  asm volatile("fence rw, rw" : : : "memory");
  request = function;
  while (request != 0) {
  }
  asm volatile("fence rw, rw" : : : "memory");
  return request_result;
}

// ---- the hypervisor's own address space

static void test_hs_page(void) {
  begin();
  map(space, test_va(), old_page, PTE_RW);
  expect("before hs_remap", probe_load(test_va()), kOld);
  map(space, test_va(), new_data, PTE_RW);
  FENCE(hs_remap, FENCE_BOTH(SFENCE_VMA, test_va(), HS_ASID));
  expect("hs_remap", probe_load(test_va()), kNew);
  map(space, test_va(), 0, 0);
  FENCE(hs_unmap, FENCE_BOTH(SFENCE_VMA, test_va(), HS_ASID));
  expect("hs_unmap", probe_load(test_va()), TRAPPED);

  begin();
  map(space, test_va(), old_page, PTE_RW);
  probe_store(test_va(), kOld);
  map(space, test_va(), old_page, PTE_RW & ~PTE_W);
  FENCE(hs_readonly, FENCE_BOTH(SFENCE_VMA, test_va(), HS_ASID));
  expect("hs_readonly", probe_store(test_va(), kNew), TRAPPED);
}

static void test_hs_atomic(void) {
  begin();
  map(space, test_va(), old_page, PTE_RW);
  probe_load(test_va());
  __atomic_exchange_n(entry_of(space, test_va(), 0), pte(new_data, PTE_RW), __ATOMIC_SEQ_CST);
  FENCE(hs_atomic, FENCE_BOTH(SFENCE_VMA, test_va(), HS_ASID));
  expect("hs_atomic", probe_load(test_va()), kNew);
}

static void test_hs_table(void) {
  begin();
  map(space, test_va(), old_page, PTE_RW);
  probe_load(test_va());
  uint64_t *const table = new_page();
  table[0] = pte(new_data, PTE_RW);
  *(volatile uint64_t *)entry_of(space, test_va(), 1) = pte(table, PTE_V);
  FENCE(hs_table, FENCE_ID(SFENCE_VMA, HS_ASID));
  expect("hs_table", probe_load(test_va()), kNew);
}

static void test_hs_global(void) {
  begin();
  map(space, test_va(), old_page, PTE_RW | PTE_G);
  probe_load(test_va());
  map(space, test_va(), new_data, PTE_RW | PTE_G);
  FENCE(hs_global, FENCE_ADDRESS(SFENCE_VMA, test_va()));
  expect("hs_global", probe_load(test_va()), kNew);
}

// Two address spaces take turns with one ASID.
static void test_hs_asid(void) {
  begin();
  uint64_t *const first = new_space(), *const second = new_space();
  map(first, test_va(), old_page, PTE_RW);
  map(second, test_va(), new_data, PTE_RW);
  csr_write(satp, satp(first, OTHER_ASID));
  FENCE_ID(SFENCE_VMA, OTHER_ASID);
  const uint64_t before = probe_load(test_va());
  csr_write(satp, satp(second, OTHER_ASID));
  FENCE(hs_asid, FENCE_ID(SFENCE_VMA, OTHER_ASID));
  const uint64_t after = probe_load(test_va());
  csr_write(satp, satp(space, HS_ASID));
  expect("before hs_asid", before, kOld);
  expect("hs_asid", after, kNew);
}

static void test_hs_all(void) {
  begin();
  map(space, test_va(), old_page, PTE_RW);
  map(space, test_va() + PAGE, old_page, PTE_RW | PTE_G);
  probe_load(test_va());
  probe_load(test_va() + PAGE);
  map(space, test_va(), new_data, PTE_RW);
  map(space, test_va() + PAGE, new_data, PTE_RW | PTE_G);
  FENCE(hs_all, FENCE_ALL(SFENCE_VMA));
  expect("hs_all", probe_load(test_va()), kNew);
  expect("hs_all", probe_load(test_va() + PAGE), kNew);
}

static uint64_t remote_load(uint64_t address) { return probe_load(address); }
static uint64_t remote_fence_and_load(uint64_t address) {
  FENCE(hs_remote, FENCE_BOTH(SFENCE_VMA, address, HS_ASID));
  return probe_load(address);
}
static void test_hs_remote(void) {
  begin();
  map(space, test_va(), old_page, PTE_RW);
  expect("before hs_remote", on_other_hart(remote_load, test_va()), kOld);
  map(space, test_va(), new_data, PTE_RW);
  FENCE_BOTH(SFENCE_VMA, test_va(), HS_ASID);
  expect("hs_remote", on_other_hart(remote_fence_and_load, test_va()), kNew);
}

static void test_hs_sinval(void) {
  begin();
  map(space, test_va(), old_page, PTE_RW);
  probe_load(test_va());
  map(space, test_va(), new_data, PTE_RW);
  FENCE(hs_w_inval, SFENCE_W_INVAL());
  FENCE(hs_sinval, FENCE_BOTH(SINVAL_VMA, test_va(), HS_ASID));
  FENCE(hs_inval_ir, SFENCE_INVAL_IR());
  expect("hs_sinval", probe_load(test_va()), kNew);
}

// ---- the guest's tables

static uint64_t load_by_guest(uint64_t address) { return guest_run(guest_load, address, 0, 0); }

static void test_vs_remap(void) {
  begin();
  map(guest_space, test_va(), old_page, PTE_RW);
  expect("before vs_remap", load_by_guest(test_va()), kOld);
  const char *const code = WITHOUT == vs_remap ? guest_remap_bare : guest_remap;
  uint64_t *const entry = entry_of(guest_space, test_va(), 0);
  expect("vs_remap", guest_run(code, test_va(), (uint64_t)entry, pte(new_data, PTE_RW)), kNew);
}

static void test_vvma_page(void) {
  begin();
  map(guest_space, test_va(), old_page, PTE_RW);
  load_by_guest(test_va());
  map(guest_space, test_va(), new_data, PTE_RW);
  FENCE(vvma_remap, FENCE_BOTH(HFENCE_VVMA, test_va(), GUEST_ASID));
  expect("vvma_remap", load_by_guest(test_va()), kNew);

  begin();
  map(guest_space, test_va(), old_page, PTE_RW);
  expect("before vvma_hlv", probe_hlv(test_va()), kOld);
  map(guest_space, test_va(), new_data, PTE_RW);
  FENCE(vvma_hlv, FENCE_BOTH(HFENCE_VVMA, test_va(), GUEST_ASID));
  expect("vvma_hlv", probe_hlv(test_va()), kNew);

  begin();
  map(guest_space, test_va(), old_page, PTE_RW);
  load_by_guest(test_va());
  map(guest_space, test_va(), new_data, PTE_RW);
  SFENCE_W_INVAL();
  FENCE(hinval_vvma, FENCE_BOTH(HINVAL_VVMA, test_va(), GUEST_ASID));
  SFENCE_INVAL_IR();
  expect("hinval_vvma", load_by_guest(test_va()), kNew);
}

static void test_vvma_table(void) {
  begin();
  map(guest_space, test_va(), old_page, PTE_RW);
  load_by_guest(test_va());
  uint64_t *const table = new_page();
  table[0] = pte(new_data, PTE_RW);
  *(volatile uint64_t *)entry_of(guest_space, test_va(), 1) = pte(table, PTE_V);
  FENCE(vvma_table, FENCE_ID(HFENCE_VVMA, GUEST_ASID));
  expect("vvma_table", load_by_guest(test_va()), kNew);
}

static void test_vvma_asid(void) {
  begin();
  uint64_t *const other = new_space();
  map(guest_space, test_va(), old_page, PTE_RW);
  map(other, test_va(), new_data, PTE_RW);
  load_by_guest(test_va());
  csr_write(VSATP, satp(other, GUEST_ASID));
  FENCE(vvma_asid, FENCE_ID(HFENCE_VVMA, GUEST_ASID));
  expect("vvma_asid", load_by_guest(test_va()), kNew);
  csr_write(VSATP, satp(guest_space, GUEST_ASID));
  FENCE_ID(HFENCE_VVMA, GUEST_ASID);
}

static void test_vvma_all(void) {
  begin();
  map(guest_space, test_va(), old_page, PTE_RW | PTE_G);
  load_by_guest(test_va());
  map(guest_space, test_va(), new_data, PTE_RW | PTE_G);
  FENCE(vvma_all, FENCE_ALL(HFENCE_VVMA));
  expect("vvma_all", load_by_guest(test_va()), kNew);
}

// ---- the G-stage

#define GUEST_RW (PTE_RW | PTE_U)

// The guest sees its physical test page.
static void begin_guest_page(void) {
  begin();
  map(guest_space, test_va(), (void *)test_gpa(), PTE_RW);
  map(guest_stage, test_gpa(), old_page, GUEST_RW);
}

static void test_gvma_page(void) {
  begin_guest_page();
  expect("before gvma_remap", load_by_guest(test_va()), kOld);
  map(guest_stage, test_gpa(), new_data, GUEST_RW);
  FENCE(gvma_remap, FENCE_BOTH(HFENCE_GVMA, test_gpa() >> 2, VMID));
  expect("gvma_remap", load_by_guest(test_va()), kNew);
  map(guest_stage, test_gpa(), 0, 0);
  FENCE(gvma_unmap, FENCE_BOTH(HFENCE_GVMA, test_gpa() >> 2, VMID));
  expect("gvma_unmap", load_by_guest(test_va()), TRAPPED);

  begin_guest_page();
  guest_run(guest_store, test_va(), kOld, 0);
  map(guest_stage, test_gpa(), old_page, GUEST_RW & ~PTE_W);
  FENCE(gvma_readonly, FENCE_BOTH(HFENCE_GVMA, test_gpa() >> 2, VMID));
  expect("gvma_readonly", guest_run(guest_store, test_va(), kNew, 0), TRAPPED);
}

static void test_gvma_table(void) {
  begin_guest_page();
  load_by_guest(test_va());
  uint64_t *const table = new_page();
  table[0] = pte(new_data, GUEST_RW);
  *(volatile uint64_t *)entry_of(guest_stage, test_gpa(), 1) = pte(table, PTE_V);
  FENCE(gvma_table, FENCE_ID(HFENCE_GVMA, VMID));
  expect("gvma_table", load_by_guest(test_va()), kNew);
}

// Another guest gets the VMID: nothing of either stage may be left.
static void test_vmid(void) {
  begin_guest_page();
  load_by_guest(test_va());
  uint64_t *const stage = new_guest_stage(), *const other = new_space();
  for (unsigned page = 0; page < 2; page++) {
    map(guest_stage, test_gpa() + page * PAGE, old_page, GUEST_RW);
    map(stage, test_gpa() + page * PAGE, page == 0 ? old_page : new_data, GUEST_RW);
  }
  map(other, test_va(), (void *)(test_gpa() + PAGE), PTE_RW);
  csr_write(VSATP, 0);
  csr_write(HGATP, hgatp(stage, VMID));
  FENCE(gvma_vmid, FENCE_ID(HFENCE_GVMA, VMID));
  csr_write(VSATP, satp(other, GUEST_ASID));
  FENCE(vvma_vmid, FENCE_ALL(HFENCE_VVMA));
  expect("gvma_vmid or vvma_vmid", load_by_guest(test_va()), kNew);
  csr_write(VSATP, 0);
  csr_write(HGATP, hgatp(guest_stage, VMID));
  FENCE_ID(HFENCE_GVMA, VMID);
  csr_write(VSATP, satp(guest_space, GUEST_ASID));
  FENCE_ALL(HFENCE_VVMA);
}

// Two guests under VMIDs of their own: no fence is needed to go from one to the other.
static void test_two_guests(void) {
  begin_guest_page();
  uint64_t *const stage = new_guest_stage();
  map(stage, test_gpa(), new_data, GUEST_RW);
  for (int round = 0; round < 4; round++) {
    const bool is_first = round % 2 == 0;
    csr_write(VSATP, 0);
    csr_write(HGATP, is_first ? hgatp(guest_stage, VMID) : hgatp(stage, OTHER_VMID));
    csr_write(VSATP, satp(guest_space, GUEST_ASID));
    expect("two guests", load_by_guest(test_va()), is_first ? kOld : kNew);
  }
  map(stage, test_gpa(), old_page, GUEST_RW);
  map(guest_stage, test_gpa(), new_data, GUEST_RW);
  FENCE(gvma_all, FENCE_ALL(HFENCE_GVMA));
  expect("gvma_all", load_by_guest(test_va()), kOld);
  csr_write(VSATP, 0);
  csr_write(HGATP, hgatp(guest_stage, VMID));
  csr_write(VSATP, satp(guest_space, GUEST_ASID));
  expect("gvma_all", load_by_guest(test_va()), kNew);
}

static uint64_t remote_guest_fence_and_load(uint64_t address) {
  FENCE(gvma_remote, FENCE_BOTH(HFENCE_GVMA, test_gpa() >> 2, VMID));
  return load_by_guest(address);
}
static void test_gvma_remote(void) {
  begin_guest_page();
  expect("before gvma_remote", on_other_hart(load_by_guest, test_va()), kOld);
  map(guest_stage, test_gpa(), new_data, GUEST_RW);
  FENCE_BOTH(HFENCE_GVMA, test_gpa() >> 2, VMID);
  expect("gvma_remote", on_other_hart(remote_guest_fence_and_load, test_va()), kNew);
}

static void test_hinval_gvma(void) {
  begin_guest_page();
  load_by_guest(test_va());
  map(guest_stage, test_gpa(), new_data, GUEST_RW);
  FENCE(hinval_w_inval, SFENCE_W_INVAL());
  FENCE(hinval_gvma, FENCE_BOTH(HINVAL_GVMA, test_gpa() >> 2, VMID));
  FENCE(hinval_ir, SFENCE_INVAL_IR());
  expect("hinval_gvma", load_by_guest(test_va()), kNew);
}

// ---- code

// Stores a function that returns the number, 0 to 31.
static void write_function(uint64_t *page, unsigned number) {
  volatile uint16_t *const code = (volatile uint16_t *)page;
  code[0] = 0x4501 | (number & 31) << 2;  // c.li a0, number
  code[1] = 0x8082;                       // ret
}
static uint64_t call(uint64_t address) { return ((uint64_t (*)(void))address)(); }
#define FENCE_I() asm volatile("fence.i" : : : "memory")

static uint64_t remote_fence_and_call(uint64_t address) {
  FENCE(fence_i_remote, FENCE_I());
  return call(address);
}

static void test_code(void) {
  uint64_t *const page = new_page();
  write_function(page, 1);
  FENCE_I();
  expect("before fence_i_self", call((uint64_t)page), 1);
  write_function(page, 2);
  FENCE(fence_i_self, FENCE_I());
  expect("fence_i_self", call((uint64_t)page), 2);
  FENCE_I();
  expect("fence_i_remote", on_other_hart(remote_fence_and_call, (uint64_t)page), 2);
  write_function(page, 3);
  const char *const code = WITHOUT == fence_i_guest ? guest_call_bare : guest_call;
  expect("fence_i_guest", guest_run(code, (uint64_t)page, 0, 0), 3);
}

// ---- start

static void setup_hypervisor(void) {
  csr_write(stvec, hypervisor_trap);
  csr_write(satp, satp(space, HS_ASID));
  FENCE_ALL(SFENCE_VMA);
  csr_write(HEDELEG, 0);
  csr_write(HGATP, hgatp(guest_stage, VMID));
  FENCE_ALL(HFENCE_GVMA);
  csr_write(VSATP, satp(guest_space, GUEST_ASID));
  FENCE_ALL(HFENCE_VVMA);
}

static volatile bool is_ready;

static void hypervisor_main(void) {
  setup_hypervisor();
  test_hs_page();
  test_hs_atomic();
  test_hs_table();
  test_hs_global();
  test_hs_asid();
  test_hs_all();
  test_hs_remote();
  test_hs_sinval();
  test_vs_remap();
  test_vvma_page();
  test_vvma_table();
  test_vvma_asid();
  test_vvma_all();
  test_gvma_page();
  test_gvma_table();
  test_vmid();
  test_two_guests();
  test_gvma_remote();
  test_hinval_gvma();
  test_code();
  put_string("MARK fenced done\n");
  *(volatile uint32_t *)TEST_DEVICE = 0x5555;
  for (;;) {
  }
}

static void other_hart_main(void) {
  setup_hypervisor();
  for (;;) {
    while (request == 0) {
    }
    asm volatile("fence rw, rw" : : : "memory");
    request_result = request(request_argument);
    asm volatile("fence rw, rw" : : : "memory");
    request = 0;
  }
}

static void setup_machine(void) {
  csr_write(pmpaddr0, ~0ull >> 10);
  csr_write(pmpcfg0, 0x1f);
  csr_write(medeleg, ~0ull);
}

int test_main(void);
int test_main(void) {
  space = new_space();
  guest_space = new_space();
  guest_stage = new_guest_stage();
  asm volatile("fence rw, rw" : : : "memory");
  is_ready = true;
  setup_machine();
  enter_hypervisor(hypervisor_main);
}

void secondary_main(uint64_t hart);
void secondary_main(uint64_t hart) {
  while (!is_ready || hart != 1) {
  }
  asm volatile("fence rw, rw" : : : "memory");
  setup_machine();
  enter_hypervisor(other_hart_main);
}
