/* load.c - asks a name service as fast as it answers: load SERVER SECONDS WINDOW NAME...
 *
 * WINDOW questions are under way at any time; one that is not answered within a second is lost.  Prints answers a second,
 * and how many were wrong (no address) or lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32

static uint8_t queries[256][300];
static size_t lens[256];
static unsigned n_queries;

static void add_query(const char *name)
{
	uint8_t *q = queries[n_queries], *at = q + 12;

	memcpy(q, "\0\0\1\0\0\1\0\0\0\0\0\0", 12);
	while (*name) {
		size_t n = strcspn(name, ".");

		*at++ = (uint8_t)n;
		memcpy(at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	memcpy(at, "\0\0\1\0\1", 5);
	lens[n_queries++] = (size_t)(at + 5 - q);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ask(int fd, unsigned n)
{
	static uint16_t id;
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec io[BATCH][2];
	static uint16_t ids[BATCH];

	for (unsigned i = 0; i < n; i++) {
		unsigned which = id % n_queries;

		ids[i] = htons(id++);
		io[i][0] = (struct iovec){ &ids[i], 2 };
		io[i][1] = (struct iovec){ queries[which] + 2, lens[which] - 2 };
		m[i].msg_hdr.msg_iov = io[i];
		m[i].msg_hdr.msg_iovlen = 2;
	}
	if (sendmmsg(fd, m, n, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
		perror("sendmmsg");
}

static unsigned hear(int fd, unsigned long *wrong)
{
	static uint8_t data[BATCH][1500];
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec io[BATCH];
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		io[i] = (struct iovec){ data[i], sizeof(data[i]) };
		m[i].msg_hdr.msg_iov = &io[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		*wrong += (data[i][3] & 15) != 0 || data[i][7] == 0;
	return n > 0 ? (unsigned)n : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	unsigned long good = 0, wrong = 0, lost = 0;
	unsigned window, open = 0;
	double begin, end;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		fprintf(stderr, "usage: load SERVER SECONDS WINDOW NAME...\n");
		return 2;
	}
	window = (unsigned)atoi(argv[3]);
	for (int i = 4; i < argc && n_queries < 256; i++)
		add_query(argv[i]);
	begin = now();
	end = begin + atof(argv[2]);
	while (now() < end) {
		struct pollfd p = { fd, POLLIN, 0 };
		unsigned n;

		while (open < window) {
			n = window - open < BATCH ? window - open : BATCH;
			ask(fd, n);
			open += n;
		}
		if (poll(&p, 1, 1000) == 0) {
			lost += open;
			open = 0;
		}
		while ((n = hear(fd, &wrong)) > 0) {
			good += n;
			open -= n < open ? n : open;
		}
	}
	printf("%.0f answers/s, %lu wrong, %lu lost\n", (double)good / (now() - begin), wrong, lost);
	return wrong || lost;
}
