/* audit_int.h - what the files of the audit share */
#ifndef ENGINE_AUDIT_INT_H
#define ENGINE_AUDIT_INT_H

#include "base/strv.h"
#include "engine/engine.h"

#define AUDIT_ID_LEN 64

struct suspect {
	char id[AUDIT_ID_LEN + 1];
	char *path; /* in a file system of the kernel or the store: gone when it is */
	char *what;
	bool of_any_store; /* the host has one list of them for all */
};

struct audit {
	char *instances, *run; /* real paths, each with a "/" behind */
	struct strv owners; /* of rules, as they were first seen */
	struct strv alive; /* ids */
	struct suspect *suspects;
	size_t n;
	bool sees_all; /* every process of the machine */
	bool oom;
};

/* The id that `text` begins with, and what stands behind it; NULL: none. */
const char *audit_id_at(const char *text, char id[AUDIT_ID_LEN + 1]);
/* Something of an instance.  what: owned from here on. */
void audit_suspect_take(struct audit *a, const char *id, const char *path, char *what);
/* The same for what the host has one list of, whichever store it belongs to. */
void audit_suspect_of_any_take(struct audit *a, const char *id, const char *path, char *what);
/* Is the instance of no process that we see, and of none that we do not see? */
bool audit_is_dead(const struct audit *a, struct engine *en, const char *id);
/* audit_net.c: links become suspects, whose rules there are is noted. */
void audit_networks(struct audit *a, struct engine *en);
/* Ports of the pools of our networks that have no pool any more. */
void audit_pools(struct audit *a, struct engine *en, struct strv *ret);
/* Once it is known who is alive: rules that are still there though their instance is not, or their network is in no record,
 * are named in *ret. */
void audit_rules(struct audit *a, struct engine *en, struct strv *ret);

/* audit_release.c: is what the instance had on networks being taken back just now?  Then it was waited for. */
bool audit_await_release(const char *id);

/* audit_layers.c: files of layers and of states of volumes that no record names, and records without files. */
int audit_layers(struct engine *en, struct strv *ret, struct err *e);

#endif
