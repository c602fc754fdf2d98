/* strays.c - directories of instances without a record: a command was killed between the two */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "cgroup/cgroup.h"
#include "engine/engine_int.h"

#define ID_LEN 64

static bool is_id(const char *name)
{
	return strlen(name) == ID_LEN && strspn(name, "0123456789abcdef") == ID_LEN;
}

static bool has_record(struct engine *en, const char *id)
{
	struct instance_spec s = { 0 };
	int r = record_find(en->db, id, &s, NULL);

	json_done(&instance_spec_table, &s);
	return r != -ENOENT; /* in doubt it has */
}

/* Somebody is about to take what is in it (scratch.h). */
static bool is_scratch(struct engine *en, const char *id)
{
	autoclose int dir = truth_dir_open(en, id);

	return dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) < 0;
}

/* Looked at again under the lock, which whoever makes one holds until it is recorded. */
static void remove_stray(struct engine *en, const char *id)
{
	struct instance in = { .spec = { .id = (char *)(uintptr_t)id, .name = (char *)(uintptr_t)id } };
	autoclose int lock = -1;

	if (truth_lock(en, id, &lock, NULL) < 0 || has_record(en, id) || is_scratch(en, id))
		return;
	/* a monitor that was killed at the files of a scratch instance (scratch.h), perhaps before it could say what it is */
	cgroup_clear(engine_facts(en), NULL, id, NULL);
	truth_settle(en, &in, NULL);
	json_done(&instance_state_table, &in.state);
	remove_tree(en->instances_fd, id);
}

void strays_remove(struct engine *en)
{
	int fd = openat(en->instances_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((d = readdir(dir)))
		if (is_id(d->d_name) && !has_record(en, d->d_name))
			remove_stray(en, d->d_name);
	closedir(dir);
}
