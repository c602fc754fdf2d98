/* isolation.h - --isolation=auto: an ordered table of rules says which wall a request gets, and why; pure
 *
 * The first rule that fires decides.  A rule for the virtual machine is about what would reach the host's kernel through a
 * container, or about what asks for more than the default protection; whoever trusts it says --isolation=container.  An
 * image may ask for the stronger wall, by a label, never for the weaker one.
 */
#ifndef ENGINE_ISOLATION_H
#define ENGINE_ISOLATION_H

#include "engine/engine.h"

#define LABEL_TRUST	"ketch.trust" /* "untrusted": of the image, or given by -l */
#define LABEL_ISOLATION "ketch.isolation" /* "vm" */

struct isolation_input {
	const struct run_request *request;
	const struct image_config *image;
	const struct host_facts *host;
};

struct isolation_rule {
	const char *name, *text; /* text: when it fires, a sentence without a stop */
	int isolation; /* enum isolation */
	bool (*fires)(const struct isolation_input *in);
};
extern const struct isolation_rule
	isolation_rules[]; /* ends with a name of NULL; the last one always fires */

const struct isolation_rule *isolation_choose(const struct isolation_input *in);
/* Is a virtual machine possible for this image on this host?  -ENOTSUP with the rule and a hint: there is no way back to a
 * container that nobody asked for. */
int isolation_check_vm(const struct isolation_input *in, const struct isolation_rule *rule, struct err *e);

#endif
