/* spawn.c - the program ketch-net is started, with descriptors under the numbers that they have, and the lock it lives by */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/self.h"
#include "network/names_int.h"

int spawn_net(char *const argv[], const int *fds, size_t n)
{
	autofree char *program = self_program("ketch-net");
	char *envp[] = { NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	int r = 0;

	if (!program)
		return -ENOENT;
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	sigemptyset(&none); /* a command may hold signals back */
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	for (size_t i = 0; i < n && !r; i++)
		r = posix_spawn_file_actions_adddup2(&fa, fds[i], fds[i]);
	for (int i = 0; i < 3 && !r; i++)
		r = posix_spawn_file_actions_addopen(&fa, i, "/dev/null", O_RDWR, 0);
	if (!r)
		r = posix_spawn(&pid, program, &fa, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return -r;
}

int net_lock_take(int dir_fd, const char *name)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autoclose int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &fl) < 0)
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	return take_fd(&fd);
}

bool net_lock_is_held(int dir_fd, const char *name)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autoclose int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
}
