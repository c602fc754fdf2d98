/* stream.c - both ends of what bench/vmm measures on a network: bytes one way, or a byte to and fro
 *
 *	stream serve                        in the guest: serves one connection after the other, for ever
 *	stream ADDRESS to|from|echo COUNT   on the host: writes the seconds that it took
 *
 * `to`: COUNT bytes to the guest, until it says that it has them; `from`: the guest sends them; `echo`: a byte goes there
 * and back COUNT times.  A connection begins with a struct wish; both ends are the same machine's.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT  5001
#define CHUNK (1 << 18)

struct wish {
	uint64_t count;
	char what[8];
};

static char buffer[CHUNK];

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void send_all(int fd, uint64_t n)
{
	while (n) {
		ssize_t r = write(fd, buffer, n < CHUNK ? n : CHUNK);

		must(r > 0, "write");
		n -= (uint64_t)r;
	}
}

static void receive_all(int fd, uint64_t n)
{
	while (n) {
		ssize_t r = read(fd, buffer, n < CHUNK ? n : CHUNK);

		must(r > 0, "read");
		n -= (uint64_t)r;
	}
}

static void echo(int fd, uint64_t n, int is_first)
{
	for (uint64_t i = 0; i < n; i++) {
		if (is_first)
			send_all(fd, 1);
		receive_all(fd, 1);
		if (!is_first)
			send_all(fd, 1);
	}
}

static void serve_one(int fd)
{
	struct wish w;

	if (read(fd, &w, sizeof(w)) != sizeof(w))
		return;
	if (!strcmp(w.what, "to")) {
		receive_all(fd, w.count);
		send_all(fd, 1);
	} else if (!strcmp(w.what, "from")) {
		send_all(fd, w.count);
	} else {
		echo(fd, w.count, 0);
	}
}

static void serve(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);

	must(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0, "setsockopt");
	must(bind(s, (struct sockaddr *)&at, sizeof(at)) == 0, "bind");
	must(listen(s, 8) == 0, "listen");
	puts("SERVES");
	fflush(stdout);
	for (;;) {
		int fd = accept(s, NULL, NULL);

		must(fd >= 0, "accept");
		must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0, "setsockopt");
		serve_one(fd);
		close(fd);
	}
}

static void ask(const char *address, const char *what, uint64_t count)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct wish w = { .count = count };
	struct timespec begin, end;
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);

	snprintf(w.what, sizeof(w.what), "%s", what);
	must(inet_pton(AF_INET, address, &to.sin_addr) == 1, "address");
	must(connect(s, (struct sockaddr *)&to, sizeof(to)) == 0, "connect");
	must(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0, "setsockopt");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	must(write(s, &w, sizeof(w)) == sizeof(w), "write");
	if (!strcmp(what, "to")) {
		send_all(s, count);
		receive_all(s, 1);
	} else if (!strcmp(what, "from")) {
		receive_all(s, count);
	} else {
		echo(s, count, 1);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.6f\n", (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		serve();
	if (argc != 4) {
		fprintf(stderr, "stream: stream serve | stream ADDRESS to|from|echo COUNT\n");
		return 2;
	}
	ask(argv[1], argv[2], strtoull(argv[3], NULL, 10));
	return 0;
}
