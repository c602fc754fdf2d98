/* test_names_keeper.c - the half of ketch-net that has rights is not at the mercy of the half that has none */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "network/names_int.h"

#define LATE_MS 20000

struct place {
	char path[32];
	int dir, lock, link, status; /* link, status: our ends, the worker's and the starter's */
	pid_t keeper;
};

static void make_files(struct place *p)
{
	strcpy(p->path, "/tmp/ketch-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->lock = openat(p->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write_file_swap(p->dir, "names", 0600, "{}", 2), 0);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	int pair[2], status[2];
	struct keeper k;

	*state = p;
	if (geteuid() != 0)
		return 0;
	make_files(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe_cloexec(status), 0);
	k = (struct keeper){ "ketch-test", p->dir, -1, p->lock, status[1], pair[0] };
	p->link = pair[1];
	p->status = status[0];
	p->keeper = fork();
	if (p->keeper == 0) {
		close(pair[1]);
		_exit(names_keep(&k));
	}
	close(pair[0]);
	close(status[1]);
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	if (p->keeper) {
		close(p->link);
		close(p->status);
		close(p->lock);
		close(p->dir);
		remove_tree(AT_FDCWD, p->path);
	}
	free(p);
	return 0;
}

/* Its end of the pipe, which it keeps until it is told that all is ready, goes with it. */
static void await_end(const struct place *p)
{
	struct pollfd end = { .fd = p->status, .events = POLLIN };

	assert_int_equal(poll(&end, 1, LATE_MS), 1);
	assert_int_equal(waitpid(p->keeper, NULL, 0), p->keeper);
}

static void a_network_that_has_gone_is_its_end(void **state)
{
	struct place *p = *state;

	if (!p->keeper) {
		print_message("skipped: it is root's\n");
		skip();
	}
	assert_int_equal(unlinkat(p->dir, "lock", 0), 0);
	assert_int_equal(unlinkat(p->dir, "names", 0), 0);
	await_end(p);
}

/* One that wishes and wishes, and hears no answer. */
static void a_worker_that_does_not_listen_does_not_hold_it_up(void **state)
{
	static struct link_wish w = { .kind = LINK_OPEN, .client = { .family = AF_INET } };
	struct place *p = *state;
	struct pollfd more;

	if (!p->keeper) {
		print_message("skipped: it is root's\n");
		skip();
	}
	snprintf(w.instance, sizeof(w.instance), "%032d", 1);
	more = (struct pollfd){ .fd = p->link, .events = POLLOUT };
	while (poll(&more, 1, 1000) == 1 && send(p->link, &w, sizeof(w), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		continue;
	unlinkat(p->dir, "lock", 0);
	unlinkat(p->dir, "names", 0);
	await_end(p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_network_that_has_gone_is_its_end),
		TEST(a_worker_that_does_not_listen_does_not_hold_it_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
