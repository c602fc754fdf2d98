/* snapshot_auto.c - snapshots that a policy has made: --snapshot-every, --snapshot-keep
 *
 * The monitor of a running instance has them made by its timer (monitor/schedule.h); what does not run does not change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/snapshot.h"

#define PREFIX "auto-"
#define NOW_NS 1 /* a timer of 0 would never fire */

void snapshot_auto_name(char ret[SNAPSHOT_AUTO_NAME])
{
	int64_t now_ns = clock_real_ns();
	time_t now = (time_t)(now_ns / NS_PER_S);
	struct tm tm;
	char text[24];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y%m%d-%H%M%S", &tm);
	snprintf(ret, SNAPSHOT_AUTO_NAME, PREFIX "%s.%03d", text, (int)(now_ns / 1000000 % 1000));
}

/* Others are made on the way to something else, by a command that removes them. */
static bool is_of_policy(const struct snapshot *s)
{
	return s->automatic && !strncmp(s->name, PREFIX, strlen(PREFIX));
}

void snapshot_auto_thin_out(struct engine *en, const struct instance *in)
{
	uint32_t keep = in->spec.snapshots.keep, n_of_policy = 0;
	struct snapshot *list;
	size_t n;

	if (!keep || snapshot_list(en, in, &list, &n, NULL) < 0)
		return;
	for (size_t i = n; i-- > 0;)
		if (is_of_policy(&list[i]) && ++n_of_policy > keep)
			snapshot_remove(en, in, list[i].id, NULL);
	snapshots_free(list, n);
}

int snapshot_auto(struct engine *en, const struct instance *in, struct err *e)
{
	char name[SNAPSHOT_AUTO_NAME];
	const struct snapshot_request rq = { .name = name, .automatic = true, .memory = MEMORY_NOT };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	AUTO(buf_done) struct buf action = { 0 };
	struct err why = { 0 };
	int r;

	snapshot_auto_name(name);
	r = snapshot_create(en, in, &rq, &s, &why);
	if (r == 0) {
		snapshot_auto_thin_out(en, in);
		snapshot_remove_expired(en, in);
		return 0;
	}
	buf_addf(&action, "snapshot failed: %s", why.msg);
	if (buf_ok(&action))
		engine_tell(en, &in->spec, action.data, NULL);
	return err_set(e, why.no, "%s", why.msg);
}

int64_t snapshot_auto_due_ns(struct engine *en, const struct instance_spec *s)
{
	const struct instance in = { .spec = *s }; /* borrows */
	int64_t last_ns = 0, wait_ns = s->snapshots.every_ns;
	struct snapshot *list;
	size_t n;

	if (!wait_ns || snapshot_list(en, &in, &list, &n, NULL) < 0)
		return wait_ns;
	for (size_t i = 0; i < n; i++)
		if (is_of_policy(&list[i]))
			last_ns = list[i].created_ns;
	snapshots_free(list, n);
	if (last_ns && last_ns <= clock_real_ns()) /* a clock that was set back says nothing */
		wait_ns -= clock_real_ns() - last_ns;
	return wait_ns > 0 ? wait_ns : NOW_NS;
}
