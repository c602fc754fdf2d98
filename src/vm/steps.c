/* steps.c - steps that all drivers share: the words of a VMM's command line, its descriptors, its user */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "vm/vm_int.h"

/* User ids 0x70000000... belong to nobody (systemd's UIDS-GIDS.md); the low bits are the instance's, so that two
 * VMMs cannot touch each other. */
#define UID_BASE 0x70000000U
#define UID_BITS 0x00ffffffU

static int apply_arg(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	int r = strv_add(&m->argv, s->what);

	if (r == 0 && s->data)
		r = strv_add(&m->argv, s->data);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int apply_kernel_arg(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;

	buf_addf(&m->kernel_args, "%s%s", m->kernel_args.len ? " " : "", s->what);
	return buf_ok(&m->kernel_args) ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int apply_fd(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	int fd = machine_named_fd(m, s->from);
	uint32_t number;

	if (fd < 0 || m->n_fds == ARRAY_LEN(m->fds) || parse_u32(s->what, &number) < 0)
		return err_set(e, EBADF, "no descriptor %s", s->from);
	m->fds[m->n_fds++] = (struct child_fd){ fd, (int)number };
	return 0;
}

uid_t vmm_uid(const char *id)
{
	char digits[9] = "";

	strncat(digits, id, 8);
	return UID_BASE + ((uid_t)strtoul(digits, NULL, 16) & UID_BITS);
}

void machine_drop_vmm_ends(struct machine *m)
{
	int *ends[] = { &m->agent_fd, &m->console_fd, &m->vmm_control_fd };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		close(*ends[i]);
		*ends[i] = -1;
	}
	for (size_t i = 0; i < m->n_shares; i++) {
		close(m->shares[i].vmm_fd);
		m->shares[i].vmm_fd = -1;
	}
}

/* --- planning */

void vmm_plan_arg(struct vmm_planner *pl, const char *option, const char *fmt, ...)
{
	autofree char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	if (pl->r == 0)
		pl->r = value ? plan_add(pl->plan, &op_vmm_arg, option, NULL, *value ? value : NULL, 0)
			      : -ENOMEM;
}

void vmm_plan_fd(struct vmm_planner *pl, int number, const char *from)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	if (pl->r == 0)
		pl->r = plan_add(pl->plan, &op_vmm_fd, text, from, NULL, 0);
}

void vmm_plan_kernel_arg(struct vmm_planner *pl, const char *words)
{
	if (pl->r == 0)
		pl->r = plan_add(pl->plan, &op_kernel_arg, words, NULL, NULL, 0);
}

const struct step_op op_vmm_arg = { "vmm-arg", STAGE_HOST, apply_arg };
const struct step_op op_kernel_arg = { "kernel-arg", STAGE_HOST, apply_kernel_arg };
const struct step_op op_vmm_fd = { "vmm-fd", STAGE_HOST, apply_fd };
