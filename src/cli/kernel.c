/* kernel.c - ketch kernel ls, import, build, rm: the kernels that virtual machines boot */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "kernel/kernel.h"

#define MAX_JOBS 1024

/* --- ls */

struct kernel_ls_args {
	char *format;
	bool quiet;
};

static const struct opt kernel_ls_opts[] = {
	LISTING_FORMAT(struct kernel_ls_args, format),
	OPT(FLAG, 'q', "quiet", struct kernel_ls_args, quiet, NULL, "Print versions only"),
	{ 0 },
};

struct kernel_row {
	const char *version, *from, *size, *image, *modules;
};

static const struct jfield kernel_fields[] = {
	JK(J_STR, struct kernel_row, version, "Version"), JK(J_STR, struct kernel_row, from, "From"),
	JK(J_STR, struct kernel_row, size, "Size"),	  JK(J_STR, struct kernel_row, image, "Image"),
	JK(J_STR, struct kernel_row, modules, "Modules"), { 0 },
};
static const struct jtable kernel_table = { sizeof(struct kernel_row), kernel_fields };

static const struct listing_form kernel_form = {
	.row = &kernel_table,
	.table = "table {{.Version}}\t{{.From}}\t{{.Size}}\t{{.Image}}",
	.quiet = "{{.Version}}",
};

static int add_kernel(struct listing *l, const struct kernel *k, struct err *e)
{
	AUTO(buf_done) struct buf size = { 0 };
	struct kernel_row row = { k->version, k->in_store ? "store" : "host", NULL, k->image, k->modules };

	text_add_size(&size, k->size_bytes);
	row.size = size.data;
	return listing_add(l, &row, e);
}

static int print_kernels(const struct kernel *k, size_t n, const struct kernel_ls_args *a, struct err *e)
{
	AUTO(listing_done) struct listing l;
	int r = listing_begin(&l, &kernel_form, a->format, a->quiet, e);

	for (size_t i = 0; i < n && r == 0; i++)
		r = add_kernel(&l, &k[i], e);
	return r < 0 ? r : listing_print(&l, e);
}

static int kernel_ls_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct kernel *k = NULL;
	size_t n = 0;
	int r = kernel_list(cli_root(c), &k, &n, e);

	if (r < 0)
		return r;
	r = print_kernels(k, n, args, e);
	kernels_free(k, n);
	return r;
}

const struct command cmd_kernel_ls = {
	.name = "kernel ls",
	.usage = "",
	.summary = "List the kernels that virtual machines can boot",
	.text = "Without --kernel a virtual machine boots the first of them: the newest of the store, else "
		"the newest of the host.",
	.opts = kernel_ls_opts,
	.args_size = sizeof(struct kernel_ls_args),
	.run = kernel_ls_run,
};

/* --- import, build, rm */

static int print_version(const char *version, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };

	text_add(&out, version);
	buf_addc(&out, '\n');
	return cli_print(&out, e);
}

static int kernel_import_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	autofree char *version = NULL;
	int r = kernel_import(cli_root(c), words->v[0], words->n > 1 ? words->v[1] : NULL, &version, e);

	return r < 0 ? r : print_version(version, e);
}

const struct command cmd_kernel_import = {
	.name = "kernel import",
	.usage = "FILE [MODULES_DIR]",
	.summary = "Keep a kernel: a vmlinuz with its modules, or Debian's linux-image package",
	.text = "FILE is a bzImage with the directory of its modules (such as /lib/modules/VERSION), or a "
		"linux-image .deb, which is taken apart and not installed.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_FILE,
	.makes_store = true,
	.run = kernel_import_run,
};

struct kernel_build_args {
	char *source, *keep;
	int64_t jobs;
};

static const struct opt kernel_build_opts[] = {
	OPT(INT, 'j', "jobs", struct kernel_build_args, jobs, "N",
	    "Compile with so many processes; default: one a CPU"),
	OPT(STR, 0, "keep", struct kernel_build_args, keep, "DIR",
	    "Build in this directory, which must be empty, and keep it"),
	OPT(STR, 0, "source", struct kernel_build_args, source, "DIR|FILE",
	    "Source of Linux, if not Debian's linux-source-6.1"),
	{ 0 },
};

static int kernel_build_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct kernel_build_args *a = args;
	autofree char *version = NULL;
	int64_t jobs = a->jobs ? a->jobs : sysconf(_SC_NPROCESSORS_ONLN);
	int r;

	if (jobs < 1 || jobs > MAX_JOBS)
		return err_set(e, EINVAL, "--jobs: %lld is not from 1 to %d", (long long)jobs, MAX_JOBS);
	r = kernel_build(cli_root(c),
			 &(struct kernel_build_request){ .source = a->source,
							 .jobs = (unsigned)jobs,
							 .keep = a->keep,
							 .progress = cli_progress() },
			 &version, e);
	if (r == -ECANCELED)
		return cli_complain(e, 128 + SIGINT);
	return r < 0 ? r : print_version(version, e);
}

const struct command cmd_kernel_build = {
	.name = "kernel build",
	.usage = "",
	.summary = "Compile a small kernel for virtual machines and keep it",
	.text = "The kernel has what a virtual machine of Ketch has and what containers ask for, no modules "
		"and no other drivers.  Its version ends with -ketch.  It is made from Debian's package "
		"linux-source-6.1 with gcc; what is missing for that is named.\n\n"
		"The kernel is not built again when the store has one of the same archive; kernel rm "
		"takes it away.  When a step fails, its log is ROOT/kernels/build.log.",
	.opts = kernel_build_opts,
	.args_size = sizeof(struct kernel_build_args),
	.makes_store = true,
	.run = kernel_build_run,
};

static int kernel_rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	int status = 0;

	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };
		int r = kernel_remove(cli_root(c), words->v[i], &why);

		if (r == 0)
			r = print_version(words->v[i], &why);
		if (r < 0)
			status = cli_complain(&why, STATUS_FAILED);
	}
	return status;
}

const struct command cmd_kernel_rm = {
	.name = "kernel rm",
	.usage = "VERSION...",
	.summary = "Remove kernels from the store",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_KERNEL,
	.run = kernel_rm_run,
};
