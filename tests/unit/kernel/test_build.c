/* test_build.c - building a kernel: its commands, what it needs, what it leaves; with a fake source of Linux */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "fake_image.h"
#include "kernel/build_int.h"
#include "kernel/modules.h"
#include "sys/run.h"

#define CONFIG "CONFIG_A=y\n# CONFIG_B is not set\n"

/* What it does with the wanted options, and what it says; then the same for the compilation. */
#define MAKEFILE(configure, compile)                                                                         \
	"allnoconfig:\n\t@" configure "\nbzImage:\n\t@mkdir -p $(O)/arch/x86/boot\n\t@" compile              \
	"\n\t@cp image $(O)/arch/x86/boot/bzImage; cp builtin $(O)/modules.builtin\n"
#define GOOD MAKEFILE("cp $(KCONFIG_ALLCONFIG) $(O)/.config", "echo '  CC      a.o'")

struct place {
	char path[32];
	char *root, *source, *archive;
	int fd;
	struct buf told;
};

static char *below(const struct place *p, const char *name)
{
	return str_printf("%s/%s", p->path, name);
}

static void put(const struct place *p, const char *name, const void *data, size_t n)
{
	assert_int_equal(write_file_atomic(p->fd, name, 0644, data, n), 0);
}

static void put_text(const struct place *p, const char *name, const char *text)
{
	put(p, name, text, strlen(text));
}

static void add_builtin(struct buf *b, const char *const *names)
{
	for (; *names; names++)
		buf_addf(b, "kernel/%s.ko\n", *names);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	AUTO(buf_done) struct buf builtin = { 0 };
	unsigned char image[FAKE_IMAGE_BYTES];

	strcpy(p->path, "/tmp/ketch-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->root = below(p, "root");
	p->source = below(p, "linux");
	p->archive = below(p, "linux.tar");
	close(mkdir_open(p->fd, "linux/scripts", 0755));
	put_text(p, "linux/Kconfig", "");
	put_text(p, "linux/Makefile", GOOD);
	for (const struct module_list *l = modules_lists; l->name; l++)
		add_builtin(&builtin, l->wanted);
	put(p, "linux/builtin", builtin.data, builtin.len);
	fake_image_fill(image, "6.1.9-ketch");
	put(p, "linux/image", image, sizeof(image));
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	remove_tree(AT_FDCWD, p->path);
	close(p->fd);
	buf_done(&p->told);
	free(p->root);
	free(p->source);
	free(p->archive);
	free(p);
	return 0;
}

static void pack(const struct place *p)
{
	const char *const argv[] = { "tar", "-cf", p->archive, "-C", p->path, "linux", NULL };
	int status = -1;

	assert_int_equal(run_program(argv, -1, 60000, NULL, &status), 0);
	assert_int_equal(status, 0);
}

static void add_told(void *arg, const char *line)
{
	buf_addf(arg, "%s\n", line);
}

/* Builds of `given`; *ret_version is NULL on failure. */
static int build(struct place *p, const char *given, const char *keep, char **ret_version, struct err *e)
{
	AUTO(build_source_done) struct build_source s = { 0 };
	const struct kernel_build_request rq = {
		.source = given, .jobs = 2, .keep = keep, .progress = add_told, .progress_arg = &p->told
	};
	int r = build_source_find(given, &s, e);

	*ret_version = NULL;
	return r < 0 ? r : build_run(p->root, &rq, &(struct build_order){ &s, CONFIG }, ret_version, e);
}

/* The names in a directory, in their order, each with a blank behind it. */
static char *names(const struct place *p, const char *dir)
{
	autofree char *path = below(p, dir);
	struct dirent **list = NULL;
	struct buf b = { 0 };
	int n = scandir(path, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (strcmp(list[i]->d_name, ".") && strcmp(list[i]->d_name, ".."))
			buf_addf(&b, "%s ", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return buf_take(&b);
}

static void has_names(const struct place *p, const char *dir, const char *wanted)
{
	autofree char *got = names(p, dir);

	assert_string_equal(got, wanted);
}

static void a_directory_becomes_a_kernel_and_stays_as_it_was(void **state)
{
	struct place *p = *state;
	AUTO(buf_done) struct buf config = { 0 };
	autofree char *version = NULL;
	struct kernel k;

	assert_int_equal(build(p, p->source, NULL, &version, NULL), 0);
	assert_string_equal(version, "6.1.9-ketch");
	has_names(p, "root/kernels", "6.1.9-ketch ");
	has_names(p, "root/kernels/6.1.9-ketch", "built-from config modules vmlinuz ");
	has_names(p, "root/kernels/6.1.9-ketch/modules", "modules.builtin modules.dep ");
	has_names(p, "linux", "Kconfig Makefile builtin image scripts ");
	assert_int_equal(read_file(p->fd, "root/kernels/6.1.9-ketch/config", 1000, &config), 0);
	assert_string_equal(config.data, CONFIG);
	assert_string_equal(p->told.data, "configuring\ncompiling with 2 jobs: takes minutes\n");
	assert_int_equal(kernel_find(p->root, "6.1.9-ketch", &k, NULL), 0);
	kernel_done(&k);
	assert_int_equal(kernel_remove(p->root, "6.1.9-ketch", NULL), 0);
	has_names(p, "root/kernels", "");
}

static void an_archive_is_built_once(void **state)
{
	struct place *p = *state;
	autofree char *first = NULL, *again = NULL;
	struct err e = { 0 };

	pack(p);
	assert_int_equal(build(p, p->archive, NULL, &first, &e), 0);
	has_names(p, "root/kernels", "6.1.9-ketch ");
	/* whatever this host lacks, nothing is built */
	assert_int_equal(kernel_build(p->root,
				      &(struct kernel_build_request){ .source = p->archive, .jobs = 1 },
				      &again, &e),
			 0);
	assert_string_equal(again, "6.1.9-ketch");
}

static void a_failure_is_one_line_with_a_log(void **state)
{
	static const struct {
		const char *makefile, *says;
	} cases[] = {
		{ MAKEFILE("echo why; exit 2", ":"), "cannot configure the kernel: " },
		{ MAKEFILE("cp $(KCONFIG_ALLCONFIG) $(O)/.config",
			   "echo '  CC      a.o'; echo a.c:1: error: bad; echo more; exit 1"),
		  "cannot compile the kernel: a.c:1: error: bad; all of it: " },
		{ MAKEFILE("cp $(KCONFIG_ALLCONFIG) $(O)/.config", "kill -9 $$$$"),
		  "cannot compile the kernel: " },
		{ MAKEFILE("cp $(KCONFIG_ALLCONFIG) $(O)/.config",
			   "echo 'as: cannot write: No space left on device'; exit 1"),
		  "cannot compile the kernel: no room left on the disk of " },
		{ MAKEFILE("echo CONFIG_B=y >$(O)/.config", ":"),
		  "this source of Linux cannot be configured as wanted: A=y, B=n" },
		{ MAKEFILE(":", ":"), ".config: no such file" },
		{ MAKEFILE("cp $(KCONFIG_ALLCONFIG) $(O)/.config", "rm -f $(O)/.config"),
		  "objects/.config: no such file" },
		{ "allnoconfig:\n\t@cp $(KCONFIG_ALLCONFIG) $(O)/.config\nbzImage:\n\t@touch "
		  "$(O)/modules.builtin\n",
		  "bzImage: no such file" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autofree char *version = NULL;
		struct err e = { 0 };

		put_text(p, "linux/Makefile", cases[i].makefile);
		assert_true(build(p, p->source, NULL, &version, &e) < 0);
		if (!strstr(e.msg, cases[i].says))
			fail_msg("%s", e.msg);
		has_names(p, "root/kernels", "build.log ");
	}
	/* the next good one takes the log away */
	buf_drop(&p->told, p->told.len);
	put_text(p, "linux/Makefile", GOOD);
	a_directory_becomes_a_kernel_and_stays_as_it_was(state);
}

static void many_lost_options_are_counted(void **state)
{
	struct place *p = *state;
	AUTO(build_source_done) struct build_source s = { 0 };
	AUTO(buf_done) struct buf config = { 0 };
	struct kernel_build_request rq = { .source = p->source, .jobs = 1 };
	struct err e = { 0 };
	char *version;

	for (int i = 0; i < 9; i++)
		buf_addf(&config, "CONFIG_X%d=y\n", i);
	put_text(p, "linux/Makefile", MAKEFILE("touch $(O)/.config", ":"));
	assert_int_equal(build_source_find(p->source, &s, &e), 0);
	assert_int_equal(build_run(p->root, &rq, &(struct build_order){ &s, config.data }, &version, &e),
			 -EINVAL);
	assert_non_null(strstr(e.msg, "X0=y, X1=y, X2=y, X3=y, X4=y and 4 more"));
}

static void kept_is_all_of_it_in_an_empty_directory(void **state)
{
	struct place *p = *state;
	autofree char *version = NULL, *again = NULL, *keep = below(p, "keep");
	struct err e = { 0 };

	assert_int_equal(build(p, p->source, keep, &version, &e), 0);
	has_names(p, "keep", "build.log modules objects source tmp wanted.config ");
	has_names(p, "root/kernels", "6.1.9-ketch ");
	assert_int_equal(build(p, p->source, keep, &again, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "keep is not empty"));
}

static void raise_term(void *arg, const char *line)
{
	if (!strncmp(line, "compiling", 9))
		raise(SIGTERM);
}

static void a_signal_ends_it_and_nothing_stays(void **state)
{
	struct place *p = *state;
	AUTO(build_source_done) struct build_source s = { 0 };
	const struct kernel_build_request rq = { .source = p->source, .jobs = 1, .progress = raise_term };
	struct err e = { 0 };
	char *version;

	put_text(p, "linux/Makefile", MAKEFILE("cp $(KCONFIG_ALLCONFIG) $(O)/.config", "sleep 1000"));
	assert_int_equal(build_source_find(p->source, &s, &e), 0);
	assert_int_equal(build_run(p->root, &rq, &(struct build_order){ &s, CONFIG }, &version, &e),
			 -ECANCELED);
	has_names(p, "root/kernels", "");
}

static void one_at_a_time_and_the_dead_are_swept(void **state)
{
	struct place *p = *state;
	autofree char *version = NULL;
	struct err e = { 0 };
	int other = mkdir_open(p->fd, "root/kernels/.build", 0700);

	close(mkdir_open(other, "source/a", 0700));
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_int_equal(build(p, p->source, NULL, &version, &e), -EBUSY);
	has_names(p, "root/kernels/.build", "source ");
	assert_int_equal(kernel_remove(p->root, "6.1.9-ketch", &e), -ENOENT);
	close(other);
	assert_int_equal(build(p, p->source, NULL, &version, &e), 0);
	has_names(p, "root/kernels", "6.1.9-ketch ");
	close(mkdir_open(p->fd, "root/kernels/.build/objects", 0700));
	assert_int_equal(kernel_remove(p->root, "6.1.9-ketch", &e), 0);
	has_names(p, "root/kernels", "");
}

static void what_is_no_source_is_refused(void **state)
{
	struct place *p = *state;
	autofree char *no_tar = below(p, "linux/Kconfig"), *version = NULL;
	struct build_source s = { 0 };
	struct err e = { 0 };

	assert_int_equal(build_source_find("/no/such", &s, &e), -ENOENT);
	assert_string_equal(e.msg, "/no/such: no such file or directory");
	assert_int_equal(build_source_find(p->path, &s, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "is no source of Linux: it has no Makefile"));
	assert_int_equal(build_source_find("/dev/null", &s, &e), -EINVAL);
	put_text(p, "linux/Kconfig", "no archive");
	assert_int_equal(build(p, no_tar, NULL, &version, &e), -EIO);
	assert_non_null(strstr(e.msg, "cannot unpack the source: tar: "));
	put_text(p, "linux/.config", "");
	assert_int_equal(build_source_find(p->source, &s, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "was built in; clean it with: make -C "));
}

static void what_is_missing_is_named_once_by_its_package(void **state)
{
	static const char *const programs[] = { "make", "gcc", "ld", "bc", "lz4c", "perl" };
	struct place *p = *state;
	AUTO(strv_done) struct strv all = { 0 }, some = { 0 };
	const struct build_source dir = { .is_dir = true }, archive = { 0 };
	autofree char *path = str_printf("/no/such:%s/bin", p->path), *include = below(p, "include");

	assert_int_equal(build_missing(&archive, "/no/such", "/no/such", &all), 0);
	assert_int_equal(all.n, 12);
	close(mkdir_open(p->fd, "bin", 0755));
	close(mkdir_open(p->fd, "include", 0755));
	put_text(p, "include/gelf.h", "");
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		autofree char *name = str_printf("bin/%s", programs[i]);

		put_text(p, name, "");
		assert_int_equal(fchmodat(p->fd, name, 0755, 0), 0);
	}
	assert_int_equal(build_missing(&dir, path, include, &some), 0);
	assert_int_equal(some.n, 3);
	assert_string_equal(some.v[0], "flex");
	assert_string_equal(some.v[1], "bison");
	assert_string_equal(some.v[2], "libc6-dev");
}

/* The words of a command, with blanks between them. */
static char *words(const struct strv *s)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s->n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", s->v[i]);
	return buf_take(&b);
}

#define MAKE_OPTIONS "O=/w/objects ARCH=x86_64 KBUILD_BUILD_USER=ketch KBUILD_BUILD_HOST=ketch"

static void commands_are_planned(void **state)
{
	char tar[] = "/s.tar.xz", tree[] = "/s";
	const struct build_source archive = { .path = tar }, dir = { .path = tree, .is_dir = true };
	AUTO(strv_done) struct strv unpack = { 0 }, configure = { 0 }, compile = { 0 };
	autofree char *unpacks = NULL, *configures = NULL, *compiles = NULL;

	assert_int_equal(build_plan_unpack(&archive, "/w", &unpack), 0);
	assert_int_equal(build_plan_configure(&archive, "/w", &configure), 0);
	assert_int_equal(build_plan_compile(&dir, "/w", 3, &compile), 0);
	unpacks = words(&unpack);
	configures = words(&configure);
	compiles = words(&compile);
	assert_string_equal(
		unpacks,
		"tar --no-same-owner --strip-components=1 -x --directory=/w/source --file=/s.tar.xz");
	assert_string_equal(configures, "make -C /w/source " MAKE_OPTIONS
					" KCONFIG_ALLCONFIG=/w/wanted.config allnoconfig");
	assert_string_equal(compiles, "make -C /s " MAKE_OPTIONS " -j3 bzImage");
}

#define in_a_place(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		in_a_place(a_directory_becomes_a_kernel_and_stays_as_it_was),
		in_a_place(an_archive_is_built_once),
		in_a_place(a_failure_is_one_line_with_a_log),
		in_a_place(many_lost_options_are_counted),
		in_a_place(kept_is_all_of_it_in_an_empty_directory),
		in_a_place(a_signal_ends_it_and_nothing_stays),
		in_a_place(one_at_a_time_and_the_dead_are_swept),
		in_a_place(what_is_no_source_is_refused),
		in_a_place(what_is_missing_is_named_once_by_its_package),
		cmocka_unit_test(commands_are_planned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
