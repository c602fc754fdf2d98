/* test_settings.c - which of several places says what holds, and where an error is */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/path.h"
#include "cli/settings.h"

static char dir[] = "/tmp/ketch-settings.XXXXXX";

static void put(const char *path, const char *text)
{
	autofree char *whole = str_printf("%s/%s", dir, path);

	assert_int_equal(write_file_swap(AT_FDCWD, whole, 0600, text, strlen(text)), 0);
}

static void clear(const char *path)
{
	autofree char *whole = str_printf("%s/%s", dir, path);

	unlink(whole);
}

static void clear_all(void)
{
	static const char *const files[] = { "etc/ketch.conf",
					     "etc/ketch.conf.d/10-a.conf",
					     "etc/ketch.conf.d/20-b.conf",
					     "etc/ketch.conf.d/other",
					     "home/.config/ketch/ketch.conf",
					     "xdg/ketch/ketch.conf",
					     "my.conf" };
	static const char *const variables[] = { "KETCH_CONFIG", "KETCH_MEMORY", "KETCH_RUN_ROOT",
						 "KETCH_ROOT", "XDG_CONFIG_HOME" };
	autofree char *home = str_printf("%s/home", dir);

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		clear(files[i]);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	setenv("HOME", home, 1);
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "etc",	    "etc/ketch.conf.d",	  "home",
					    "home/.config", "home/.config/ketch", "xdg",
					    "xdg/ketch" };

	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		autofree char *path = str_printf("%s/%s", dir, dirs[i]);

		if (mkdir(path, 0700) < 0)
			return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	clear_all();
	return remove_tree(AT_FDCWD, dir);
}

static int read_all(struct settings *ret, struct err *e)
{
	autofree char *etc = str_printf("%s/etc", dir);

	return settings_read(etc, ret, e);
}

static void expect(const char *key, const char *wanted)
{
	AUTO(settings_done) struct settings s = { 0 };
	struct err e = { 0 };

	if (read_all(&s, &e) < 0)
		fail_msg("%s", e.msg);
	if (!wanted)
		assert_null(settings_get(&s, key));
	else
		assert_string_equal(settings_get(&s, key), wanted);
}

static void a_later_place_goes_before_an_earlier_one(void **state)
{
	autofree char *xdg = str_printf("%s/xdg", dir);

	clear_all();
	expect("memory", NULL);
	put("etc/ketch.conf", "memory = 1m\nrun_root = /r\n");
	expect("memory", "1m");
	put("etc/ketch.conf.d/20-b.conf", "memory = 3m\n");
	put("etc/ketch.conf.d/10-a.conf", "memory = 2m\n");
	put("etc/ketch.conf.d/other", "memory = 99m\n");
	expect("memory", "3m");
	put("home/.config/ketch/ketch.conf", "memory = 4m\n");
	expect("memory", "4m");
	put("xdg/ketch/ketch.conf", "memory = 5m\n");
	setenv("XDG_CONFIG_HOME", xdg, 1);
	expect("memory", "5m");
	setenv("KETCH_MEMORY", "6m", 1);
	expect("memory", "6m");
	setenv("KETCH_MEMORY", "", 1);
	expect("memory", "5m");
	expect("run-root", "/r");
	setenv("KETCH_RUN_ROOT", "/s", 1);
	expect("run-root", "/s");
}

static void one_file_can_stand_for_all(void **state)
{
	autofree char *mine = str_printf("%s/my.conf", dir);

	clear_all();
	put("etc/ketch.conf", "memory = 1m\nroot = /r\n");
	put("my.conf", "memory = 7m\n");
	setenv("KETCH_CONFIG", mine, 1);
	expect("memory", "7m");
	expect("root", NULL);
	setenv("KETCH_CONFIG", "", 1);
	expect("memory", NULL);
}

static void check_refused(const char *words)
{
	AUTO(settings_done) struct settings s = { 0 };
	struct err e = { 0 };
	autofree char *whole = str_printf("%s%s", *words == '/' ? dir : "", words);

	assert_true(read_all(&s, &e) < 0);
	assert_string_equal(e.msg, whole);
	assert_int_equal(s.values.n, 0);
}

static void an_error_says_where_it_is(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "\nmemroy = 1m", "/etc/ketch.conf:2: unknown key: memroy (did you mean memory?)" },
		{ "zzz = 1m", "/etc/ketch.conf:1: unknown key: zzz (ketch.conf(5) lists them)" },
		{ "memory = much",
		  "/etc/ketch.conf:1: invalid value for memory: \"much\" must be a size such as 512m or 2g" },
		{ "isolation = jail", "/etc/ketch.conf:1: invalid value for isolation: \"jail\" must be one "
				      "of container|vm|auto" },
		{ "memory = 1m\nmemory = 2m", "/etc/ketch.conf:2: memory is set twice" },
		{ "privileged = true",
		  "/etc/ketch.conf:1: unknown key: privileged (ketch.conf(5) lists them)" },
	};

	struct err e = { 0 };

	clear_all();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put("etc/ketch.conf", cases[i].text);
		check_refused(cases[i].words);
	}
	clear("etc/ketch.conf");
	setenv("KETCH_MEMORY", "much", 1);
	check_refused("KETCH_MEMORY: invalid value for memory: \"much\" must be a size such as 512m or 2g");
	unsetenv("KETCH_MEMORY");
	setenv("KETCH_CONFIG", "/nosuch/file", 1);
	assert_true(read_all(&(struct settings){ 0 }, &e) < 0);
	assert_string_equal(e.msg, "/nosuch/file: no such file or directory");
}

/* A home that somebody else has closed, as a service may have it. */
static void a_file_of_the_user_that_may_not_be_read_is_left_out(void **state)
{
	autofree char *xdg = str_printf("%s/xdg", dir);
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	clear_all();
	put("etc/ketch.conf", "memory = 1m");
	put("xdg/ketch/ketch.conf", "memory = 2m");
	setenv("XDG_CONFIG_HOME", xdg, 1);
	expect("memory", "2m");
	pid = fork();
	if (pid == 0) {
		struct settings s = { 0 };
		struct err e = { 0 };
		autofree char *etc = str_printf("%s/etc", dir);

		if (chmod(dir, 0711) < 0 || chmod(etc, 0755) < 0 || chmod(xdg, 0700) < 0)
			_exit(1);
		for (size_t i = 0; i < 2; i++) {
			autofree char *file = str_printf("%s/etc/ketch.conf%s", dir, i ? ".d" : "");

			if (chmod(file, 0755) < 0)
				_exit(2);
		}
		if (setresuid(65534, 65534, 65534) < 0)
			_exit(3);
		if (settings_read(etc, &s, &e) < 0 || strcmp(settings_get(&s, "memory"), "1m") != 0)
			_exit(4);
		/* what was named is not left out */
		setenv("KETCH_CONFIG", "/proc/1/environ", 1);
		_exit(settings_read(etc, &s, &e) == -EACCES ? 0 : 5);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_later_place_goes_before_an_earlier_one),
		cmocka_unit_test(one_file_can_stand_for_all),
		cmocka_unit_test(an_error_says_where_it_is),
		cmocka_unit_test(a_file_of_the_user_that_may_not_be_read_is_left_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
