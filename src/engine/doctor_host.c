/* doctor_host.c - what is installed on the host and given to us */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/self.h"
#include "criu/criu.h"
#include "engine/doctor_int.h"
#include "engine/engine_int.h"
#include "engine/facts.h"
#include "kernel/kernel.h"
#include "sys/caps.h"

#define MIB	     (UINT64_C(1) << 20)
#define DISK_TIGHT   (2048 * MIB)
#define DISK_TOO_FEW (128 * MIB)
#define PASSWD_LIKE  (1024 * 1024)

/* --- virtual machines */

static const char *kvm_fix(const char *reason)
{
	if (strstr(reason, "no permission"))
		return "run ketch as root, or: usermod -aG kvm USER, and log in again";
	if (strstr(reason, "there is no /dev/kvm"))
		return "modprobe kvm-intel (or kvm-amd); if that fails, turn on virtualization in the "
		       "firmware, or "
		       "nested virtualization in the hypervisor below";
	return "use a host with hardware virtualization: bare metal, or nested virtualization in the "
	       "hypervisor "
	       "below";
}

void doctor_kvm(struct doctor *d)
{
	const char *reason = d->facts->kvm_reason ? d->facts->kvm_reason : "unknown";

	if (d->facts->kvm)
		doctor_add(
			d, "KVM", DOCTOR_OK, NULL,
			"a guest runs under /dev/kvm: virtual machines run under ketch-vmm (--driver kvm)");
	else
		doctor_add(d, "KVM", DOCTOR_WARN, kvm_fix(reason),
			   "%s; virtual machines run in software emulation, many times slower", reason);
}

static void check_program(struct doctor *d, const char *name, const char *path, const char *fix)
{
	if (path)
		doctor_add(d, name, DOCTOR_OK, NULL, "%s", path);
	else
		doctor_add(d, name, DOCTOR_MISSING, fix, "not found");
}

static void check_guest_kernels(struct doctor *d)
{
	struct kernel *k = NULL;
	struct err e = { 0 };
	size_t n = 0;

	if (kernel_list(d->en->root, &k, &n, &e) < 0)
		doctor_add(d, "guest kernel", DOCTOR_MISSING, "ketch kernel ls", "%s", e.msg);
	else if (n)
		doctor_add(d, "guest kernel", DOCTOR_OK, NULL, "%s%s", k[0].version,
			   n > 1 ? " and others" : "");
	else
		doctor_add(d, "guest kernel", DOCTOR_MISSING,
			   "apt-get download linux-image-cloud-amd64-unsigned, then ketch kernel import "
			   "FILE.deb; or "
			   "apt-get install linux-image-cloud-amd64",
			   "none in the store or in /boot");
	kernels_free(k, n);
}

void doctor_vm(struct doctor *d)
{
	check_program(d, "ketch-vmm", d->facts->vmm, "make install");
	check_program(d, "QEMU", d->facts->qemu, "apt-get install qemu-system-x86");
	check_program(d, "virtiofsd", d->facts->virtiofsd, "apt-get install qemu-system-common");
	check_guest_kernels(d);
}

/* --- programs */

static const struct {
	const char *program, *fix;
} tools[] = {
	{ "mke2fs", "apt-get install e2fsprogs" },
};

static const char *const own_programs[] = { "ketch-monitor", "ketch-guest", "ketch-image", "ketch-registry" };

void doctor_tools(struct doctor *d)
{
	AUTO(buf_done) struct buf missing = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		autofree char *path = facts_find_program(tools[i].program);

		check_program(d, tools[i].program, path, tools[i].fix);
	}
	for (size_t i = 0; i < ARRAY_LEN(own_programs); i++) {
		autofree char *path = self_program(own_programs[i]);

		if (!path)
			buf_addf(&missing, "%s%s", missing.len ? ", " : "", own_programs[i]);
	}
	if (missing.len)
		doctor_add(d, "ketch's programs", DOCTOR_MISSING, "install ketch again: make install",
			   "not found: %s", missing.data);
	else
		doctor_add(d, "ketch's programs", DOCTOR_OK, NULL, "all there");
}

void doctor_criu(struct doctor *d)
{
	struct err e = { 0 };
	int r = geteuid() != 0 ? err_set(&e, EPERM, "only root can use it") : criu_check(&e);

	if (r == 0)
		doctor_add(d, "CRIU", DOCTOR_OK, NULL,
			   "the processes of containers can be kept: snapshot create --live");
	else
		doctor_add(
			d, "CRIU", DOCTOR_WARN,
			r == -ENOENT
				? "apt-get install criu"
				: "have root on a kernel with CONFIG_CHECKPOINT_RESTORE that this CRIU knows",
			"%s: no snapshot create --live of containers", e.msg);
}

/* --- subordinate IDs, rights, disk */

/* Does a file of lines "USER:FIRST:COUNT" (subuid(5)) have the user, by name or number? */
static bool names_user(const char *path, const struct passwd *pw)
{
	AUTO(buf_done) struct buf text = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	char number[16];

	if (read_file(AT_FDCWD, path, PASSWD_LIKE, &text) < 0 || !text.data ||
	    strv_split(&lines, text.data, "\n") < 0)
		return false;
	snprintf(number, sizeof(number), "%u", pw->pw_uid);
	for (size_t i = 0; i < lines.n; i++) {
		size_t n = strcspn(lines.v[i], ":");

		lines.v[i][n] = '\0';
		if (!strcmp(lines.v[i], pw->pw_name) || !strcmp(lines.v[i], number))
			return true;
	}
	return false;
}

static void check_id_file(struct doctor *d, const char *path, const struct passwd *pw, const char *option)
{
	autofree char *fix = str_printf("usermod --add-%s 100000-165535 %s", option, pw->pw_name);
	const char *name = strrchr(path, '/') + 1;

	if (names_user(path, pw))
		doctor_add(d, name, DOCTOR_OK, NULL, "a range for %s", pw->pw_name);
	else
		doctor_add(d, name, DOCTOR_WARN, fix, "%s has no range for %s: no containers without root",
			   path, pw->pw_name);
}

/* Of the file alone: getpwuid(3) loads libraries, and this program is static. */
static const struct passwd *find_own_line(void)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw = NULL;

	while (f && (pw = fgetpwent(f)) && pw->pw_uid != getuid())
		;
	if (f)
		fclose(f);
	return pw;
}

void doctor_ids(struct doctor *d)
{
	const struct passwd *pw = find_own_line();
	autofree char *newuidmap = facts_find_program("newuidmap");

	if (pw) {
		check_id_file(d, "/etc/subuid", pw, "subuids");
		check_id_file(d, "/etc/subgid", pw, "subgids");
	}
	if (newuidmap)
		doctor_add(d, "newuidmap", DOCTOR_OK, NULL, "%s", newuidmap);
	else
		doctor_add(d, "newuidmap", DOCTOR_WARN, "apt-get install uidmap",
			   "not found: no containers without root");
}

void doctor_rights(struct doctor *d)
{
	struct cap_sets s = { 0 };

	if (geteuid() != 0)
		doctor_add(d, "root", DOCTOR_MISSING, "sudo ketch ...", "ketch does not run as root");
	else
		doctor_add(d, "root", DOCTOR_OK, NULL, "ketch runs as root");
	if (caps_get(&s) == 0 && s.effective & UINT64_C(1) << CAP_SYS_RESOURCE)
		doctor_add(d, "CAP_SYS_RESOURCE", DOCTOR_OK, NULL, "hard limits can be raised");
	else
		doctor_add(d, "CAP_SYS_RESOURCE", DOCTOR_WARN,
			   "start ketch where root has the capability (the host itself)",
			   "not ours: --ulimit above the hard limits of this shell is refused");
}

void doctor_disk(struct doctor *d)
{
	static const char fix[] = "make room (ketch rmi, ketch rm), or choose another disk: ketch --root DIR";
	struct statvfs s;
	uint64_t free_bytes;

	if (statvfs(d->en->root, &s) < 0) {
		doctor_add(d, "disk", DOCTOR_MISSING, fix, "%s: %s", d->en->root, strerror(errno));
		return;
	}
	free_bytes = (uint64_t)s.f_bavail * s.f_frsize;
	doctor_add(d, "disk",
		   free_bytes < DISK_TOO_FEW ? DOCTOR_MISSING
		   : free_bytes < DISK_TIGHT ? DOCTOR_WARN
					     : DOCTOR_OK,
		   free_bytes < DISK_TIGHT ? fix : NULL, "%llu MiB free for %s",
		   (unsigned long long)(free_bytes / MIB), d->en->root);
	if (s.f_files && s.f_favail < 1000)
		doctor_add(d, "inodes", DOCTOR_MISSING, fix, "%llu files more fit in %s",
			   (unsigned long long)s.f_favail, d->en->root);
}

void doctor_quota(struct doctor *d)
{
	if (d->facts->project_quota)
		doctor_add(d, "project quotas", DOCTOR_OK, NULL,
			   "containers can have a ceiling of their own: --storage-opt size=");
	else
		doctor_add(d, "project quotas", DOCTOR_WARN,
			   "have the store on xfs, or on ext4 after tune2fs -O project,quota; mount it with "
			   "prjquota",
			   "not on the file system of %s: --storage-opt size= is for virtual machines only",
			   d->en->root);
}
