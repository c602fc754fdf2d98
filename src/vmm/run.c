/* run.c - a machine from its configuration to its end: what is given up when */
#include "vmm/run.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "vmm/acpi.h"
#include "vmm/boot.h"
#include "vmm/control.h"
#include "vmm/jail.h"
#include "vmm/memory.h"
#include "vmm/pagemap.h"
#include "vmm/saver.h"
#include "vmm/seal.h"

struct fd_list {
	int fds[CONFIG_MAX_FDS];
	unsigned n;
};

static void add_fd(struct fd_list *l, int64_t fd)
{
	if (fd >= 0 && l->n < CONFIG_MAX_FDS)
		l->fds[l->n++] = (int)fd;
}

static int add_devices(struct fd_list *l, const struct strv *texts, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct device_config d;
		int r = vmm_device_parse(texts->v[i], &d, e);

		if (r < 0)
			return r;
		add_fd(l, d.fd);
		vmm_device_done(&d);
	}
	return 0;
}

/* The descriptors of the saved RAM. */
static int parse_rams(const struct vmm_config *c, int ret[CONFIG_MAX_RAMS], struct err *e)
{
	for (size_t i = 0; i < c->rams.n; i++) {
		uint32_t fd;

		if (parse_u32(c->rams.v[i], &fd) < 0 || fd > INT32_MAX)
			return err_set(e, EINVAL, "--ram %.20s: not a descriptor", c->rams.v[i]);
		ret[i] = (int)fd;
	}
	return 0;
}

static int keep_fds(const struct vmm_config *c, const int *rams, struct err *e)
{
	const struct strv *const lists[] = { &c->blocks, &c->below, &c->nets, &c->shares, &c->vsocks };
	struct fd_list l = { .n = 0 };
	int r = 0;

	add_fd(&l, c->kvm_fd);
	add_fd(&l, c->kernel_fd);
	add_fd(&l, c->initramfs_fd);
	add_fd(&l, c->control_fd);
	add_fd(&l, c->serial_fd);
	add_fd(&l, c->console_fd);
	add_fd(&l, c->state_fd);
	for (size_t i = 0; i < c->rams.n; i++)
		add_fd(&l, rams[i]);
	for (size_t i = 0; i < ARRAY_LEN(lists) && r == 0; i++)
		r = add_devices(&l, lists[i], e);
	return r < 0 ? r : jail_keep_fds(l.fds, l.n, e);
}

static int load(const struct vmm_config *c, struct machine *m, struct err *e)
{
	struct acpi_machine description = { .n_vcpus = m->n_vcpus,
					    .n_virtio = m->n_devices,
					    .serial = c->serial_fd >= 0 };
	struct boot_source source = { (int)c->kernel_fd, (int)c->initramfs_fd, c->cmdline ? c->cmdline : "",
				      0 };
	struct acpi_places places;
	struct boot_entry entry;
	int r;

	if (getrandom(description.generation_id, sizeof(description.generation_id), 0) < 0)
		return err_sys(e, errno, "getrandom");
	r = acpi_write(&description, &m->ram, &places, e);
	if (r < 0)
		return r;
	source.rsdp_gpa = places.rsdp_gpa;
	m->generation_id_gpa = places.generation_id_gpa;
	r = boot_load(&source, &m->ram, &entry, e);
	if (r < 0)
		return r;
	r = boot_set_registers(m->vcpus[0].fd, &entry, &m->ram);
	return r < 0 ? err_sys(e, -r, "registers of the first vcpu") : 0;
}

static enum memory_kind memory_kind_of(const struct vmm_config *c)
{
	if (c->hugepages)
		return MEMORY_HUGE;
	return c->shares.n ? MEMORY_SHARED : MEMORY_OWN;
}

static int make_ram(const struct vmm_config *c, const int *rams, struct ram *ret, struct err *e)
{
	uint8_t *host;
	int r;

	if (!c->rams.n)
		return memory_make(c->memory_bytes, memory_kind_of(c), ret, e);
	r = ram_file_map(rams, (unsigned)c->rams.n, c->memory_bytes, &host, e);
	if (r == 0)
		memory_adopt(host, c->memory_bytes, ret);
	return r;
}

static int begin(const struct vmm_config *c, struct saver *s, struct machine *m, struct err *e)
{
	return c->state_fd >= 0 ? saver_restore(s, (int)c->state_fd, (unsigned)c->rams.n, e) : load(c, m, e);
}

static int make(const struct vmm_config *c, struct machine *m, struct saver *s, struct devices **ret,
		struct err *e)
{
	int rams[CONFIG_MAX_RAMS], pagemap, r = parse_rams(c, rams, e);

	if (r == 0)
		r = keep_fds(c, rams, e);
	if (r == 0)
		r = make_ram(c, rams, &m->ram, e);
	pagemap = pagemap_open();
	if (r == 0 && !c->unjailed)
		r = jail_enter((uid_t)c->uid, e);
	if (r == 0)
		r = machine_make(m, (int)c->kvm_fd, (unsigned)c->vcpus, (int)c->serial_fd, e);
	if (r < 0)
		return r;
	*ret = devices_make(c, m, e);
	if (!*ret)
		return -e->no;
	r = devices_plug(*ret, e);
	if (r == 0)
		r = saver_init(s, m, pagemap, e);
	return r < 0 ? r : begin(c, s, m, e);
}

/* What was needed to make the machine only. */
static void close_used(const struct vmm_config *c, struct machine *m)
{
	if (c->kernel_fd >= 0)
		close((int)c->kernel_fd);
	if (c->initramfs_fd >= 0)
		close((int)c->initramfs_fd);
	if (c->state_fd >= 0)
		close((int)c->state_fd);
	close(m->kvm_fd);
	m->kvm_fd = -1;
}

/* The last steps before the guest's first instruction. */
static int close_up(const struct vmm_config *c, struct machine *m, struct err *e)
{
	int r;

	close_used(c, m);
	if (c->unsealed)
		seal_disable();
	r = machine_start_threads(m, e);
	if (r == 0 && !c->unjailed)
		r = jail_limit(e);
	if (r == 0 && seal_thread(SEAL_MAIN) < 0)
		r = err_sys(e, errno, "seccomp");
	return r;
}

enum machine_end vmm_run(const struct vmm_config *c, struct err *e)
{
	static struct machine m;
	static struct control control;
	static struct saver saver;
	struct devices *devices = NULL;
	enum machine_end end;
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		err_sys(e, errno, "no_new_privs");
		return END_USAGE;
	}
	signal(SIGPIPE, SIG_IGN); /* whoever read the console or the serial port may go */
	r = make(c, &m, &saver, &devices, e);
	if (r == 0 && c->control_fd >= 0) {
		r = control_init(&control, &m, devices, &saver, (int)c->control_fd);
		if (r < 0)
			err_sys(e, -r, "control socket");
	}
	if (r == 0)
		r = close_up(c, &m, e);
	if (r < 0)
		return END_USAGE;
	end = machine_run(&m);
	*e = m.why;
	return end;
}
