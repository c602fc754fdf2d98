/* info.c - ketch version, ketch info: what this is and what it has */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "oci/manifest.h"

#define MAX_OS_RELEASE 65536

/* A view: what both forms print.  Strings are borrowed. */
struct info {
	const char *version, *os, *arch;
	const char *root, *run_root;
	int instances, running, paused, stopped, images;
	const char *kernel, *cgroups, *cgroup_version, *name, *storage_driver, *cgroup_driver;
	int cpus;
	uint64_t ram_bytes;
	bool kvm;
	const char *kvm_reason, *qemu, *virtiofsd;
	const char *system, *log_driver, *runtime, *security, *swarm;
};

struct info_args {
	char *format;
};

static const struct opt info_opts[] = {
	OPT(STR, 'f', "format", struct info_args, format, "json|TEMPLATE",
	    "JSON, or what a Go template asks for"),
	{ 0 },
};

/* One line of either command, for people and as JSON; without a label for JSON alone. */
struct info_row {
	const char *label;
	struct jfield field;
};

#define ROW(label_, type_, member_, key_)                                                                    \
	{                                                                                                    \
		label_, JK(type_, struct info, member_, key_)                                                \
	}

/* Docker parts client and server, which are one here. */
static const struct jfield side_fields[] = {
	JK(J_STR, struct info, version, "Version"),
	JK(J_STR, struct info, os, "Os"),
	JK(J_STR, struct info, arch, "Arch"),
	JK(J_STR, struct info, kernel, "KernelVersion"),
	{ 0 },
};
static const struct jtable side_table = { sizeof(struct info), side_fields };

static const struct info_row version_rows[] = {
	ROW("Version", J_STR, version, "Version"), ROW("OS", J_STR, os, "Os"),
	ROW("Architecture", J_STR, arch, "Arch"),  { NULL, JP("Client", &side_table) },
	{ NULL, JP("Server", &side_table) },
};

static const struct info_row info_rows[] = {
	ROW("Version", J_STR, version, "ServerVersion"),
	ROW("Root", J_STR, root, "KetchRootDir"),
	ROW("Run root", J_STR, run_root, "KetchRunRootDir"),
	ROW("Running", J_INT, running, "ContainersRunning"),
	ROW("Stopped", J_INT, stopped, "ContainersStopped"),
	ROW("Images", J_INT, images, "Images"),
	ROW("OS", J_STR, os, "OSType"),
	ROW("Architecture", J_STR, arch, "Architecture"),
	ROW("Kernel", J_STR, kernel, "KernelVersion"),
	ROW("Cgroups", J_STR, cgroups, "CgroupMode"),
	ROW("CPUs", J_INT, cpus, "NCPU"),
	ROW("Memory", J_U64, ram_bytes, "MemTotal"),
	ROW("KVM", J_BOOL, kvm, "Kvm"),
	ROW("Why not KVM", J_STR, kvm_reason, "KvmReason"),
	ROW("QEMU", J_STR, qemu, "Qemu"),
	ROW("virtiofsd", J_STR, virtiofsd, "Virtiofsd"),
	ROW(NULL, J_STR, name, "Name"),
	ROW(NULL, J_STR, root, "DockerRootDir"),
	ROW(NULL, J_STR, cgroup_version, "CgroupVersion"),
	ROW(NULL, J_STR, storage_driver, "Driver"),
	ROW(NULL, J_STR, cgroup_driver, "CgroupDriver"),
	ROW(NULL, J_INT, instances, "Containers"),
	ROW(NULL, J_INT, paused, "ContainersPaused"),
	ROW(NULL, J_STR, system, "OperatingSystem"),
	ROW(NULL, J_STR, log_driver, "LoggingDriver"),
	ROW(NULL, J_STR, runtime, "DefaultRuntime"),
	ROW(NULL, J_RAW, security, "SecurityOptions"),
	ROW(NULL, J_RAW, swarm, "Swarm"),
};

static void add_line(const struct info_row *row, const struct info *i, struct buf *out)
{
	const void *m = (const char *)i + row->field.off;

	if (m == &i->kvm_reason && !i->kvm_reason)
		return;
	buf_addf(out, "%s: ", row->label);
	if (row->field.type == J_STR)
		text_add(out, *(const char *const *)m ? *(const char *const *)m : "-");
	else if (row->field.type == J_INT)
		buf_addf(out, "%d", *(const int *)m);
	else if (row->field.type == J_BOOL)
		buf_adds(out, *(const bool *)m ? "yes" : "no");
	else
		text_add_size(out, *(const uint64_t *)m);
	buf_addc(out, '\n');
}

static int print_info(const struct info_row *rows, size_t n, const struct info *i, const char *format,
		      struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct jfield fields[ARRAY_LEN(info_rows) + 1] = { 0 };
	struct jtable table = { sizeof(*i), fields };
	int r = 0;

	for (size_t k = 0; k < n; k++) {
		fields[k] = rows[k].field;
		if (!format && rows[k].label)
			add_line(&rows[k], i, &out);
	}
	if (format)
		r = listing_add_object(format, &table, i, &out, e);
	if (format && r == 0)
		buf_addc(&out, '\n');
	return r < 0 ? r : cli_print(&out, e);
}

static int version_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct utsname u;
	struct info i = { .version = KETCH_VERSION, .os = "linux" };

	uname(&u);
	i.arch = platform_host();
	i.kernel = u.release;
	return print_info(version_rows, ARRAY_LEN(version_rows), &i, ((const struct info_args *)args)->format,
			  e);
}

const struct command cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "Print the version",
	.opts = info_opts,
	.args_size = sizeof(struct info_args),
	.run = version_run,
};

static int count_instances(struct engine *en, struct info *i, struct err *e)
{
	struct instance *in;
	size_t n;
	int r = engine_list(en, true, &in, &n, e);

	if (r < 0)
		return r;
	for (size_t k = 0; k < n; k++) {
		bool runs = instance_is_live(&in[k].state);

		i->running += runs && in[k].state.status != STATUS_PAUSED;
		i->paused += in[k].state.status == STATUS_PAUSED;
		i->stopped += !runs;
	}
	instances_free(in, n);
	return 0;
}

static int count_images(struct engine *en, struct info *i, struct err *e)
{
	struct image *im;
	size_t n;
	int r = image_list(engine_images(en), &im, &n, e);

	if (r < 0)
		return r;
	for (size_t k = 0; k < n; k++)
		image_done(&im[k]);
	free(im);
	i->images = (int)n;
	return 0;
}

/* What the distribution calls itself (os-release(5)); NULL: nothing. */
static char *system_name(void)
{
	static const char key[] = "\nPRETTY_NAME=";
	AUTO(buf_done) struct buf b = { 0 };
	char *at, *end;

	buf_addc(&b, '\n');
	if (read_file(AT_FDCWD, "/etc/os-release", MAX_OS_RELEASE, &b) < 0)
		return NULL;
	at = strstr(b.data, key);
	if (!at)
		return NULL;
	at += strlen(key);
	at[strcspn(at, "\n")] = '\0';
	end = at + strlen(at);
	if (end > at + 1 && (*at == '"' || *at == '\'') && end[-1] == *at) {
		end[-1] = '\0';
		at++;
	}
	return strdup(at);
}

/* Docker's words for what is always so here: scripts ask for them. */
static void add_constants(struct info *i)
{
	i->storage_driver = "overlay"; /* of containers, as inspect has it in GraphDriver */
	i->cgroup_driver = "cgroupfs"; /* cgroups are made by Ketch itself */
	i->log_driver = "json-file";
	i->runtime = "ketch";
	i->security = "[\"name=seccomp,profile=default\"]";
	i->swarm = "{\"LocalNodeState\":\"inactive\"}";
}

static int info_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	autofree char *system = system_name();
	const struct host_facts *h;
	struct utsname u;
	struct info i = {
		.version = KETCH_VERSION, .os = "linux", .root = cli_root(c), .run_root = cli_run_root(c)
	};
	int r = en ? count_instances(en, &i, e) : -e->no;

	if (r == 0)
		r = count_images(en, &i, e);
	if (r < 0)
		return r;
	h = engine_facts_kvm(en);
	uname(&u);
	i.arch = u.machine; /* Docker's info has the kernel's word, its version and images have OCI's */
	i.kernel = h->kernel_release;
	i.cgroups = cgroup_mode_names[h->cgroup_mode];
	i.cpus = h->cpus;
	i.ram_bytes = h->ram_bytes;
	i.kvm = h->kvm;
	i.kvm_reason = h->kvm_reason;
	i.qemu = h->qemu;
	i.virtiofsd = h->virtiofsd;
	i.system = system ? system : "";
	add_constants(&i);
	i.cgroup_version = h->cgroup_mode == CGROUP_V2 ? "2" : "1";
	i.name = u.nodename;
	i.instances = i.running + i.paused + i.stopped;
	return print_info(info_rows, ARRAY_LEN(info_rows), &i, ((const struct info_args *)args)->format, e);
}

const struct command cmd_info = {
	.name = "info",
	.usage = "",
	.summary = "Print what this Ketch has and what the host gives it",
	.opts = info_opts,
	.args_size = sizeof(struct info_args),
	.run = info_run,
};
