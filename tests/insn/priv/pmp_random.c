// SPDX-License-Identifier: Apache-2.0
// Random code in two pages, and data in a third, that random PMP rules cut anywhere: every trap is foretold by a model
// of the rules, byte for byte. The code stays while the rules change, so that it is met hot and cold.

#include "pmp.h"

#ifndef SEED
#define SEED 1
#endif
#ifndef IMAGES
#define IMAGES 12
#endif
#define CONFIGURATIONS 24
#define RUNS 4

#define CODE_BYTES (2 * PAGE)
#define DATA_MIDDLE (CODE_BYTES + PAGE / 2)

static uint8_t pages[3 * PAGE] __attribute__((aligned(4096)));

static uint64_t state = SEED;
static uint64_t draw(uint64_t limit) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return (state >> 33) % limit;
}

// --- The code: kinds of instructions, and which begins where.

enum kind {
  NONE, ADD2, ADD4, LESS_FUEL, GO_ON_IF_FUEL, OUT, JUMP2, JUMP4, BRANCH_BACK, HERE, JUMP_INDIRECT, LOAD, STORE
};
struct insn {
  uint8_t kind, size;
  int16_t target;  // place in `pages` of a jump; for loads and stores the distance from the middle of the data
};
static struct insn insns[CODE_BYTES / 2 + 2];
static uint64_t end;

static void put(enum kind kind, unsigned size, int16_t target, uint32_t bits) {
  insns[end / 2] = (struct insn){kind, (uint8_t)size, target};
  *(uint16_t *)(pages + end) = (uint16_t)bits;
  if (size == 4) *(uint16_t *)(pages + end + 2) = (uint16_t)(bits >> 16);
  end += size;
}

static uint32_t i_type(uint32_t imm, unsigned rs1, unsigned funct3, unsigned rd, unsigned opcode) {
  return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
static uint32_t jal(int32_t offset) {
  uint32_t o = (uint32_t)offset;
  return (o >> 20 & 1) << 31 | (o >> 1 & 0x3ff) << 21 | (o >> 11 & 1) << 20 | (o >> 12 & 0xff) << 12 | 0x6f;
}
static uint32_t blt_zero(unsigned rs2, int32_t offset) {
  uint32_t o = (uint32_t)offset;
  return (o >> 12 & 1) << 31 | (o >> 5 & 0x3f) << 25 | rs2 << 20 | 4 << 12 | (o >> 1 & 0xf) << 8 |
         (o >> 11 & 1) << 7 | 0x63;
}
static uint32_t c_j(int32_t offset) {
  uint32_t o = (uint32_t)offset;
  return 0xa001 | (o >> 11 & 1) << 12 | (o >> 4 & 1) << 11 | (o >> 8 & 3) << 9 | (o >> 10 & 1) << 8 |
         (o >> 6 & 1) << 7 | (o >> 7 & 1) << 6 | (o >> 1 & 7) << 3 | (o >> 5 & 1) << 2;
}
static uint32_t store(uint32_t imm, unsigned rs2, unsigned rs1, unsigned funct3) {
  return (imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 31) << 7 | 0x23;
}

// Jumps cost fuel, and an indirect one its address: nothing goes to what comes after that.
static bool needs_before(enum kind kind) { return kind >= GO_ON_IF_FUEL && kind <= JUMP_INDIRECT; }

// An instruction before `end`, at most `reach` bytes.
static int16_t some_target(int32_t reach) {
  int32_t low = (int32_t)end - reach < 0 ? 0 : (int32_t)end - reach;
  for (;;) {
    int32_t at = low + 2 * (int32_t)draw((uint64_t)((int32_t)end - low) / 2 + 1);
    if (insns[at / 2].kind != NONE && !needs_before(insns[at / 2].kind)) return (int16_t)at;
  }
}

// Jumps cost fuel (a2), so that all code ends: without, it leaves by t2.
static void put_fuel_check(void) {
  put(LESS_FUEL, 4, 0, i_type(0xfff, 12, 0, 12, 0x13));
  put(GO_ON_IF_FUEL, 4, 0, blt_zero(12, 6));
  put(OUT, 2, 0, 0x8382);
}

static void put_something(void) {
  switch (draw(12)) {
    case 0: case 1: case 2: put(ADD2, 2, 0, 0x0585); break;
    case 3: case 4: case 5: put(ADD4, 4, 0, i_type(3, 11, 0, 11, 0x13)); break;
    case 6: {
      put(LESS_FUEL, 4, 0, i_type(0xfff, 12, 0, 12, 0x13));
      int16_t target = some_target(600);
      put(BRANCH_BACK, 4, target, blt_zero(12, target - (int32_t)end));
      break;
    }
    case 7: {
      put_fuel_check();
      int16_t target = some_target(2000);
      put(JUMP2, 2, target, c_j(target - (int32_t)end));
      break;
    }
    case 8: {
      put_fuel_check();
      int16_t target = some_target(8000);
      put(JUMP4, 4, target, jal(target - (int32_t)end));
      break;
    }
    case 9: {
      put_fuel_check();
      int16_t target = some_target(2000);
      int32_t from = (int32_t)end;
      put(HERE, 4, 0, 0x797);  // auipc a5, 0
      put(JUMP_INDIRECT, 4, target, i_type((uint32_t)(target - from) & 0xfff, 15, 0, 0, 0x67));
      break;
    }
    default: {
      int16_t at = (int16_t)(8 * draw(500) - 2000 + (draw(4) == 0 ? draw(8) : 0));
      if (draw(2)) put(LOAD, 4, at, i_type((uint32_t)at & 0xfff, 13, 3, 14, 0x03));
      else put(STORE, 4, at, store((uint32_t)at & 0xfff, 11, 13, 3));
    }
  }
}

static void make_code(void) {
  for (unsigned i = 0; i < sizeof insns / sizeof *insns; i++) insns[i].kind = NONE;
  end = 0;
  put(ADD2, 2, 0, 0x0585);
  while (end < CODE_BYTES - 24) put_something();
  put(OUT, 2, 0, 0x8382);
  asm volatile("fence.i" : : : "memory");
}

// --- The rules, as the model knows them.

static struct rule {
  uint64_t first, end;
  uint8_t cfg;
} rules[4];

static void draw_rules(bool locked) {
  for (unsigned i = 0; i < 4; i++) {
    uint64_t size = 4ull << draw(10);
    uint64_t first = (uint64_t)pages + draw(3 * PAGE / size) * size;
    // R, W and X with W alone left out; open more often than not.
    static const uint8_t kRights[] = {7, 7, 7, 5, 5, 4, 3, 1, 0, 7};
    uint8_t cfg = kRights[draw(sizeof kRights)] | (locked && draw(4) ? PMP_L : 0);
    if (draw(3) == 0) {
      first = (uint64_t)pages + 4 * draw(3 * PAGE / 4 - 200);
      size = 4 * draw(200);
      rule_range(2 * i, (void *)first, (void *)(first + size), cfg);
    } else {
      rule_napot(2 * i, (void *)first, size, cfg);
    }
    rules[i] = (struct rule){first, first + size, cfg};
  }
}

static bool is_allowed(enum mode mode, uint64_t first, uint64_t size, uint8_t right) {
  for (unsigned i = 0; i < 4; i++) {
    uint64_t last = first + size;
    if (first >= rules[i].end || last <= rules[i].first) continue;
    if (first < rules[i].first || last > rules[i].end) return false;
    return (mode == MODE_M && !(rules[i].cfg & PMP_L)) || (rules[i].cfg & right) != 0;
  }
  return true;
}

// --- The model of a run.

static struct {
  uint64_t cause, epc, tval, a1;  // cause 0: none
} expected;

static bool foretell_trap(uint64_t cause, uint64_t pc, uint64_t tval) {
  expected.cause = cause;
  expected.epc = pc;
  expected.tval = tval;
  return false;
}

// Bytes of one access that lie in two pages are two operations.
static bool foretell_access(enum mode mode, uint64_t pc, int32_t distance, bool is_store) {
  uint64_t at = (uint64_t)pages + DATA_MIDDLE + (uint64_t)distance;
  uint64_t here = PAGE - (at & (PAGE - 1)) < 8 ? PAGE - (at & (PAGE - 1)) : 8;
  uint8_t right = is_store ? PMP_W : PMP_R;
  uint64_t cause = is_store ? C_STORE_ACCESS : C_LOAD_ACCESS;
  if (!is_allowed(mode, at, here, right)) return foretell_trap(cause, pc, at);
  if (here < 8 && !is_allowed(mode, at + here, 8 - here, right)) return foretell_trap(cause, pc, at + here);
  return true;
}

static void foretell(enum mode mode, uint64_t at, int64_t fuel) {
  uint64_t a1 = 0;
  bool goes_on = true;
  expected.cause = 0;
  while (goes_on) {
    const struct insn *insn = &insns[at / 2];
    uint64_t pc = (uint64_t)pages + at;
    expected.a1 = a1;
    if (!is_allowed(mode, pc, 2, PMP_X)) return (void)foretell_trap(C_FETCH_ACCESS, pc, pc);
    if (insn->size == 4 && !is_allowed(mode, pc + 2, 2, PMP_X)) return (void)foretell_trap(C_FETCH_ACCESS, pc, pc + 2);
    at += insn->size;
    switch (insn->kind) {
      case ADD2: a1 += 1; break;
      case ADD4: a1 += 3; break;
      case LESS_FUEL: fuel--; break;
      case GO_ON_IF_FUEL: if (fuel > 0) at += 2; break;
      case BRANCH_BACK: if (fuel > 0) at = (uint64_t)insn->target; break;
      case JUMP2: case JUMP4: case JUMP_INDIRECT: at = (uint64_t)insn->target; break;
      case LOAD: case STORE: goes_on = foretell_access(mode, pc, insn->target, insn->kind == STORE); break;
      case OUT: return;
      default: break;
    }
  }
}

static void run_once(enum mode mode, uint64_t at) {
  int64_t fuel = (int64_t)draw(300) + 1;
  foretell(mode, at, fuel);
  RUN(mode, "jalr t2, 0(a0)", pages + at, 0, fuel, pages + DATA_MIDDLE);
  CHECK_EQ(trap.a1, expected.a1);
  if (expected.cause == 0) {
    EXPECT_OK();
    return;
  }
  EXPECT(BY_M, expected.cause);
  CHECK_EQ(trap.epc, expected.epc);
  CHECK_EQ(trap.tval, expected.tval);
}

static uint64_t some_entry(void) {
  for (;;) {
    uint64_t at = 2 * draw(end / 2);
    if (insns[at / 2].kind != NONE && insns[at / 2].kind != JUMP_INDIRECT) return at;
  }
}

void test_body(void) {
  static const enum mode kModes[] = {MODE_M, MODE_HS, MODE_U, MODE_VS, MODE_VU};
  for (unsigned image = 0; image < IMAGES && failures == 0; image++) {
    reset_state();
    begin_rules();
    make_code();
    for (unsigned c = 0; c < CONFIGURATIONS; c++) {
      enum mode mode = kModes[draw(5)];
      if (draw(5) == 0) {
        for (unsigned i = 0; i < 4; i++) rules[i] = (struct rule){0, 0, 0};
      } else {
        draw_rules(mode == MODE_M);
      }
      commit_rules();
      for (unsigned r = 0; r < RUNS; r++) run_once(mode, some_entry());
    }
    commit_rules();
  }
  if (failures != 0) put_line("seed", SEED);
}
