/* run_options.c - the table of options of run, launch, create and explain, by name */
#include "cli/run_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/limit_options.h"
#include "cli/listing.h"
#include "cli/run_defaults.h"
#include "sys/terminal.h"

#define RUN_OPT(type, letter, name, member, metavar, help)                                                   \
	OPT(type, letter, name, struct run_args, member, metavar, help)

/* Flags that cannot be had, each with its reason: the last rows. */
#define WINDOWS "it means something for Windows alone"
#define REAL_TIME                                                                                            \
	"groups of real-time processes have no limit here; --ulimit rtprio= lets processes ask for it"

const struct opt explain_opts[] = {
	LISTING_FORMAT(struct run_args, format),
	RUN_OPT(FLAG, 0, "rules", rules, NULL, "Print the table of rules"),

	RUN_OPT(FLAG, 'd', "detach", detach, NULL, "Run in the background and print the id"),
	RUN_OPT(STR, 0, "detach-keys", part.detach_keys, "KEYS",
		"Keys that leave it running; " DETACH_KEYS_DEFAULT),
	RUN_OPT(FLAG, 0, "disk-only", disk_only, NULL, "Boot, where the image holds the memory of a machine"),
	RUN_OPT(FLAG, 0, "dry-run", dry_run, NULL, "Print the steps that would be done, and do nothing"),
	RUN_OPT(FLAG, 0, "sig-proxy", part.sig_proxy, NULL, "Send signals on to it; true"),
	RUN_OPT(STR, 0, "template", template, "NAME", "Go on from a template, without an image"),
	RUN_OPT(FLAG, 0, "trusted", trusted, NULL, "Go on with the memory of a machine that is in the image"),
	RUN_OPT(FLAG, 0, "warm", warm, NULL, "Begin in a virtual machine that has booted before"),

	RUN_OPT(LIST, 0, "add-host", rq.sandbox.hosts, "NAME:ADDRESS",
		"Add a line to /etc/hosts; host-gateway is the host"),
	RUN_OPT(LIST, 0, "allow", rq.net.allow, "RULE",
		"Let in, or out:, [tcp|udp|icmp:][PEER][:PORT] alone"),
	RUN_OPT(LIST, 0, "annotation", rq.annotations, "KEY=VALUE", "Note something for programs"),
	RUN_OPT(LIST, 'a', "attach", part.streams, "STREAM", "Attach only to stdin, stdout or stderr"),
	LIMIT_OPT_BLKIO_WEIGHT(struct run_args, rq.limits),
	RUN_OPT(LIST, 0, "blkio-weight-device", rq.limits.blkio_weights, "PATH:NUMBER",
		"The same for one block device"),
	RUN_OPT(LIST, 0, "cap-add", rq.cap_add, "CAP", "Add a capability, or ALL"),
	RUN_OPT(LIST, 0, "cap-drop", rq.cap_drop, "CAP", "Drop a capability, or ALL"),
	RUN_OPT(STR, 0, "cgroup-parent", rq.sandbox.cgroup_parent, "PATH", "Cgroup that its own are below"),
	RUN_OPT(STR, 0, "cgroupns", rq.sandbox.cgroupns, "MODE", "Cgroup namespace: private or host"),
	RUN_OPT(STR, 0, "cidfile", cid_file, "FILE", "Write the id to a new file"),
	LIMIT_OPTS_CPU(struct run_args, rq.limits),
	RUN_OPT(LIST, 0, "deny", rq.net.deny, "RULE", "Keep out (or in) what such a rule says"),
	RUN_OPT(LIST, 0, "device", rq.sandbox.devices, "PATH[:PATH[:rwm]]",
		"Give a container a device of the host"),
	RUN_OPT(LIST, 0, "device-cgroup-rule", rq.sandbox.device_rules, "RULE",
		"Let devices be opened, such as 'c 10:200 rwm'"),
	RUN_OPT(LIST, 0, "device-read-bps", rq.limits.read_bps, "PATH:BYTES",
		"Most bytes a second to read from a block device"),
	RUN_OPT(LIST, 0, "device-read-iops", rq.limits.read_iops, "PATH:NUMBER",
		"Most reads a second from a block device"),
	RUN_OPT(LIST, 0, "device-write-bps", rq.limits.write_bps, "PATH:BYTES",
		"Most bytes a second to write to a block device"),
	RUN_OPT(LIST, 0, "device-write-iops", rq.limits.write_iops, "PATH:NUMBER",
		"Most writes a second to a block device"),
	RUN_OPT(FLAG, 0, "disable-content-trust", no_content_trust, NULL, "Accepted for Docker's sake"),
	RUN_OPT(LIST, 0, "dns", rq.net.dns, "ADDRESS", "Resolver that it asks, instead of its network's"),
	RUN_OPT(LIST, 0, "dns-opt", rq.net.dns_options, "OPTION", "The same as --dns-option"),
	RUN_OPT(LIST, 0, "dns-option", rq.net.dns_options, "OPTION",
		"Option of its resolver, such as ndots:1"),
	RUN_OPT(LIST, 0, "dns-search", rq.net.dns_search, "DOMAIN", "Where short names are looked for"),
	RUN_OPT(STR, 0, "domainname", rq.sandbox.domainname, "NAME", "NIS domain name inside"),
	RUN_OPT(CHOICE, 0, "driver", rq.driver, "kvm|qemu",
		"Hypervisor of a virtual machine; kvm, our own, where it can"),
	RUN_OPT(LIST, 0, "egress", rq.net.egress, "NAME",
		"A name outside that it may reach; *.NAME, none, learn"),
	RUN_OPT(STR, 0, "entrypoint", rq.entrypoint, "COMMAND", "Replace the image's entry point"),
	RUN_OPT(LIST, 'e', "env", rq.env, "NAME[=VALUE]", "Set an environment variable, or pass on our own"),
	RUN_OPT(LIST, 0, "env-file", rq.env_files, "FILE", "Read environment variables from a file"),
	RUN_OPT(FLAG, 0, "env-host", rq.env_host, NULL, "Pass on our whole environment"),
	RUN_OPT(LIST, 0, "env-merge", rq.env_merge, "NAME=VALUE",
		"Set a variable with ${NAMES} of the image's in it"),
	RUN_OPT(LIST, 0, "expose", rq.net.expose, "PORT[/PROTOCOL]", "Port that -P publishes"),
	RUN_OPT(LIST, 0, "gidmap", rq.sandbox.gid_maps, "INSIDE:OUTSIDE:COUNT",
		"Map groups of its own user namespace"),
	RUN_OPT(LIST, 0, "group-add", rq.groups, "GROUP", "Further group of the user, by name or number"),
	RUN_OPT(STR, 0, "health-cmd", rq.health.command, "COMMAND",
		"Run by a shell to see whether it is well"),
	RUN_OPT(STR, 0, "health-interval", rq.health.interval, "DURATION", "Time between two checks; 30s"),
	RUN_OPT(STR, 0, "health-retries", rq.health.retries, "NUMBER", "Failures in a row that count; 3"),
	RUN_OPT(STR, 0, "health-start-interval", rq.health.start_interval, "DURATION",
		"The same in that period, until it is well"),
	RUN_OPT(STR, 0, "health-start-period", rq.health.start_period, "DURATION",
		"Time in which failures do not count"),
	RUN_OPT(STR, 0, "health-timeout", rq.health.timeout, "DURATION", "How long a check may take; 30s"),
	RUN_OPT(STR, 'h', "hostname", rq.hostname, "NAME", "Host name inside"),
	RUN_OPT(FLAG, 0, "http-proxy", rq.http_proxy, NULL, "Pass on http_proxy and its like"),
	RUN_OPT(FLAG, 0, "init", rq.init, NULL, "Run a small init that reaps and forwards signals"),
	RUN_OPT(FLAG, 'i', "interactive", rq.interactive, NULL, "Keep stdin open"),
	RUN_OPT(STR, 0, "ip", rq.net.ip, "ADDRESS", "Its IPv4 address on its network"),
	RUN_OPT(STR, 0, "ip6", rq.net.ip6, "ADDRESS", "Its IPv6 address on its network"),
	RUN_OPT(STR, 0, "ipc", rq.sandbox.ipc, "MODE", "private, shareable, none, host or container:NAME"),
	RUN_OPT(CHOICE, 0, "isolation", isolation, "container|vm|auto",
		"The wall around it; auto: see ketch explain"),
	RUN_OPT(STR, 0, "kernel", rq.kernel, "VERSION",
		"Guest kernel of a virtual machine (see ketch kernel ls)"),
	RUN_OPT(LIST, 'l', "label", rq.labels, "KEY[=VALUE]", "Note something about it"),
	RUN_OPT(LIST, 0, "label-file", rq.label_files, "FILE", "Read labels from a file"),
	RUN_OPT(STR, 0, "log-driver", rq.log_driver, "DRIVER",
		"Where its output is kept: json-file, journald, none"),
	RUN_OPT(LIST, 0, "log-opt", rq.log_opts, "KEY=VALUE",
		"max-size=, max-file=, labels=, env= ...: see ketch logs"),
	RUN_OPT(STR, 0, "mac-address", rq.net.mac, "MAC", "Its hardware address on its network"),
	LIMIT_OPTS_MEMORY(struct run_args, rq.limits),
	RUN_OPT(STR, 0, "memory-swappiness", rq.limits.memory_swappiness, "NUMBER",
		"How eagerly it is swapped out, 0 to 100; cgroup v1"),
	RUN_OPT(STR, 0, "name", rq.name, "NAME", "Name of the instance"),
	RUN_OPT(LIST, 0, "mount", rq.mounts, "KEY=VALUE,...",
		"Mount something: type=bind|volume|tmpfs,source=,target="),
	RUN_OPT(LIST, 0, "net", rq.net.networks, "NAME", "The same as --network"),
	RUN_OPT(BYTES, 0, "net-burst", rq.net.burst_bytes, "BYTES", "What goes at once beyond --net-rate"),
	RUN_OPT(LIST, 0, "net-rate", rq.net.rates, "RATE[:in|out]",
		"Its speed: 10mbit, or 2m:out (bytes a second)"),
	RUN_OPT(LIST, 0, "network", rq.net.networks, "NAME[:KEY=VALUE]",
		"A network (alias=, ip=, mac=), none, host, container:NAME"),
	RUN_OPT(LIST, 0, "network-alias", rq.net.aliases, "NAME", "A further name on its network"),
	RUN_OPT(FLAG, 0, "no-healthcheck", rq.health.none, NULL, "Run no health check, nor the image's"),
	RUN_OPT(FLAG, 0, "no-hosts", rq.sandbox.no_hosts, NULL, "Leave /etc/hosts as the image has it"),
	RUN_OPT(FLAG, 0, "oom-kill-disable", rq.limits.oom_kill_disable, NULL,
		"Let it wait instead when out of memory; cgroup v1"),
	RUN_OPT(INT, 0, "oom-score-adj", rq.limits.oom_score_adj, "NUMBER",
		"Who is killed first where memory is short: -1000 to 1000"),
	RUN_OPT(STR, 0, "pid", rq.sandbox.pid, "MODE", "private, host or container:NAME"),
	RUN_OPT(STR, 0, "pidfile", rq.pid_file, "FILE", "Write the pid on the host to a file"),
	LIMIT_OPT_PIDS(struct run_args, pids_limit),
	RUN_OPT(STR, 0, "platform", rq.platform, "OS/ARCH", "Refuse an image for another platform"),
	RUN_OPT(FLAG, 0, "privileged", rq.privileged, NULL, "Give all capabilities and devices"),
	RUN_OPT(LIST, 0, "profile", profiles, "NAME[,NAME]",
		"Take the flags of profiles first (see ketch profile create)"),
	RUN_OPT(LIST, 'p', "publish", rq.net.publish, "[[IP:]PORT:]PORT",
		"Publish a port on an address of the host; 127.0.0.1"),
	RUN_OPT(STR, 0, "publish-address", rq.net.publish_address, "ADDRESS",
		"Of the host, where -p names none; 127.0.0.1"),
	RUN_OPT(FLAG, 'P', "publish-all", rq.net.publish_all, NULL,
		"Publish every exposed port on any of the host"),
	RUN_OPT(CHOICE, 0, "pull", pull, "always|missing|never",
		"When to get the image from its registry; missing"),
	RUN_OPT(FLAG, 'q', "quiet", quiet, NULL, "Say nothing about what takes its time"),
	RUN_OPT(FLAG, 0, "read-only", rq.read_only, NULL, "Make the root file system read-only"),
	RUN_OPT(FLAG, 0, "read-only-tmpfs", rq.read_only_tmpfs, NULL,
		"With --read-only: /run, /tmp and /var/tmp can be written to"),
	RUN_OPT(STR, 0, "restart", rq.restart, "POLICY",
		"When it ends: no, on-failure[:N], always, unless-stopped"),
	RUN_OPT(FLAG, 0, "rm", rq.auto_remove, NULL, "Remove it once it has ended"),
	RUN_OPT(CHOICE, 0, "runtime", runtime, "ketch|ketch-vm", "The wall, in Docker's words"),
	RUN_OPT(LIST, 0, "security-opt", rq.security_opt, "OPTION",
		"seccomp=, no-new-privileges, apparmor=, mask=, unmask="),
	RUN_OPT(BYTES, 0, "shm-size", rq.sandbox.shm_bytes, "BYTES", "Size of /dev/shm; 64m"),
	RUN_OPT(STR, 0, "snapshot-every", rq.snapshot_every, "DURATION",
		"Have a snapshot made so often while it runs, such as 6h"),
	RUN_OPT(STR, 0, "snapshot-keep", rq.snapshot_keep, "NUMBER", "How many of those stay; 24"),
	RUN_OPT(STR, 0, "stop-signal", rq.stop_signal, "SIGNAL", "Signal that asks it to stop"),
	RUN_OPT(STR, 0, "stop-timeout", rq.stop_timeout, "SECONDS",
		"How long stop waits before it is killed; 10"),
	RUN_OPT(LIST, 0, "storage-opt", rq.storage_opts, "size=BYTES",
		"How much it may write; a container needs project quotas"),
	RUN_OPT(LIST, 0, "sysctl", rq.sandbox.sysctls, "NAME=VALUE",
		"Set something of its kernel, or namespaces"),
	RUN_OPT(FLAG, 0, "system", rq.sandbox.system, NULL, "Boot it: systemd or the like as process 1"),
	RUN_OPT(SECONDS, 0, "timeout", rq.timeout_s, "SECONDS", "Kill it after so long"),
	RUN_OPT(LIST, 0, "tmpfs", rq.tmpfs, "PATH[:OPTIONS]", "Mount an empty file system in memory"),
	RUN_OPT(FLAG, 't', "tty", rq.tty, NULL, "Give it a terminal"),
	RUN_OPT(STR, 0, "tz", rq.sandbox.timezone, "ZONE", "Time zone, such as Europe/Berlin, or local"),
	RUN_OPT(LIST, 0, "uidmap", rq.sandbox.uid_maps, "INSIDE:OUTSIDE:COUNT",
		"Map users of its own user namespace"),
	RUN_OPT(LIST, 0, "ulimit", rq.ulimits, "NAME=SOFT[:HARD]",
		"Set a resource limit, such as nofile=1024"),
	RUN_OPT(STR, 0, "umask", rq.umask, "OCTAL", "File mode creation mask; 0022"),
	RUN_OPT(LIST, 0, "unsetenv", rq.unset_env, "NAME", "Leave out a variable of the image"),
	RUN_OPT(FLAG, 0, "unsetenv-all", rq.unset_env_all, NULL, "Leave out all that is not asked for here"),
	RUN_OPT(STR, 'u', "user", rq.user, "[USER][:GROUP]",
		"User it runs as, or its number; :GROUP: root with that one"),
	RUN_OPT(STR, 0, "userns", rq.sandbox.userns, "MODE",
		"User namespace: host, private or auto[:size=NUMBER]"),
	RUN_OPT(STR, 0, "uts", rq.sandbox.uts, "MODE", "private, host or container:NAME"),
	RUN_OPT(FLAG, 0, "vm", vm, NULL, "Run it as a virtual machine: --isolation=vm"),
	RUN_OPT(LIST, 'v', "volume", rq.volumes, "SOURCE:PATH[:OPTIONS]",
		"Mount a directory or file of the host, or a volume"),
	RUN_OPT(LIST, 0, "volumes-from", rq.volumes_from, "NAME[:ro]",
		"Mount what another instance mounts, at the same places"),
	RUN_OPT(STR, 'w', "workdir", rq.workdir, "PATH", "Working directory inside"),

	OPT_REFUSE(0, "cpu-count", WINDOWS),
	OPT_REFUSE(0, "cpu-percent", WINDOWS),
	OPT_REFUSE(0, "cpu-rt-period", REAL_TIME),
	OPT_REFUSE(0, "cpu-rt-runtime", REAL_TIME),
	OPT_REFUSE(0, "gpus", "no GPU is handed over; --device gives a container the nodes of one"),
	OPT_REFUSE(0, "hostuser", "the image's own /etc/passwd is used as it is"),
	OPT_REFUSE(0, "io-maxbandwidth", WINDOWS),
	OPT_REFUSE(0, "io-maxiops", WINDOWS),
	OPT_REFUSE(0, "kernel-memory", "kernels do not tell it from --memory any more"),
	OPT_REFUSE(0, "link",
		   "instances of one network know each other by name; --network-alias gives one more"),
	OPT_REFUSE(0, "link-local-ip", "addresses of a network are given with --ip and --ip6"),
	OPT_REFUSE(0, "pod", "there are no pods yet"),
	OPT_REFUSE(0, "preserve-fds", "an instance outlives the command, and gets none of its descriptors"),
	OPT_REFUSE(0, "secret", "there are no secrets yet; -v mounts a file"),
	OPT_REFUSE(0, "use-api-socket", "there is no daemon whose socket it could use"),
	OPT_REFUSE(0, "volume-driver", "volumes are directories of the store: their driver is local"),
	{ 0 },
};

/* The words behind the options become image and arguments. */
static void take_words(struct run_request *rq, struct strv *words)
{
	rq->image = words->v[0];
	memmove(words->v, words->v + 1, words->n * sizeof(*words->v)); /* with the NULL */
	words->n--;
	rq->args = *words;
	*words = (struct strv){ 0 };
}

/* --name "$NAME" with nothing in it is as if it were not given, as Docker has it; an empty --entrypoint takes the image's
 * away. */
static void forget_empty(struct run_args *a)
{
	for (const struct opt *o = RUN_OPTS; o->type; o++) {
		char **value = (char **)((char *)a + o->off);

		if (o->type == OPT_STR && strcmp(o->name, "entrypoint") != 0 && *value && !**value) {
			free(*value);
			*value = NULL;
		}
	}
}

int run_args_take(struct run_args *a, struct strv *words, struct err *e)
{
	int r;

	forget_empty(a);
	r = run_take_isolation(a, e);
	if (r < 0)
		return r;
	if (a->pids_limit != PIDS_NOT_GIVEN)
		a->rq.limits.pids_limit =
			a->pids_limit > 0 ? a->pids_limit : -1; /* Docker: 0 and less are none */
	if (a->rq.tty && !terminal_size(STDIN_FILENO, &a->rq.rows, &a->rq.cols))
		terminal_size(STDOUT_FILENO, &a->rq.rows, &a->rq.cols);
	take_words(&a->rq, words);
	return 0;
}

void run_args_drop(struct run_args *a)
{
	strv_done(&a->rq.args);
	free(a->rq.image);
	a->rq.image = NULL;
}
