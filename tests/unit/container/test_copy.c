/* test_copy.c - files go into containers and out of them; as root */
#include "rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../files/tarball.h"
#include "base/auto.h"
#include "files/untar.h"

static struct rig *start_sleeper(const char *spec)
{
	struct rig *r = rig_new(spec);

	if (rig_start(r) < 0)
		fail_msg("%s", r->err.msg);
	rig_main(r);
	rig_until_output(r, 0, "up");
	return r;
}

#define SLEEP	"\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; sleep 100\"]}}"
#define SLEEPER "{" SLEEP

static void ask(struct rig *r, enum msg_type type, unsigned stream, const char *json)
{
	rig_send(r, type, stream, json, strlen(json));
}

/* Puts an archive, which is emptied, and waits for the end. */
static void put(struct rig *r, unsigned stream, const char *json, struct buf *tar)
{
	tar_end(tar);
	ask(r, MSG_PUT, stream, json);
	rig_until(r, &r->s[stream].started);
	rig_send(r, MSG_STDIN, stream, tar->data, tar->len);
	rig_send(r, MSG_STDIN_EOF, stream, NULL, 0);
	rig_until(r, &r->s[stream].exited);
	buf_done(tar);
}

static void expect_refusal(struct rig *r, enum msg_type type, unsigned stream, const char *json,
			   const char *text)
{
	ask(r, type, stream, json);
	rig_until(r, &r->s[stream].failed);
	if (!strstr(rig_text(r, stream), text))
		fail_msg("%s: %s", json, rig_text(r, stream));
}

static void end(struct rig *r)
{
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	rig_done(r);
}

/* The first entry of what came out. */
static struct entry first_entry(struct rig *r, unsigned stream, struct untar **ret)
{
	struct buf b = { 0 };
	struct entry en;
	struct err e;

	buf_add(&b, r->s[stream].out.data, r->s[stream].out.len);
	*ret = untar_new(tar_open(&b));
	assert_int_equal(untar_next(*ret, &en, &e), 1);
	return en;
}

static void what_goes_in_is_there_and_comes_out_again(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);
	struct buf tar = { 0 };
	struct untar *u;
	struct entry en;
	struct err e;
	const void *data;

	tar_file(&tar, "name", "hello");
	put(r, 1, "{\"path\":\"/tmp/file\"}", &tar);
	assert_int_equal(r->s[1].status, 0);
	rig_exec(r, 2, "{\"args\":[\"stat\",\"-c\",\"%u %g %a %s\",\"/tmp/file\"],\"env\":[\"PATH=/bin\"]}");
	rig_until(r, &r->s[2].exited);
	assert_string_equal(rig_out(r, 2), "0 0 755 5\n");
	ask(r, MSG_GET, 3, "{\"path\":\"/tmp/file\"}");
	rig_until(r, &r->s[3].exited);
	assert_int_equal(r->s[3].status, 0);
	en = first_entry(r, 3, &u);
	assert_string_equal(en.path, "file");
	assert_int_equal(en.mtime.tv_sec, 1000);
	assert_int_equal(untar_read(u, &data, &e), 5);
	assert_memory_equal(data, "hello", 5);
	untar_free(u);
	end(r);
}

static void owners_stay_when_that_was_asked(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);
	struct buf tar = { 0 };

	tar_file(&tar, "name", "hello");
	put(r, 1, "{\"path\":\"/tmp\",\"keepOwner\":true}", &tar);
	rig_exec(r, 2, "{\"args\":[\"stat\",\"-c\",\"%u %g\",\"/tmp/name\"],\"env\":[\"PATH=/bin\"]}");
	rig_until(r, &r->s[2].exited);
	assert_string_equal(rig_out(r, 2), "1000 1001\n");
	end(r);
}

static void mounts_are_as_the_container_sees_them(void **state)
{
	struct rig *r =
		rig_new("{\"mounts\":[{\"type\":\"bind\",\"source\":\"/x\",\"target\":\"/rw\"},"
			"{\"type\":\"bind\",\"source\":\"/y\",\"target\":\"/ro\",\"readOnly\":true}]," SLEEP);
	autofree char *path = str_printf("%s/x/name", r->dir);
	struct buf tar = { 0 };
	struct stat st;

	rig_mount_fd(r, 0, "x");
	rig_mount_fd(r, 1, "y");
	if (rig_start(r) < 0)
		fail_msg("%s", r->err.msg);
	rig_main(r);
	rig_until_output(r, 0, "up");
	tar_file(&tar, "name", "hello");
	put(r, 1, "{\"path\":\"/rw\"}", &tar);
	assert_int_equal(stat(path, &st), 0);
	tar_file(&tar, "name", "hello");
	put(r, 2, "{\"path\":\"/ro\"}", &tar);
	assert_int_equal(r->s[2].status, 1);
	assert_non_null(strstr(rig_err(r, 2), "read-only"));
	end(r);
}

static void in_a_user_namespace_owners_are_those_of_inside(void **state)
{
	struct rig *r = start_sleeper("{\"userns\":true," SLEEP);
	struct buf tar = { 0 };
	struct untar *u;
	struct entry en;

	tar_file(&tar, "name", "hello");
	put(r, 1, "{\"path\":\"/tmp\",\"keepOwner\":true}", &tar);
	if (r->s[1].status)
		fail_msg("%s", rig_err(r, 1));
	ask(r, MSG_GET, 2, "{\"path\":\"/tmp/name\"}");
	rig_until(r, &r->s[2].exited);
	en = first_entry(r, 2, &u);
	assert_true(en.uid == 1000 && en.gid == 1001);
	untar_free(u);
	end(r);
}

static void bad_requests_are_refused(void **state)
{
	static const struct {
		enum msg_type type;
		const char *json, *text;
	} rows[] = {
		{ MSG_GET, "{\"path\":\"/none\"}", "/none: no such file" },
		{ MSG_GET, "{\"path\":\"/etc/passwd/x\"}", "not a directory" },
		{ MSG_GET, "{\"path\":\"\"}", "no path" },
		{ MSG_GET, "{}", "no path" },
		{ MSG_GET, "[]", "" },
		{ MSG_GET, "{\"path\":\"/etc\",\"else\":1}", "else" },
		{ MSG_PUT, "{\"path\":\"/none/x\"}", "no such file" },
		{ MSG_PUT, "{\"path\":\"/etc/passwd/\"}", "no directory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = start_sleeper(SLEEPER);

		expect_refusal(r, rows[i].type, 1, rows[i].json, rows[i].text);
		end(r);
	}
}

static void what_does_not_run_has_no_files(void **state)
{
	struct rig *r = rig_new("{}");

	assert_int_equal(rig_start(r), 0);
	rig_until(r, &r->ready);
	expect_refusal(r, MSG_GET, 1, "{\"path\":\"/\"}", "not running");
	rig_done(r);
}

static unsigned count_fds(uint32_t pid)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	d = opendir(path);
	assert_non_null(d);
	for (struct dirent *de; (de = readdir(d));)
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

/* The last number of "NSpid:	1234	5"; what follows in the text is cut off. */
static const char *inside_pid(char *status)
{
	char *line = strstr(status, "NSpid:");

	assert_non_null(line);
	line[strcspn(line, "\n")] = '\0';
	return strrchr(line, '\t') + 1;
}

/* A PUT that waits for its archive is looked at. */
static void the_copying_process_has_few_rights(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);
	AUTO(buf_done) struct buf status = { 0 };
	autofree char *command = NULL;
	char path[64];

	ask(r, MSG_PUT, 1, "{\"path\":\"/tmp\"}");
	rig_until(r, &r->s[1].started);
	snprintf(path, sizeof(path), "/proc/%u/status", r->s[1].pid);
	assert_int_equal(read_file(AT_FDCWD, path, 65536, &status), 0);
	/* CHOWN, DAC_OVERRIDE, FOWNER, FSETID */
	assert_non_null(strstr(status.data, "CapEff:\t000000000000001b\n"));
	assert_non_null(strstr(status.data, "CapBnd:\t000000000000001b\n"));
	assert_non_null(strstr(status.data, "CapInh:\t0000000000000000\n"));
	assert_non_null(strstr(status.data, "NoNewPrivs:\t1\n"));
	/* stdio, the root, the directory and the one above it */
	assert_in_range(count_fds(r->s[1].pid), 4, 6);
	/* nobody inside may look into it: no program, no directory, no memory */
	command =
		str_printf("{\"args\":[\"sh\",\"-c\",\"cd /proc/%s && ! readlink exe && ! ls root/ && ! cat "
			   "maps && echo shut\"],\"env\":[\"PATH=/bin\"]}",
			   inside_pid(status.data));
	rig_exec(r, 2, command);
	rig_until(r, &r->s[2].exited);
	assert_string_equal(rig_out(r, 2), "shut\n");
	end(r);
}

static void a_copy_ends_with_the_container_or_when_it_is_told(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	ask(r, MSG_PUT, 1, "{\"path\":\"/tmp\"}");
	ask(r, MSG_PUT, 2, "{\"path\":\"/tmp\"}");
	rig_until(r, &r->s[1].started);
	rig_until(r, &r->s[2].started);
	rig_send2(r, MSG_SIGNAL, 1, SIGKILL, 0);
	rig_until(r, &r->s[1].exited);
	assert_int_equal(r->s[1].status, 128 + SIGKILL);
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[2].status, 128 + SIGKILL);
	rig_done(r);
}

/* The kill comes before it has said that it has begun. */
static void a_hold_that_is_given_up_at_once_lets_all_go_on(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	for (unsigned i = 1; i <= 2; i++) {
		ask(r, MSG_PUT, i, "{\"kind\":\"hold\"}");
		rig_send2(r, MSG_SIGNAL, i, SIGKILL, 0);
		rig_until(r, &r->s[i].exited);
		assert_false(r->s[i].failed);
	}
	rig_exec(r, 3, "{\"args\":[\"echo\",\"on\"],\"env\":[\"PATH=/bin\"]}");
	rig_until(r, &r->s[3].exited);
	assert_string_equal(rig_out(r, 3), "on\n");
	end(r);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, rig_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(what_goes_in_is_there_and_comes_out_again),
		TEST(owners_stay_when_that_was_asked),
		TEST(mounts_are_as_the_container_sees_them),
		TEST(in_a_user_namespace_owners_are_those_of_inside),
		TEST(bad_requests_are_refused),
		TEST(what_does_not_run_has_no_files),
		TEST(the_copying_process_has_few_rights),
		TEST(a_copy_ends_with_the_container_or_when_it_is_told),
		TEST(a_hold_that_is_given_up_at_once_lets_all_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
