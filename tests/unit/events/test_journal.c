/* test_journal.c - the journal of a store: written, read, matched, begun anew, followed */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/path.h"
#include "events/journal.h"

static const struct strv no_filters;

static int open_dir(void **state)
{
	char name[] = "/tmp/ketch-journal.XXXXXX";
	int *dir = malloc(sizeof(*dir));

	if (!mkdtemp(name) || !dir)
		return -1;
	*dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = dir;
	return *dir < 0;
}

static int close_dir(void **state)
{
	char path[64], name[128];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", *(int *)*state);
	n = readlink(path, name, sizeof(name) - 1);
	close(*(int *)*state);
	free(*state);
	if (n < 0)
		return -1;
	name[n] = '\0';
	return remove_tree(AT_FDCWD, name);
}

static void tell(int dir, const char *action, const char *id)
{
	static char *labels[] = { (char *)"tier=web", NULL };
	const struct strv l = { labels, 1 };
	const struct event_news n = { "container", action, id, "box", "img:1", &l, NULL };

	assert_int_equal(journal_append(dir, &n), 0);
}

struct seen {
	struct buf text; /* "action id;" each */
	int stop_after;
	int dir; /* idle: writes one more */
	int idle;
};

static int see(void *arg, const struct event *ev, const char *line, size_t n)
{
	struct seen *s = arg;

	buf_addf(&s->text, "%s %s;", ev->action, ev->actor_id);
	assert_int_equal(line[n - 1], '}');
	return s->stop_after && --s->stop_after == 0;
}

static int idle(void *arg)
{
	struct seen *s = arg;

	if (!s->idle++)
		tell(s->dir, "late", "2");
	return 0;
}

static void read_all(int dir, const struct journal_query *q, const char *want)
{
	struct seen s = { .dir = dir };
	struct journal_reader rd = { see, idle, &s };
	struct err e;

	assert_int_equal(journal_read(dir, q, &rd, &e), 0);
	assert_string_equal(s.text.data ? s.text.data : "", want);
	buf_done(&s.text);
}

static void what_was_told_is_read_in_order(void **state)
{
	int dir = *(int *)*state;
	const struct journal_query q = { .filters = &no_filters };
	const struct journal_query from_now = { .since_ns = clock_real_ns() + NS_PER_S,
						.filters = &no_filters };

	read_all(dir, &q, "");
	tell(dir, "create", "1");
	tell(dir, "start", "1");
	read_all(dir, &q, "create 1;start 1;");
	read_all(dir, &from_now, "");
}

static void a_line_cut_off_by_a_full_disk_is_passed_over(void **state)
{
	int dir = *(int *)*state;
	autoclose int fd = openat(dir, "journal", O_WRONLY | O_APPEND | O_CLOEXEC);
	const struct journal_query q = { .filters = &no_filters };

	tell(dir, "before", "1");
	fd = fd < 0 ? openat(dir, "journal", O_WRONLY | O_APPEND | O_CLOEXEC) : fd;
	assert_int_equal(write(fd, "{\"Type\":\"conta", 14), 14);
	tell(dir, "lost", "1"); /* on the same line */
	tell(dir, "after", "1");
	read_all(dir, &q, "before 1;after 1;");
}

static void filters_are_or_within_a_key_and_and_between_keys(void **state)
{
	static const struct {
		const char *filters[3];
		const char *want;
	} cases[] = {
		{ { "event=start" }, "start abc;" },
		{ { "event=start", "event=exec_create" }, "start abc;exec_create: ls abc;" },
		{ { "event=start", "container=box" }, "start abc;" },
		{ { "container=ab" }, "start abc;exec_create: ls abc;" },
		{ { "container=other" }, "" },
		{ { "type=image" }, "" },
		{ { "image=img:1", "label=tier=web" }, "start abc;exec_create: ls abc;" },
		{ { "label=tier=db" }, "" },
		{ { "label=tier" }, "start abc;exec_create: ls abc;" },
		{ { "event=exec" }, "" },
	};
	int dir = *(int *)*state;

	tell(dir, "start", "abc");
	tell(dir, "exec_create: ls", "abc");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strv f = { 0 };
		struct journal_query q = { .filters = &f };
		struct err e;

		for (size_t k = 0; k < ARRAY_LEN(cases[i].filters) && cases[i].filters[k]; k++)
			strv_add(&f, cases[i].filters[k]);
		assert_int_equal(event_check_filters(&f, &e), 0);
		read_all(dir, &q, cases[i].want);
		strv_done(&f);
	}
}

static void an_unknown_filter_is_refused(void **state)
{
	static const char *const bad[] = { "color=red", "event", "=x", "" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct strv f = { 0 };
		struct err e = { 0 };

		strv_add(&f, bad[i]);
		assert_int_equal(event_check_filters(&f, &e), -EINVAL);
		strv_done(&f);
	}
}

static void labels_that_make_a_line_too_long_are_left_out(void **state)
{
	AUTO(buf_done) struct buf line = { 0 };
	AUTO(strv_done) struct strv labels = { 0 };
	struct event_news n = { "container", "start", "1", "box", "img", &labels, NULL };
	struct event ev;
	char big[EVENT_MAX];

	memset(big, 'x', sizeof(big) - 1);
	big[1] = '=';
	big[sizeof(big) - 1] = '\0';
	strv_add(&labels, big);
	assert_int_equal(event_print(&n, 5, &line), 0);
	assert_true(line.len <= EVENT_MAX);
	assert_int_equal(event_parse(line.data, line.len - 1, &ev), 0);
	assert_string_equal(strv_env_get(&ev.attributes, "name"), "box");
	assert_null(strv_env_get(&ev.attributes, "x"));
	event_done(&ev);
}

static void the_line_is_dockers(void **state)
{
	static const char *const more[] = { "exitCode=3", NULL };
	const struct event_news n = { "container", "die", "f00d", "box", "img:1", NULL, more };
	AUTO(buf_done) struct buf json = { 0 }, line = { 0 };
	struct event ev;

	assert_int_equal(event_print(&n, INT64_C(1700000000123456789), &json), 0);
	assert_string_equal(json.data,
			    "{\"status\":\"die\",\"id\":\"f00d\",\"from\":\"img:1\",\"Type\":\"container\","
			    "\"Action\":\"die\",\"Actor\":{\"ID\":\"f00d\",\"Attributes\":{"
			    "\"exitCode\":\"3\",\"image\":\"img:1\",\"name\":\"box\"}},\"scope\":\"local\","
			    "\"time\":1700000000,\"timeNano\":1700000000123456789}\n");
	assert_int_equal(event_parse(json.data, json.len - 1, &ev), 0);
	event_add_line(&ev, &line);
	assert_string_equal(line.data, "2023-11-14T22:13:20.123456789Z container die f00d "
				       "(exitCode=3, image=img:1, name=box)\n");
	event_done(&ev);
}

/* A reader that follows sees what comes while it waits, also behind a rotation. */
static void who_follows_sees_what_comes(void **state)
{
	int dir = *(int *)*state;
	struct seen s = { .dir = dir, .stop_after = 2 };
	struct journal_reader rd = { see, idle, &s };
	struct journal_query q = { .filters = &no_filters,
				   .until_ns = clock_real_ns() + 30 * NS_PER_S,
				   .follow = true };
	struct err e;

	tell(dir, "first", "1");
	assert_int_equal(journal_read(dir, &q, &rd, &e), 1);
	assert_string_equal(s.text.data, "first 1;late 2;");
	buf_done(&s.text);
}

static void it_ends_at_the_moment_that_was_asked_for(void **state)
{
	int dir = *(int *)*state;
	struct seen s = { .dir = dir, .idle = 1 };
	struct journal_reader rd = { see, idle, &s };
	struct journal_query q = { .filters = &no_filters,
				   .until_ns = clock_real_ns() + NS_PER_S / 20,
				   .follow = true };
	struct err e;

	assert_int_equal(journal_read(dir, &q, &rd, &e), 0);
	assert_true(clock_real_ns() >= q.until_ns);
}

static void a_large_journal_is_begun_anew_and_both_are_read(void **state)
{
	int dir = *(int *)*state;
	const struct journal_query q = { .filters = &no_filters };
	struct stat st;

	tell(dir, "old", "1");
	assert_int_equal(fstatat(dir, "journal.1", &st, 0), -1);
	{
		autoclose int fd = openat(dir, "journal", O_WRONLY | O_APPEND | O_CLOEXEC);
		char blank[4096];

		memset(blank, '\n', sizeof(blank));
		for (int i = 0; i < JOURNAL_MAX / 4096; i++)
			assert_int_equal(write(fd, blank, sizeof(blank)), (ssize_t)sizeof(blank));
	}
	tell(dir, "last", "1");
	assert_int_equal(fstatat(dir, "journal.1", &st, 0), 0);
	tell(dir, "new", "1");
	assert_int_equal(fstatat(dir, "journal", &st, 0), 0);
	assert_true(st.st_size < 1000);
	read_all(dir, &q, "old 1;last 1;new 1;");
}

#define WITH_DIR(fn) cmocka_unit_test_setup_teardown(fn, open_dir, close_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_DIR(what_was_told_is_read_in_order),
		WITH_DIR(a_line_cut_off_by_a_full_disk_is_passed_over),
		WITH_DIR(filters_are_or_within_a_key_and_and_between_keys),
		cmocka_unit_test(an_unknown_filter_is_refused),
		cmocka_unit_test(labels_that_make_a_line_too_long_are_left_out),
		cmocka_unit_test(the_line_is_dockers),
		WITH_DIR(who_follows_sees_what_comes),
		WITH_DIR(it_ends_at_the_moment_that_was_asked_for),
		WITH_DIR(a_large_journal_is_begun_anew_and_both_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
