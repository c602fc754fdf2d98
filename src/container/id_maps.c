/* id_maps.c - the IDs of a new user namespace, written by who may: root, the user himself, or newuidmap(1)
 *
 * A user without rights may map one ID, his own, and then only if setgroups(2) is given up (user_namespaces(7)).  What
 * /etc/subuid and /etc/subgid lend him is mapped by set-user-ID programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/strv.h"
#include "container/container_int.h"
#include "sys/ns.h"
#include "sys/run.h"

#define HELPER_MS 10000

static int failed(const char *file, int r, struct err *e)
{
	return err_sys(e, -r, "linux.%sMappings: cannot be set", *file == 'u' ? "uid" : "gid");
}

static int run_helper(pid_t pid, bool uids, const char *lines, struct err *e)
{
	const char *program = uids ? "newuidmap" : "newgidmap", *key = uids ? "uid" : "gid";
	AUTO(strv_done) struct strv args = { 0 }, numbers = { 0 };
	AUTO(buf_done) struct buf said = { 0 };
	int status, r = strv_add(&args, program);

	if (r == 0)
		r = strv_addf(&args, "%d", (int)pid);
	if (r == 0)
		r = strv_split(&numbers, lines, " \n");
	for (size_t i = 0; i < numbers.n && r == 0; i++)
		if (*numbers.v[i])
			r = strv_add(&args, numbers.v[i]);
	if (r == 0)
		r = run_program((const char *const *)args.v, -1, HELPER_MS, &said, &status);
	if (r < 0)
		return err_sys(e, -r, "linux.%sMappings: %s", key, program);
	if (said.len)
		said.data[strcspn(said.data, "\n")] = '\0';
	return status ? err_set(e, EPERM, "linux.%sMappings: %s", key, said.len ? said.data : program) : 0;
}

static bool is_one_id(const char *lines)
{
	unsigned inside, outside, n;
	int end = 0;

	return sscanf(lines, "%u %u %u%n", &inside, &outside, &n, &end) == 3 && n == 1 &&
	       !strcmp(lines + end, "\n");
}

static int map_own(pid_t pid, const char *file, const char *lines, struct err *e)
{
	int r = *file == 'g' ? ns_write_map(pid, "setgroups", "deny") : 0;

	if (r == 0)
		r = ns_write_map(pid, file, lines);
	return r < 0 ? failed(file, r, e) : 0;
}

static int map_ids(const struct container *c, pid_t pid, const char *file, const char *lines, struct err *e)
{
	int r;

	if (!lines)
		return 0;
	if (c->by_user)
		return is_one_id(lines) ? map_own(pid, file, lines, e)
					: run_helper(pid, *file == 'u', lines, e);
	r = ns_write_map(pid, file, lines);
	return r < 0 ? failed(file, r, e) : 0;
}

int launch_map_ids(const struct container *c, pid_t pid, struct err *e)
{
	int r = map_ids(c, pid, "uid_map", c->uid_map, e);

	return r == 0 ? map_ids(c, pid, "gid_map", c->gid_map, e) : r;
}
