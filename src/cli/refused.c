/* refused.c - commands that users of Docker, Podman and Incus type, that Ketch has not, and why
 *
 * A name that becomes a command leaves this table (a unit test sees to it).
 */
#include "cli/cli.h"

#define NO_UPDATES  "images are not renewed by themselves; ketch pull, then run again"
#define NO_SIGNING  "images are not signed here; policy.json says which signatures a pull wants"
#define NO_MANIFEST "lists of images for several platforms are not made here"
#define NO_BUILDER  "there is no builder yet; build elsewhere, then ketch load the archive"
#define NO_CLUSTER  "Ketch runs instances of one host; it has no cluster"
#define NO_DAEMON   "there is no daemon and no remote one: Ketch works on the store of --root"
#define NO_PODS	    "there are no pods; --pid, --ipc and --uts container:NAME share namespaces"

const struct refusal refusals[] = {
	{ "auto-update", NO_UPDATES },
	{ "build", NO_BUILDER },
	{ "builder", NO_BUILDER },
	{ "buildx", NO_BUILDER },
	{ "checkpoint",
	  "ketch snapshot create --memory keeps a machine with its memory, --live a container with "
	  "its processes" },
	{ "compose", "there is no compose yet" },
	{ "config",
	  "Ketch has no cluster; ketch inspect shows an instance, ketch update and ketch set change it" },
	{ "context", NO_DAEMON },
	{ "farm", NO_BUILDER },
	{ "file", "ketch cp copies files of an instance" },
	{ "generate", "units are not generated; ketch.service starts those with a restart policy" },
	{ "image build", NO_BUILDER },
	{ "image sign", NO_SIGNING },
	{ "image trust", NO_SIGNING },
	{ "kube", NO_PODS },
	{ "machine", "no machine is needed: ketch run --vm makes one for each instance" },
	{ "manifest", NO_MANIFEST },
	{ "move", "ketch rename gives an instance another name" },
	{ "node", NO_CLUSTER },
	{ "play", NO_PODS },
	{ "plugin", "there are no plugins" },
	{ "pod", NO_PODS },
	{ "restore", "ketch rollback INSTANCE@SNAPSHOT has it be again what it was" },
	{ "secret", NO_CLUSTER },
	{ "service", NO_CLUSTER },
	{ "stack", NO_CLUSTER },
	{ "swarm", NO_CLUSTER },
	{ "system connection", NO_DAEMON },
	{ "system dial-stdio", NO_DAEMON },
	{ "system migrate", NO_DAEMON },
	{ "system service", NO_DAEMON },
	{ "trust", NO_SIGNING },
	{ NULL, NULL },
};
