/* ketch.c - the command line program: a short life with the rights of its caller */
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"

/* A standard descriptor that the caller closed must not become a socket or a database of ours. */
static int open_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR); /* not close-on-exec: it stands for stdio */
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}

int main(int argc, char **argv)
{
	if (open_stdio() < 0)
		return STATUS_USAGE;
	return cli_main(argv);
}
