/* exported.h - an instance with its snapshots, as `ketch export --instance` writes it down; pure
 *
 * The document is the member EXPORTED_KEY of the config of the last image in the archive.  Each state (the instance as it
 * was then, each snapshot) names the image that is its root; the last image itself is that of `now`.  A volume in a state
 * names an image of one layer, which is what the volume held.
 *
 * It is foreign: what exported_parse takes is bounded, names nothing twice and has parents without a cycle.  Whether its
 * configuration can be had on this host is the engine's affair (engine/foreign.h).
 */
#ifndef INSTANCE_EXPORTED_H
#define INSTANCE_EXPORTED_H

#include "instance/spec.h"

#define EXPORTED_KEY	 "io.ketch.instance"
#define EXPORTED_VERSION 1
#define EXPORTED_MOST	 250 /* states and volumes in them: an archive has at most 256 images */

struct exported_volume {
	char *name;
	char *image; /* id: its only layer is what the volume holds */
	bool fresh; /* nobody has used it yet */
};

struct exported_state {
	char *name; /* of the snapshot; of `now`: NULL */
	char *parent; /* name of the snapshot that it went on from; NULL: none */
	char *image; /* id; of `now`: NULL, the one in which this stands */
	char *description;
	int64_t created_ns, expires_ns; /* expires: 0 never */
	bool automatic, live; /* as struct snapshot has them */
	bool memory; /* that of its machine stayed behind */
	struct instance_spec spec;
	struct exported_volume *volumes;
	size_t n_volumes;
};

struct exported {
	int version;
	struct exported_state now;
	struct exported_state *snapshots; /* oldest first */
	size_t n_snapshots;
};

extern const struct jtable exported_table;

void exported_done(struct exported *x);
/* Also of a text with a newer version, which is refused by that.  *ret by exported_done. */
int exported_parse(const char *text, size_t n, struct exported *ret, struct err *e);

/* A configuration that was made elsewhere: is it whole enough to be looked at? */
int exported_check_spec(const struct instance_spec *spec, struct err *e);

#endif
