/* facts.c - what this host can do: the cheap facts, and KVM by its probe with a cached verdict */
#include "engine/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/self.h"
#include "cgroup/detect.h"
#include "sys/kvm_probe.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define KVM_CACHE    "kvm.json"

static const struct {
	const char *machine, *oci, *qemu;
} arches[] = {
	{ "x86_64", "amd64", "qemu-system-x86_64" },
	{ "aarch64", "arm64", "qemu-system-aarch64" },
};

/* --- programs */

char *facts_find_program(const char *name)
{
	AUTO(strv_done) struct strv dirs = { 0 };
	const char *path = getenv("PATH");

	if (strv_split(&dirs, path && *path ? path : DEFAULT_PATH, ":") < 0)
		return NULL;
	for (size_t i = 0; i < dirs.n; i++) {
		autofree char *file = dirs.v[i][0] == '/' ? str_printf("%s/%s", dirs.v[i], name) : NULL;

		if (file && access(file, X_OK) == 0)
			return take_ptr(file);
	}
	return NULL;
}

static char *find_virtiofsd(void)
{
	static const char *const known[] = { "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (access(known[i], X_OK) == 0)
			return strdup(known[i]);
	return facts_find_program("virtiofsd");
}

/* --- the cheap facts */

static void gather_machine(struct host_facts *h)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	h->kernel_release = strdup(u.release);
	for (size_t i = 0; i < ARRAY_LEN(arches); i++) {
		if (strcmp(arches[i].machine, u.machine))
			continue;
		h->arch = strdup(arches[i].oci);
		h->qemu = facts_find_program(arches[i].qemu);
		h->vmm = self_program("ketch-vmm");
	}
	if (!h->arch)
		h->arch = strdup(u.machine);
}

/* "0-3\n" -> "0-3"; NULL where the kernel does not tell (one without NUMA has no nodes). */
static char *read_list(const char *path)
{
	AUTO(buf_done) struct buf b = { 0 };

	if (read_file(AT_FDCWD, path, 4096, &b) < 0 || !b.data)
		return NULL;
	b.data[strcspn(b.data, "\n")] = '\0';
	return buf_take(&b);
}

void facts_gather(struct host_facts *ret)
{
	struct host_facts h = { 0 };
	struct sysinfo s;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	gather_machine(&h);
	cgroup_detect(&h);
	h.virtiofsd = find_virtiofsd();
	h.cpus = cpus > 0 ? (int)cpus : 1;
	h.cpu_list = read_list("/sys/devices/system/cpu/online");
	h.node_list = read_list("/sys/devices/system/node/online");
	if (sysinfo(&s) == 0)
		h.ram_bytes = (uint64_t)s.totalram * s.mem_unit;
	*ret = h;
}

/* --- KVM */

struct kvm_cache {
	char *boot_id, *kernel;
	bool usable;
	char *reason;
};

static const struct jfield kvm_cache_fields[] = {
	JK(J_STR, struct kvm_cache, boot_id, "bootId"),
	J(J_STR, struct kvm_cache, kernel),
	J(J_BOOL, struct kvm_cache, usable),
	J(J_STR, struct kvm_cache, reason),
	{ 0 },
};
static const struct jtable kvm_cache_table = { sizeof(struct kvm_cache), kvm_cache_fields };

static void kvm_cache_done(struct kvm_cache *c)
{
	json_done(&kvm_cache_table, c);
}

/* What the verdict holds for: this boot of this kernel. */
static int cache_identity(const struct host_facts *h, struct kvm_cache *ret)
{
	AUTO(buf_done) struct buf id = { 0 };
	int r = read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &id);

	if (r < 0)
		return r;
	ret->boot_id = strndup(id.data ? id.data : "", strcspn(id.data ? id.data : "", "\n"));
	ret->kernel = strdup(h->kernel_release ? h->kernel_release : "");
	return ret->boot_id && ret->kernel ? 0 : -ENOMEM;
}

static int load_cached(int run_fd, const struct kvm_cache *want, struct host_facts *h)
{
	AUTO(buf_done) struct buf text = { 0 };
	AUTO(kvm_cache_done) struct kvm_cache c = { 0 };
	int r = read_file(run_fd, KVM_CACHE, 4096, &text);

	if (r == 0)
		r = json_parse(&kvm_cache_table, text.data ? text.data : "", text.len, JSON_STRICT, &c, NULL);
	if (r < 0)
		return r;
	if (!c.boot_id || strcmp(c.boot_id, want->boot_id) || !c.kernel || strcmp(c.kernel, want->kernel) ||
	    c.usable == (c.reason != NULL))
		return -ESTALE;
	h->kvm = c.usable;
	h->kvm_reason = take_ptr(c.reason);
	return 0;
}

/* Without the cache the next run probes again: no reason to fail. */
static void save_cached(int run_fd, struct kvm_cache *c, const struct host_facts *h)
{
	AUTO(buf_done) struct buf text = { 0 };
	char *reason = h->kvm_reason;

	c->usable = h->kvm;
	c->reason = reason;
	if (json_print(&kvm_cache_table, c, JSON_PRETTY, &text) == 0)
		write_file_atomic(run_fd, KVM_CACHE, 0600, text.data, text.len);
	c->reason = NULL; /* h's */
}

/* Is the verdict for good? */
static bool probe(int kvm_fd, struct host_facts *h)
{
	struct kvm_verdict v = { 0 };

	if (kvm_probe(kvm_fd, &v) < 0) {
		v = (struct kvm_verdict){ .late = true };
		strcpy(v.reason, "no process for the KVM probe");
	}
	h->kvm = v.usable;
	h->kvm_reason = v.usable ? NULL : strdup(v.reason);
	return !v.late;
}

void facts_probe_kvm(int run_fd, struct host_facts *h)
{
	AUTO(kvm_cache_done) struct kvm_cache id = { 0 };
	char reason[200];
	autoclose int kvm_fd =
		kvm_open(reason, sizeof(reason)); /* cheap, and may change at any time: not cached */

	if (kvm_fd < 0) {
		h->kvm_reason = strdup(reason);
		return;
	}
	if (cache_identity(h, &id) < 0) {
		probe(kvm_fd, h);
		return;
	}
	if (load_cached(run_fd, &id, h) == 0)
		return;
	if (probe(kvm_fd, h))
		save_cached(run_fd, &id, h);
}
