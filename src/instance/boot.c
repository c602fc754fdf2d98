/* boot.c - what the engine hands to ketch-monitor */
#include "instance/boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct jfield boot_fd_fields[] = {
	J(J_STR, struct boot_fd, name),
	J(J_INT, struct boot_fd, fd),
	{ 0 },
};
static const struct jtable boot_fd_table = { sizeof(struct boot_fd), boot_fd_fields };

static const struct jfield boot_fields[] = {
	JO(struct boot, spec, "spec", &instance_spec_table),
	JO(struct boot, facts, "facts", &host_facts_table),
	JA(struct boot, fds, n_fds, "fds", &boot_fd_table),
	JK(J_I64, struct boot, snapshot_in_ns, "snapshotIn"),
	J(J_INT, struct boot, restarts),
	JK(J_INT, struct boot, backoff_ms, "backoffMs"),
	JK(J_BOOL, struct boot, files_only, "filesOnly"),
	J(J_BOOL, struct boot, blank),
	J(J_STR, struct boot, restored),
	J(J_STR, struct boot, root),
	JK(J_STR, struct boot, run_root, "runRoot"),
	J(J_STR, struct boot, ketch),
	{ 0 },
};
const struct jtable boot_table = { sizeof(struct boot), boot_fields };

int boot_fd(const struct boot *b, const char *name)
{
	for (size_t i = 0; i < b->n_fds; i++)
		if (!strcmp(b->fds[i].name, name))
			return b->fds[i].fd;
	return -ENOENT;
}

int boot_fd_n(const struct boot *b, const char *prefix, size_t index)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%zu", prefix, index);
	return boot_fd(b, name);
}

int boot_add_fd(struct boot *b, const char *name, int fd)
{
	struct boot_fd *fds = reallocarray(b->fds, b->n_fds + 1, sizeof(*fds));
	char *copy = strdup(name);

	if (fds)
		b->fds = fds;
	if (!fds || !copy) {
		free(copy);
		return -ENOMEM;
	}
	b->fds[b->n_fds++] = (struct boot_fd){ copy, fd };
	return 0;
}

void boot_drop_fd(struct boot *b, const char *name)
{
	for (size_t i = 0; i < b->n_fds; i++) {
		if (strcmp(b->fds[i].name, name) != 0)
			continue;
		close(b->fds[i].fd);
		free(b->fds[i].name);
		memmove(&b->fds[i], &b->fds[i + 1], (--b->n_fds - i) * sizeof(*b->fds));
		return;
	}
}
