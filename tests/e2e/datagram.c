/* datagram.c - one datagram for tests, made static and copied into instances
 *
 *	datagram ADDRESS PORT	sends what is on stdin
 *	datagram PORT		prints the first that comes
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char bytes[65536];

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	int s = socket(AF_INET6, SOCK_DGRAM, 0);
	char text[64] = "";
	ssize_t n;

	if (argc < 2 || s < 0)
		return fail("socket");
	a.sin6_port = htons((uint16_t)atoi(argv[argc - 1]));
	if (argc == 2) {
		if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		    (n = recv(s, bytes, sizeof(bytes), 0)) < 0)
			return fail("recv");
		return write(STDOUT_FILENO, bytes, (size_t)n) == n ? 0 : fail("write");
	}
	snprintf(text, sizeof(text), "%s%s", strchr(argv[1], ':') ? "" : "::ffff:", argv[1]);
	n = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (inet_pton(AF_INET6, text, &a.sin6_addr) != 1 || n < 0 ||
	    sendto(s, bytes, (size_t)n, 0, (struct sockaddr *)&a, sizeof(a)) != n)
		return fail("sendto");
	return 0;
}
