// SPDX-License-Identifier: Apache-2.0
// Tries the semihosting calls and ends with exit code 0, or with the number of the first check that fails. Its
// command line says what there is: "files" (a folder with what suites.py puts there) or "nofiles", and "code N" in
// place of all of it: an end with that code.

typedef unsigned long word;

enum {
  OPEN = 1, CLOSE, WRITEC, WRITE0, WRITE, READ, READC, ISERROR, ISTTY, SEEK, FLEN = 0xc, TMPNAM, REMOVE, RENAME,
  CLOCK, TIME, SYSTEM, ERRNO, GET_CMDLINE = 0x15, HEAPINFO, EXIT = 0x18, EXIT_EXTENDED = 0x20, ELAPSED = 0x30, TICKFREQ
};
enum { READ_MODE = 0, WRITE_MODE = 4, APPEND_MODE = 8 };
#define APPLICATION_EXIT 0x20026
#define NOWHERE ((const void *)0x10)  // there is no memory
#define ENOENT 2
#define EACCES 13
#define EFAULT 14
#define EXDEV 18

static long semihost(word number, const void *parameter) {
  register word a0 asm("a0") = number;
  register const void *a1 asm("a1") = parameter;
  asm volatile(".option push\n.option norvc\nslli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
               : "+r"(a0) : "r"(a1) : "memory");
  return (long)a0;
}
#define CALL(number, ...) semihost(number, (const word[]){__VA_ARGS__})

static void end(word code) {
  CALL(EXIT_EXTENDED, APPLICATION_EXIT, code);
  for (;;) {
  }
}
static unsigned checks;
#define CHECK_THAT(condition) \
  do {                        \
    ++checks;                 \
    if (!(condition)) {       \
      say("failed: " #condition "\n"); \
      end(checks);            \
    }                         \
  } while (0)

static word length(const char *text) {
  word n = 0;
  while (text[n]) n++;
  return n;
}
static void say(const char *text) { semihost(WRITE0, text); }
static int same(const char *a, const char *b, word n) {
  for (word i = 0; i < n; i++)
    if (a[i] != b[i]) return 0;
  return 1;
}
static long open(const char *name, word mode) { return CALL(OPEN, (word)name, mode, length(name)); }

static void features(void) {
  char bytes[8];
  const long handle = open(":semihosting-features", READ_MODE);
  CHECK_THAT(handle > 0);
  CHECK_THAT(CALL(FLEN, handle) == 5);
  CHECK_THAT(CALL(READ, handle, (word)bytes, 8) == 3);
  CHECK_THAT(same(bytes, "SHFB\3", 5));
  CHECK_THAT(CALL(READ, handle, (word)bytes, 8) == 8);
  CHECK_THAT(CALL(SEEK, handle, 4) == 0);
  CHECK_THAT(CALL(READ, handle, (word)bytes, 1) == 0 && bytes[0] == 3);
  CHECK_THAT(CALL(ISTTY, handle) == 0);
  CHECK_THAT(CALL(CLOSE, handle) == 0);
  CHECK_THAT(CALL(CLOSE, handle) == -1);
  CHECK_THAT(open(":semihosting-features", WRITE_MODE) == -1);
}

static void console(void) {
  const long out = open(":tt", WRITE_MODE);
  const long err = open(":tt", APPEND_MODE);
  CHECK_THAT(out > 0 && err > 0 && out != err);
  CHECK_THAT(CALL(ISTTY, out) == 1);
  CHECK_THAT(CALL(WRITE, out, (word)"MARK out\n", 9) == 0);
  CHECK_THAT(CALL(WRITE, err, (word)"MARK err\n", 9) == 0);
  semihost(WRITEC, "M");
  say("ARK console\n");
  CHECK_THAT(CALL(SEEK, out, 0) == -1);
  CHECK_THAT(CALL(CLOSE, err) == 0);
  CHECK_THAT(CALL(WRITE, err, (word)"x", 1) == 1);
}

// What a bad address leads to is a failed call.
static void faults(void) {
  CHECK_THAT(semihost(OPEN, NOWHERE) == -1);
  CHECK_THAT(semihost(ERRNO, 0) == EFAULT);
  CHECK_THAT(CALL(OPEN, (word)NOWHERE, READ_MODE, 4) == -1);
  CHECK_THAT(CALL(OPEN, (word)":tt", READ_MODE, ~0ul) == -1);
  CHECK_THAT(CALL(OPEN, (word)":tt", 12, 3) == -1);
  const long out = open(":tt", WRITE_MODE);
  CHECK_THAT(CALL(WRITE, out, (word)NOWHERE, 7) == 7);
  CHECK_THAT(CALL(WRITE, 1000, (word)"x", 1) == 1);
  CHECK_THAT(CALL(READ, ~0ul, (word)"x", 1) == 1);
  CHECK_THAT(semihost(WRITE0, NOWHERE) == -1);
  CHECK_THAT(CALL(GET_CMDLINE, (word)NOWHERE, 100) == -1);
  CHECK_THAT(CALL(HEAPINFO, (word)NOWHERE) == -1);
  CHECK_THAT(semihost(0x99, 0) == -1);
}

static void services(void) {
  word ticks[2] = {};
  char name[32];
  CHECK_THAT(semihost(ELAPSED, &ticks[0]) == 0);
  CHECK_THAT(semihost(ELAPSED, &ticks[1]) == 0);
  CHECK_THAT(ticks[0] <= ticks[1]);
  CHECK_THAT(semihost(TICKFREQ, 0) > 0);
  CHECK_THAT(semihost(CLOCK, 0) >= 0);
  CHECK_THAT(semihost(TIME, 0) > 1700000000);
  CHECK_THAT(CALL(SYSTEM, (word)"true", 4) == -1);
  CHECK_THAT(CALL(ISERROR, -1ul) != 0 && CALL(ISERROR, 1) == 0);
  CHECK_THAT(CALL(TMPNAM, (word)name, 7, sizeof name) == 0 && name[0] != '/');
  CHECK_THAT(CALL(TMPNAM, (word)name, 7, 2) == -1);
  CHECK_THAT(CALL(TMPNAM, (word)name, 256, sizeof name) == -1);
}

static void files(void) {
  char bytes[16];
  long file = open("made", WRITE_MODE);
  CHECK_THAT(file > 0);
  CHECK_THAT(CALL(WRITE, file, (word)"hello", 5) == 0);
  CHECK_THAT(CALL(CLOSE, file) == 0);
  file = open("made", APPEND_MODE);
  CHECK_THAT(CALL(WRITE, file, (word)" you", 4) == 0 && CALL(CLOSE, file) == 0);
  file = open("made", READ_MODE);
  CHECK_THAT(CALL(FLEN, file) == 9 && CALL(ISTTY, file) == 0);
  CHECK_THAT(CALL(SEEK, file, 6) == 0);
  CHECK_THAT(CALL(READ, file, (word)bytes, sizeof bytes) == sizeof bytes - 3 && same(bytes, "you", 3));
  CHECK_THAT(CALL(READ, file, (word)bytes, sizeof bytes) == sizeof bytes);
  CHECK_THAT(CALL(WRITE, file, (word)"x", 1) == 1);
  CHECK_THAT(CALL(SEEK, file, 0) == 0 && CALL(READ, file, 0x10, 4) == 4);
  CHECK_THAT(CALL(CLOSE, file) == 0);
  CHECK_THAT(CALL(RENAME, (word)"made", 4, (word)"kept", 4) == 0);
  CHECK_THAT(open("made", READ_MODE) == -1 && semihost(ERRNO, 0) == ENOENT);
  CHECK_THAT(CALL(REMOVE, (word)"doomed", 6) == 0);
  CHECK_THAT(CALL(REMOVE, (word)"doomed", 6) == ENOENT);
  CHECK_THAT(open("../secret", READ_MODE) == -1 && semihost(ERRNO, 0) == EXDEV);
  CHECK_THAT(open("/etc/passwd", READ_MODE) == -1 && semihost(ERRNO, 0) == EXDEV);
  CHECK_THAT(open("link", READ_MODE) == -1 && semihost(ERRNO, 0) == EXDEV);
  CHECK_THAT(CALL(REMOVE, (word)"../secret", 9) == EXDEV);
  CHECK_THAT(CALL(RENAME, (word)"kept", 4, (word)"../stolen", 9) == EXDEV);
}

static void no_files(void) {
  CHECK_THAT(open("kept", READ_MODE) == -1 && semihost(ERRNO, 0) == EACCES);
  CHECK_THAT(open("made", WRITE_MODE) == -1);
  CHECK_THAT(CALL(REMOVE, (word)"kept", 4) == EACCES);
}

// Echoes up to a dot.
static void echo(void) {
  char text[2] = {};
  for (;;) {
    text[0] = (char)semihost(READC, 0);
    if (text[0] == '.') return;
    say(text);
  }
}

void main_(void) {
  static char line[4096];
  word block[2] = {(word)line, sizeof line};
  CHECK_THAT(semihost(GET_CMDLINE, block) == 0);
  CHECK_THAT(block[1] == length(line));
  block[1] = length(line);
  CHECK_THAT(semihost(GET_CMDLINE, block) == -1);
  if (same(line, "code ", 5)) {
    word code = 0;
    for (const char *digit = line + 5; *digit; digit++) code = code * 10 + (word)(*digit - '0');
    if (line[5] == '0') CALL(EXIT, 0x20023, 0);  // an error of the program, without a code
    CALL(EXIT, APPLICATION_EXIT, code);
  }
  if (same(line, "echo", 5)) {
    echo();
    end(0);
  }
  features();
  console();
  faults();
  services();
  same(line, "files", 6) ? files() : no_files();
  end(0);
}

asm(".section .text.start\n.globl _start\n_start:\nla sp, stack + 16384\ncall main_\n"
    ".bss\n.balign 16\nstack: .space 16384\n.text");
