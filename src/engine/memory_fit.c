/* memory_fit.c - which hosts a saved state fits */
#include "engine/memory_fit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "engine/engine_int.h"
#include "engine/facts.h"
#include "sys/cpu_id.h"
#include "sys/tsc.h"

#define TSC_PER_MILLE 1 /* so much the counters may differ: ten times what measuring them does */

/* Of a file that a package brings, size and time are its version's. */
static char *describe_qemu(struct engine *en)
{
	const char *path = engine_facts(en)->qemu;
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return NULL;
	return str_printf("%s (%lld bytes of %lld)", path, (long long)st.st_size,
			  (long long)st.st_mtim.tv_sec);
}

static char *describe_host(struct engine *en)
{
	const char *release = engine_facts(en)->kernel_release;
	char cpu[CPU_ID_MAX];

	cpu_id(cpu);
	return str_printf("%s with Linux %s", cpu, release ? release : "unknown");
}

bool memory_fit_is_qemu(const struct snapshot_memory *m)
{
	return !strcmp(m->format, MEMORY_FORMAT_QEMU) || !strcmp(m->format, MEMORY_FORMAT_QEMU_KVM);
}

int memory_fit_note(struct engine *en, const struct instance_spec *spec, struct snapshot_memory *m,
		    struct err *e)
{
	bool qemu = spec->vm.driver == VM_DRIVER_QEMU, kvm = spec->vm.accel_kvm;

	free(m->format);
	free(m->program);
	free(m->host);
	m->format = strdup(!qemu ? MEMORY_FORMAT_VMM : kvm ? MEMORY_FORMAT_QEMU_KVM : MEMORY_FORMAT_QEMU);
	m->program = qemu ? describe_qemu(en) : NULL;
	m->host = qemu && kvm ? describe_host(en) : NULL;
	m->tsc_khz = qemu ? tsc_measure_khz() : 0;
	m->ram_bytes = spec->vm.ram_bytes;
	return m->format && (m->program || !qemu) && (m->host || !qemu || !kvm)
		       ? 0
		       : err_set(e, ENOMEM, "out of memory");
}

static int check_qemu(struct engine *en, const struct snapshot *s, struct err *e)
{
	const struct snapshot_memory *m = &s->memory;
	autofree char *now = describe_qemu(en);
	uint64_t khz = tsc_measure_khz(), most = khz / 1000 * TSC_PER_MILLE;

	if (!now || !m->program || strcmp(now, m->program) != 0)
		return err_set(e, EPROTO, "snapshot %s: its memory was written by %.140s; QEMU is now %.140s",
			       s->name, m->program ? m->program : "an unknown QEMU", now ? now : "missing");
	if (khz > m->tsc_khz + most || khz + most < m->tsc_khz)
		return err_set(e, EPROTO,
			       "snapshot %s: its machine counts time at %llu kHz, this host at %llu: its "
			       "clock would go wrong",
			       s->name, (unsigned long long)m->tsc_khz, (unsigned long long)khz);
	return 0;
}

static int check_host(struct engine *en, const struct snapshot *s, struct err *e)
{
	autofree char *now = describe_host(en);

	if (!now)
		return err_set(e, ENOMEM, "out of memory");
	return s->memory.host && !strcmp(now, s->memory.host)
		       ? 0
		       : err_set(e, EPROTO,
				 "snapshot %s: with KVM, its memory fits only where it was written (%.160s), "
				 "not here (%.160s)",
				 s->name, s->memory.host ? s->memory.host : "on an unknown host", now);
}

int memory_fit_check(struct engine *en, const struct snapshot *s, struct err *e)
{
	const char *format = s->memory.format;
	int r = strcmp(format, MEMORY_FORMAT_QEMU_KVM) != 0 ? 0 : check_host(en, s, e);

	if (r < 0)
		return r;
	if (memory_fit_is_qemu(&s->memory))
		return check_qemu(en, s, e);
	if (!strcmp(format, MEMORY_FORMAT_VMM))
		return 0;
	return err_set(e, EPROTO,
		       "snapshot %s: its memory is of the format %.40s; this Ketch reads " MEMORY_FORMAT_VMM
		       ", " MEMORY_FORMAT_QEMU " and " MEMORY_FORMAT_QEMU_KVM,
		       s->name, format);
}
