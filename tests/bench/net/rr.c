// SPDX-License-Identifier: Apache-2.0
// Requests and responses of one byte each, one at a time, by TCP and by UDP (what netperf calls TCP_RR and UDP_RR).
// usage: rr server                      answers on port 5300 until it is killed
//        rr client ADDRESS SECONDS      prints "BENCH tcp-rr transactions ns" and the same for udp-rr, so many seconds
// each; a datagram that is not answered within a second is asked for again, and "LOST n" says how many these were.
#include "../user/rt.h"

int run_main(int count, char **arguments);

enum { PORT = 5300, AF_INET = 2, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOL_SOCKET = 1, IPPROTO_TCP = 6 };
enum { SO_REUSEADDR = 2, SO_RCVTIMEO = 20, TCP_NODELAY = 1, EAGAIN = 11, PR_SET_PDEATHSIG = 1, SIGKILL = 9 };
enum { STACK_BYTES = 1 << 16 };

// As struct sockaddr_in: port and address are big-endian.
struct address {
  uint16_t family;
  uint8_t port[2];
  uint8_t bytes[4];
  uint64_t zero;
};

static long open_socket(int type) {
  long fd = SYS(socket, AF_INET, type, 0);
  if (fd < 0) give_up("socket");
  return fd;
}

static void set_option(long fd, int level, int name, const void *value, size_t size) {
  if (SYS(setsockopt, fd, level, name, (long)value, (long)size)) give_up("setsockopt");
}

static struct address at_port(void) {
  return (struct address){.family = AF_INET, .port = {PORT >> 8, PORT & 0xff}};
}

static long listen_on(int type) {
  const struct address any = at_port();
  long fd = open_socket(type);
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (SYS(bind, fd, (long)&any, sizeof any)) give_up("bind");
  return fd;
}

static void serve_udp(void) {
  SYS(prctl, PR_SET_PDEATHSIG, SIGKILL);
  long fd = listen_on(SOCK_DGRAM);
  for (;;) {
    struct address from;
    uint8_t byte;
    int size = sizeof from;
    if (SYS(recvfrom, fd, (long)&byte, 1, 0, (long)&from, (long)&size) < 0) continue;
    SYS(sendto, fd, (long)&byte, 1, 0, (long)&from, size);
  }
}

static void serve_tcp(void) {
  long fd = listen_on(SOCK_STREAM);
  if (SYS(listen, fd, 1)) give_up("listen");
  for (;;) {
    long client = SYS(accept, fd, 0, 0);
    if (client < 0) continue;
    set_option(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    uint8_t byte;
    while (SYS(read, client, (long)&byte, 1) == 1) SYS(write, client, (long)&byte, 1);
    SYS(close, client);
  }
}

static uint64_t parse_number(const char **text) {
  uint64_t value = 0;
  while (**text >= '0' && **text <= '9') value = value * 10 + (uint64_t)(*(*text)++ - '0');
  return value;
}

static long connect_to(const char *text, int type) {
  struct address to = at_port();
  for (int i = 0; i < 4; i++) {
    to.bytes[i] = (uint8_t)parse_number(&text);
    if (*text++ != (i < 3 ? '.' : '\0')) give_up("address: four numbers with dots between");
  }
  long fd = open_socket(type);
  if (SYS(connect, fd, (long)&to, sizeof to)) give_up("connect: is rr server running there?");
  return fd;
}

// Returns how often it had to ask.
static unsigned transact(long fd, uint8_t byte) {
  for (unsigned asked = 1;; asked++) {
    uint8_t answer;
    if (SYS(write, fd, (long)&byte, 1) != 1) give_up("request");
    long got = SYS(read, fd, (long)&answer, 1);
    // An answer that comes after the request was made again is dropped with the wrong number.
    while (got == 1 && answer != byte) got = SYS(read, fd, (long)&answer, 1);
    if (got == 1) return asked;
    if (got != -EAGAIN) give_up("response");
  }
}

static void measure(const char *name, long fd, uint64_t least_ns) {
  transact(fd, 0xff);
  uint64_t begin = now_ns(WALL_CLOCK), took = 0, n = 0, lost = 0;
  do {
    lost += transact(fd, (uint8_t)(n % 251)) - 1;
    n++;
    took = now_ns(WALL_CLOCK) - begin;
  } while (took < least_ns);
  if (lost) {
    print("LOST ");
    print_number(lost);
    print("\n");
  }
  print("BENCH ");
  print(name);
  print(" ");
  print_number(n);
  print(" ");
  print_number(took);
  print("\n");
}

static void run_client(const char *address, uint64_t seconds) {
  const long a_second[2] = {1, 0};  // struct timeval
  long fd = connect_to(address, SOCK_STREAM);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  measure("tcp-rr", fd, seconds * 1000000000);
  fd = connect_to(address, SOCK_DGRAM);
  set_option(fd, SOL_SOCKET, SO_RCVTIMEO, a_second, sizeof a_second);
  measure("udp-rr", fd, seconds * 1000000000);
}

int run_main(int count, char **arguments) {
  if (count == 2 && equal(arguments[1], "server")) {
    start_worker(serve_udp, (uint8_t *)get_pages(STACK_BYTES) + STACK_BYTES);
    serve_tcp();
  } else if (count == 4 && equal(arguments[1], "client")) {
    const char *seconds = arguments[3];
    run_client(arguments[2], parse_number(&seconds));
    return 0;
  }
  print("usage: rr server | rr client ADDRESS SECONDS\n");
  return 1;
}
