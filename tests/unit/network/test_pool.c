/* test_pool.c - who hands out ports that are ready gives each away once, and keeps nobody waiting */
#include "../cm.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sanitized.h"
#include "network/pool_int.h"
#include "sys/scm.h"

#define LATE_MS 20000
#define SIZE	2

static void only_what_a_maker_sends_is_believed(void **state)
{
	static const struct {
		struct pool_message m;
		bool good;
	} rows[] = {
		{ { "kv-0123abcd", 2 }, true },
		{ { "kv-0123abcd", 0 }, false },
		{ { "kv-0123abcd", -1 }, false },
		{ { "kv-", 2 }, false },
		{ { "eth0", 2 }, false },
		{ { "kv-0123abcg", 2 }, false },
		{ { "kv-0123abcd01234", 2 }, false },
		{ { "kv-/../x", 2 }, false },
		{ { "", 2 }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(pool_message_check(&rows[i].m), rows[i].good);
}

/* --- a giver whose maker is the test */

struct place {
	char path[32];
	int lock, link; /* link: the maker's end */
	pid_t giver;
};

static int listen_at(const char *dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/pool", dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static struct pool_giver open_giver(struct place *p)
{
	char lock[48];
	int pair[2];
	struct pool_giver g = { .size = SIZE, .events_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };

	strcpy(p->path, "/tmp/ketch-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	snprintf(lock, sizeof(lock), "%s/pool.lock", p->path);
	p->lock = g.lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(inotify_add_watch(g.events_fd, lock, IN_ATTRIB) >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	g.socket_fd = listen_at(p->path);
	g.link_fd = pair[0];
	p->link = pair[1];
	return g;
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct pool_giver g;

	*state = p;
	if (geteuid() != 0 || SANITIZED)
		return 0;
	g = open_giver(p);
	p->giver = fork();
	if (p->giver == 0)
		pool_give(&g);
	close(g.link_fd);
	close(g.socket_fd);
	close(g.events_fd);
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	if (p->giver) {
		close(p->link);
		close(p->lock);
		waitpid(p->giver, NULL, 0);
		remove_tree(AT_FDCWD, p->path);
	}
	free(p);
	return 0;
}

static struct place *need(void **state)
{
	struct place *p = *state;

	if (!p->giver) {
		print_message("skipped: its sandbox is made by root, and has no room for a sanitizer\n");
		skip();
	}
	return p;
}

static void await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, LATE_MS), 1);
}

static void await_wish(const struct place *p)
{
	char byte;

	await(p->link);
	assert_int_equal(recv(p->link, &byte, 1, 0), 1);
}

/* A port whose namespace is a file with its number as size. */
static void make(const struct place *p, unsigned number)
{
	struct pool_message m = { .index = (int)number };
	int fd = memfd_create("port", MFD_CLOEXEC);

	snprintf(m.link, sizeof(m.link), "kv-%08x", number);
	assert_int_equal(ftruncate(fd, number), 0);
	assert_int_equal(scm_send(p->link, fd, &m, sizeof(m)), 0);
	close(fd);
}

/* The number of the port that is handed out; 0: none is ready. */
static unsigned take(const struct place *p)
{
	struct pool_port got;
	struct stat st;
	const struct timeval late = { .tv_sec = LATE_MS / 1000 };
	int asked = pool_ask(p->path);

	assert_true(asked >= 0);
	/* it answers, however late: who no longer waits would be given one all the same */
	assert_int_equal(setsockopt(asked, SOL_SOCKET, SO_RCVTIMEO, &late, sizeof(late)), 0);
	if (!pool_answer(asked, &got))
		return 0;
	assert_int_equal(fstat(got.netns_fd, &st), 0);
	assert_int_equal(st.st_size, got.index);
	close(got.netns_fd);
	return (unsigned)got.index;
}

static void each_is_given_once_and_then_another_is_wanted(void **state)
{
	struct place *p = need(state);
	unsigned first, second;
	char byte;

	await_wish(p);
	make(p, 1);
	await_wish(p); /* it has taken the first in */
	make(p, 2);
	while (!(first = take(p)))
		continue;
	while (!(second = take(p)))
		continue;
	assert_int_equal(first + second, 3);
	assert_int_equal(take(p), 0);
	await_wish(p);
	assert_int_equal(recv(p->link, &byte, 1, MSG_DONTWAIT), -1); /* one after the other */
}

static void who_asks_while_one_is_made_is_answered(void **state)
{
	struct place *p = need(state);

	await_wish(p);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(p), 0);
}

static void who_goes_before_the_answer_has_used_one_up(void **state)
{
	struct place *p = need(state);
	unsigned got = 0;

	await_wish(p);
	make(p, 1);
	await_wish(p);
	close(pool_ask(p->path));
	make(p, 2);
	while (!got)
		got = take(p);
	assert_int_equal(take(p), 0); /* whichever came first: of two there is none left */
}

static void it_ends_with_its_lock(void **state)
{
	struct place *p = need(state);
	char lock[48], byte;

	snprintf(lock, sizeof(lock), "%s/pool.lock", p->path);
	await_wish(p);
	assert_int_equal(unlink(lock), 0);
	await(p->link);
	assert_int_equal(recv(p->link, &byte, 1, 0), 0);
	assert_true(pool_ask(p->path) < 0);
}

static void it_ends_with_its_maker(void **state)
{
	struct place *p = need(state);
	int status;

	await_wish(p);
	assert_int_equal(shutdown(p->link, SHUT_RDWR), 0);
	assert_int_equal(waitpid(p->giver, &status, 0), p->giver);
	assert_true(WIFEXITED(status));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_a_maker_sends_is_believed),
		TEST(each_is_given_once_and_then_another_is_wanted),
		TEST(who_asks_while_one_is_made_is_answered),
		TEST(who_goes_before_the_answer_has_used_one_up),
		TEST(it_ends_with_its_lock),
		TEST(it_ends_with_its_maker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
