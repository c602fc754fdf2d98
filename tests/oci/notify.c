/* notify.c - sends its argument to the socket that NOTIFY_SOCKET names, as sd_notify(3) does */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (argc != 2 || path == NULL || strlen(path) >= sizeof(to.sun_path) || fd < 0)
		return 2;
	strcpy(to.sun_path, path);
	if (sendto(fd, argv[1], strlen(argv[1]), 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror(path);
		return 1;
	}
	return 0;
}
