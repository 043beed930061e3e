// SPDX-License-Identifier: Apache-2.0
// usage: bench [c]MILLISECONDS GROUP|NAME|all...
// Runs each benchmark named for at least that long (with c: by CPU time) and
// prints "BENCH NAME iterations ns"; "SKIP NAME"
// where memory is short or harts are few. A wrong result is "FAIL NAME result" and exit code 1. The START lines let a
// reader of the console put its own clock to the same work.
#include "bench.h"

int run_main(int count, char **arguments);

static bool enough_memory(unsigned megabytes) {
  uint64_t info[32] = {0};  // struct sysinfo: word 5 is freeram, in bytes on 64-bit machines
  SYS(sysinfo, (long)info);
  return info[5] >> 20 >= megabytes + megabytes / 8;
}

static bool fits(const struct bench *bench) {
  return (!bench->megabytes || enough_memory(bench->megabytes)) && bench->harts <= harts_online();
}

static void print_line(const char *word, const struct bench *bench) {
  print(word);
  print(" ");
  print(bench->name);
}

static void run_once(const struct bench *bench) {
  uint64_t result = bench->run();
  if (result == bench->result) return;
  print_line("FAIL", bench);
  print(" ");
  print_number(result);
  print("\n");
  exit_with(1);
}

static void measure(const struct bench *bench, enum clock clock, uint64_t least_ns) {
  if (!fits(bench)) {
    print_line("SKIP", bench);
    print("\n");
    return;
  }
  // What a benchmark prepares is prepared in its first run.
  run_once(bench);
  print_line("START", bench);
  print("\n");
  uint64_t begin = now_ns(clock), took = 0, n = 0;
  do {
    run_once(bench);
    n++;
    took = now_ns(clock) - begin;
  } while (took < least_ns);
  print_line("BENCH", bench);
  print(" ");
  print_number(bench->steps ? n * bench->steps : n);
  print(" ");
  print_number(took);
  print("\n");
}

static bool wanted(const struct bench *bench, char **names) {
  for (; *names; names++) {
    if (equal(*names, "all") || equal(*names, bench->group) || equal(*names, bench->name)) return true;
  }
  return false;
}

int run_main(int count, char **arguments) {
  // Memory comes last: what it keeps would make every fork dear.
  static const struct bench *const groups[] = {integer_benches, float_benches,  system_benches, smp_benches,
                                               layout_benches,  memory_benches, sweep_benches};
  // What fork+exec starts.
  if (count == 2 && equal(arguments[1], "true")) return 0;
  if (count < 3) {
    print("usage: bench [c]MILLISECONDS GROUP|NAME|all...\n");
    return 2;
  }
  uint64_t ms = 0;
  enum clock clock = arguments[1][0] == 'c' ? CPU_CLOCK : WALL_CLOCK;
  for (const char *digit = arguments[1] + (clock == CPU_CLOCK); *digit; digit++) {
    ms = ms * 10 + (uint64_t)(*digit - '0');
  }
  for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++) {
    for (const struct bench *bench = groups[i]; bench->name; bench++) {
      if (wanted(bench, arguments + 2)) measure(bench, clock, ms * 1000000);
    }
  }
  return 0;
}
