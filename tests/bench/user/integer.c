// SPDX-License-Identifier: Apache-2.0
// Integer work of the kinds that programs are made of.
#include "bench.h"

#define NODES 1024
struct node {
  struct node *next;
  uint32_t key, value;
};

static struct node *merge(struct node *a, struct node *b) {
  struct node *first = NULL, **end = &first;
  while (a && b) {
    struct node **less = a->key <= b->key ? &a : &b;
    *end = *less;
    end = &(*less)->next;
    *less = *end;
  }
  *end = a ? a : b;
  return first;
}

static struct node *sort_list(struct node *list) {
  if (!list || !list->next) return list;
  struct node *slow = list, *fast = list->next;
  while (fast && fast->next) {
    slow = slow->next;
    fast = fast->next->next;
  }
  struct node *second = slow->next;
  slow->next = NULL;
  return merge(sort_list(list), sort_list(second));
}

static uint64_t list(void) {
  static struct node nodes[NODES];
  uint64_t state = 1, sum = 0;
  for (unsigned i = 0; i < NODES; i++) {
    nodes[i] = (struct node){i + 1 < NODES ? &nodes[i + 1] : NULL, (uint32_t)next_random(&state) & 0xffff, i};
  }
  struct node *first = sort_list(nodes);
  for (unsigned pass = 0; pass < 8; pass++) {
    struct node *reversed = NULL;
    for (struct node *next; first; first = next) {
      next = first->next;
      first->next = reversed;
      reversed = first;
      sum = sum * 31 + first->value;
    }
    first = reversed;
  }
  return sum;
}

#define SIDE 32
static uint64_t matrix(void) {
  static int32_t a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
  uint64_t state = 2, sum = 0;
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      a[i][j] = (int16_t)next_random(&state);
      b[i][j] = (int16_t)next_random(&state);
    }
  }
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      uint32_t dot = 0;
      for (int k = 0; k < SIDE; k++) dot += (uint32_t)a[i][k] * (uint32_t)b[k][j];
      c[i][j] = (int32_t)dot;
    }
  }
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) sum = sum * 31 + (uint32_t)c[i][j];
  }
  return sum;
}

// Classifies comma-separated tokens: integer, fraction, exponent, word.
static uint64_t state_machine(void) {
  static const char text[] = "5012,1234,-874,+122,35.54,.1234,-110.7,+0.644,5.5e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,"
                             "-T.T++Tq,1T3.4e4z,34.0e-T^,";
  enum { kStart, kSign, kInt, kFraction, kExponent, kWord, kStates };
  uint64_t counts[kStates] = {0};
  for (int pass = 0; pass < 64; pass++) {
    int state = kStart;
    for (const char *c = text; *c; c++) {
      bool digit = *c >= '0' && *c <= '9';
      switch (state) {
        case kStart: state = digit ? kInt : *c == '+' || *c == '-' ? kSign : *c == '.' ? kFraction : kWord; break;
        case kSign: state = digit ? kInt : *c == '.' ? kFraction : kWord; break;
        case kInt: state = digit ? kInt : *c == '.' ? kFraction : *c == 'e' ? kExponent : kWord; break;
        case kFraction: state = digit ? kFraction : *c == 'e' ? kExponent : kWord; break;
        case kExponent: state = digit || *c == '+' || *c == '-' ? kExponent : kWord; break;
        default: break;
      }
      counts[state]++;
      if (*c == ',') state = kStart;
    }
  }
  uint64_t sum = 0;
  for (int i = 0; i < kStates; i++) sum = sum * 1009 + counts[i];
  return sum;
}

static void quicksort(uint32_t *first, uint32_t *last) {
  while (first < last) {
    uint32_t pivot = first[(last - first) / 2], *low = first, *high = last;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low <= high) {
        uint32_t swap = *low;
        *low++ = *high;
        *high-- = swap;
      }
    }
    quicksort(first, high);
    first = low;
  }
}

static uint64_t sort(void) {
  static uint32_t numbers[8192];
  uint64_t state = 3, sum = 0;
  for (int i = 0; i < 8192; i++) numbers[i] = (uint32_t)next_random(&state);
  quicksort(numbers, numbers + 8191);
  for (int i = 0; i < 8192; i++) sum = sum * 31 + numbers[i];
  return sum;
}

static uint64_t crc(void) {
  static uint32_t table[256];
  static uint8_t data[16384];
  if (!table[1]) {
    uint64_t state = 4;
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
      table[i] = value;
    }
    for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)next_random(&state);
  }
  uint32_t value = ~0u;
  for (unsigned i = 0; i < sizeof data; i++) value = value >> 8 ^ table[(value ^ data[i]) & 255];
  return ~value;
}

static uint64_t sieve(void) {
  static uint8_t composite[65536];
  uint64_t count = 0;
  memset(composite, 0, sizeof composite);
  for (unsigned i = 2; i < sizeof composite; i++) {
    if (composite[i]) continue;
    count++;
    for (unsigned j = i * 2; j < sizeof composite; j += i) composite[j] = 1;
  }
  return count;
}

// A stack machine's dispatch by computed jumps: sums i * i % 7 for i below its argument.
static uint64_t interpreter(void) {
  static const uint8_t code[] = {0, 0, 0, 0, 1, 2, 2, 3, 7, 4, 5, 6, 1, 8};
  static const void *const labels[] = {&&push, &&sum, &&copy_i, &&multiply, &&modulo, &&accumulate, &&count, &&literal,
                                       &&end};
  uint64_t stack[16], *top = stack, i = 20000, total = 0;
  const uint8_t *pc = code;
#define NEXT goto *labels[*pc++]
  NEXT;
push:
  *top++ = 1;
  NEXT;
sum:
  top = stack;
  NEXT;
copy_i:
  *top++ = i;
  NEXT;
multiply:
  top--;
  top[-1] *= top[0];
  NEXT;
literal:
  *top++ = 7;
  NEXT;
modulo:
  top--;
  top[-1] %= top[0];
  NEXT;
accumulate:
  total = total * 3 + *--top;
  NEXT;
count:
  if (--i) pc = code + 5;
  NEXT;
end:
  return total;
}

static __attribute__((noinline)) uint64_t fib_of(uint64_t n) {
  // Nothing is known of n, so the recursion stays one.
  asm volatile("" : "+r"(n));
  return n < 2 ? n : fib_of(n - 1) + fib_of(n - 2);
}

static uint64_t fib(void) {
  return fib_of(22);
}

static const char *find(const char *text, const char *word) {
  for (; *text; text++) {
    const char *a = text, *b = word;
    while (*b && *a == *b) a++, b++;
    if (!*b) return text;
  }
  return NULL;
}

static uint64_t string(void) {
  static const char *const words[] = {"guest", "hypervisor", "stage", "translation", "absent", "fence"};
  static char text[8192];
  uint64_t state = 5, sum = 0;
  char *end = text;
  while (end < text + sizeof text - 16) {
    uint64_t word = next_random(&state) % 6;
    if (word == 4) word = 0;
    for (const char *c = words[word]; *c; c++) *end++ = *c;
    *end++ = ' ';
  }
  *end = 0;
  for (unsigned word = 0; word < 6; word++) {
    for (const char *at = text; (at = find(at, words[word])); at++) sum = sum * 31 + (uint64_t)(at - text);
  }
  for (const char *c = text; *c; c++) sum = (sum ^ (uint8_t)*c) * 1099511628211ull;
  return sum;
}

#define LIMBS 64
static uint64_t bignum(void) {
  static uint64_t a[LIMBS], b[LIMBS], product[2 * LIMBS];
  uint64_t state = 6, sum = 0;
  for (int i = 0; i < LIMBS; i++) {
    a[i] = next_random(&state) << 32 | next_random(&state);
    b[i] = next_random(&state) << 32 | next_random(&state);
  }
  for (int pass = 0; pass < 8; pass++) {
    memset(product, 0, sizeof product);
    for (int i = 0; i < LIMBS; i++) {
      uint64_t carry = 0;
      for (int j = 0; j < LIMBS; j++) {
        unsigned __int128 value = (unsigned __int128)a[i] * b[j] + product[i + j] + carry;
        product[i + j] = (uint64_t)value;
        carry = (uint64_t)(value >> 64);
      }
      product[i + LIMBS] = carry;
    }
    memcpy(a, product + LIMBS / 2, sizeof a);
  }
  for (int i = 0; i < LIMBS; i++) sum = sum * 31 + a[i];
  return sum;
}

const struct bench integer_benches[] = {
    {"integer", "list", list, 16143220738945574400u, 0},
    {"integer", "matrix", matrix, 9837730889729100374u, 0},
    {"integer", "state-machine", state_machine, 532458970387712, 0},
    {"integer", "sort", sort, 16104773980396452890u, 0},
    {"integer", "crc", crc, 2119924159, 0},
    {"integer", "sieve", sieve, 6542, 0},
    {"integer", "interpreter", interpreter, 4975833105340738423u, 0},
    {"integer", "fib", fib, 17711, 0},
    {"integer", "string", string, 11372687294459288254u, 0},
    {"integer", "bignum", bignum, 12497403112968868877u, 0},
    {0, 0, 0, 0, 0},
};
