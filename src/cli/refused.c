/* refused.c - commands that users of Docker and Podman type, that Ketch has not, and why
 *
 * A name that becomes a command leaves this table (a unit test sees to it).
 */
#include "cli/cli.h"

#define NO_REGISTRY "there is no registry yet; images come by ketch load and ketch import"
#define NO_BUILDER  "there is no builder yet; build elsewhere, then ketch load the archive"
#define NO_NETWORKS "networks come later; there are --network none and host"
#define NO_CLUSTER  "Ketch runs instances of one host; it has no cluster"
#define NO_DAEMON   "there is no daemon and no remote one: Ketch works on the store of --root"
#define NO_PODS	    "there are no pods; --pid, --ipc and --uts container:NAME share namespaces"

const struct refusal refusals[] = {
	{ "auto-update", NO_REGISTRY },
	{ "build", NO_BUILDER },
	{ "builder", NO_BUILDER },
	{ "buildx", NO_BUILDER },
	{ "checkpoint", "memory is not kept; ketch-oci checkpoint does it for containers" },
	{ "compose", "there is no compose yet" },
	{ "config", NO_CLUSTER },
	{ "context", NO_DAEMON },
	{ "farm", NO_BUILDER },
	{ "generate", "units are not generated; ketch.service starts those with a restart policy" },
	{ "image build", NO_BUILDER },
	{ "image pull", NO_REGISTRY },
	{ "image push", NO_REGISTRY },
	{ "image search", NO_REGISTRY },
	{ "image sign", NO_REGISTRY },
	{ "image trust", NO_REGISTRY },
	{ "kube", NO_PODS },
	{ "login", NO_REGISTRY },
	{ "logout", NO_REGISTRY },
	{ "machine", "no machine is needed: ketch run --vm makes one for each instance" },
	{ "manifest", NO_REGISTRY },
	{ "network", NO_NETWORKS },
	{ "node", NO_CLUSTER },
	{ "play", NO_PODS },
	{ "plugin", "there are no plugins" },
	{ "pod", NO_PODS },
	{ "pull", NO_REGISTRY },
	{ "push", NO_REGISTRY },
	{ "search", NO_REGISTRY },
	{ "secret", NO_CLUSTER },
	{ "service", NO_CLUSTER },
	{ "stack", NO_CLUSTER },
	{ "swarm", NO_CLUSTER },
	{ "system connection", NO_DAEMON },
	{ "system dial-stdio", NO_DAEMON },
	{ "system migrate", NO_DAEMON },
	{ "system service", NO_DAEMON },
	{ "trust", NO_REGISTRY },
	{ NULL, NULL },
};
