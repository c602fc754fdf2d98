/* test_request.c - what the user asked and what the image says become one spec, or one clear error */
#include "../cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/request.h"

#define LIST(...)                                                                                            \
	{                                                                                                    \
		.v = (char **)(const char *[]){ __VA_ARGS__, NULL },                                         \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)                                \
	}

#define TEXT(s)                                                                                              \
	(char[])                                                                                             \
	{                                                                                                    \
		s                                                                                            \
	}

static struct image plain_image = {
	.id = (char[]){ "sha256:x" },
	.config.config = {
		.env = LIST("PATH=/bin", "LANG=C"),
		.cmd = LIST("sh"),
	},
};

static struct image full_image = {
	.id = (char[]){ "sha256:y" },
	.config.config = {
		.user = (char[]){ "web:www" },
		.env = LIST("A=image"),
		.entrypoint = LIST("/entry", "-x"),
		.cmd = LIST("serve"),
		.volumes = LIST("/data"),
		.working_dir = (char[]){ "/srv" },
		.labels = LIST("a=1", "b=2"),
		.stop_signal = (char[]){ "SIGQUIT" },
	},
};

static const struct host_facts host = { .cpus = 2, .cpu_list = TEXT("0-1"), .ram_bytes = UINT64_C(8) << 30 };

struct request_case {
	const char *what;
	struct run_request rq;
	struct image *image;
	const char *has; /* in the spec's JSON */
	const char *error; /* or in the message */
};

static const struct request_case cases[] = {
	/* entrypoint and cmd */
	{ "cmd of the image", { 0 }, &plain_image, "\"args\":[\"sh\"]", NULL },
	{ "arguments replace cmd",
	  { .args = LIST("ls", "-l") },
	  &plain_image,
	  "\"args\":[\"ls\",\"-l\"]",
	  NULL },
	{ "entrypoint and cmd", { 0 }, &full_image, "\"args\":[\"/entry\",\"-x\",\"serve\"]", NULL },
	{ "entrypoint and arguments",
	  { .args = LIST("q") },
	  &full_image,
	  "\"args\":[\"/entry\",\"-x\",\"q\"]",
	  NULL },
	{ "--entrypoint drops cmd",
	  { .entrypoint = (char[]){ "/e" } },
	  &full_image,
	  "\"args\":[\"/e\"]",
	  NULL },
	{ "empty --entrypoint",
	  { .entrypoint = (char[]){ "" }, .args = LIST("q") },
	  &full_image,
	  "\"args\":[\"q\"]",
	  NULL },
	{ "nothing to run", { .entrypoint = (char[]){ "" } }, &full_image, NULL, "no command specified" },
	{ "empty command", { .args = LIST("") }, &plain_image, NULL, "empty string" },
	/* environment */
	{ "image env over default",
	  { 0 },
	  &plain_image,
	  "\"env\":[\"PATH=/bin\",\"HOSTNAME=0123456789ab\",\"LANG=C\"]",
	  NULL },
	{ "-e replaces in place",
	  { .env = LIST("PATH=/x", "N=1") },
	  &plain_image,
	  "[\"PATH=/x\",\"HOSTNAME=0123456789ab\",\"LANG=C\",\"N=1\"]",
	  NULL },
	{ "-e of the caller", { .env = LIST("KETCH_TEST_SET") }, &plain_image, "KETCH_TEST_SET=yes", NULL },
	{ "-e of nobody unsets",
	  { .env = LIST("LANG") },
	  &plain_image,
	  "[\"PATH=/bin\",\"HOSTNAME=0123456789ab\"]",
	  NULL },
	{ "an empty value", { .env = LIST("E=") }, &plain_image, "\"E=\"", NULL },
	{ "a value with = and newline", { .env = LIST("E=a=b\nc") }, &plain_image, "\"E=a=b\\nc\"", NULL },
	{ "TERM with a terminal", { .tty = true }, &plain_image, "\"TERM=xterm\"", NULL },
	{ "no name", { .env = LIST("=x") }, &plain_image, NULL, "invalid environment variable" },
	{ "empty -e", { .env = LIST("") }, &plain_image, NULL, "invalid environment variable" },
	{ "blank in a name", { .env = LIST("a b=c") }, &plain_image, NULL, "invalid environment variable" },
	{ "newline in a name",
	  { .env = LIST("a\nb=c") },
	  &plain_image,
	  NULL,
	  "invalid environment variable" },
	{ "missing env file",
	  { .env_files = LIST("/nonexistent") },
	  &plain_image,
	  NULL,
	  "--env-file /nonexistent: no such file" },
	{ "env file is a directory",
	  { .env_files = LIST("/") },
	  &plain_image,
	  NULL,
	  "--env-file /: is a directory" },
	/* user, directory, name, signal, labels */
	{ "user of the image", { 0 }, &full_image, "\"user\":\"web:www\"", NULL },
	{ "-u", { .user = (char[]){ "7:8" } }, &full_image, "\"user\":\"7:8\"", NULL },
	{ "directory of the image", { 0 }, &full_image, "\"cwd\":\"/srv\"", NULL },
	{ "-w", { .workdir = (char[]){ "/w" } }, &full_image, "\"cwd\":\"/w\"", NULL },
	{ "relative -w", { .workdir = (char[]){ "w" } }, &full_image, NULL, "not an absolute path" },
	{ "-h", { .hostname = (char[]){ "box" } }, &plain_image, "\"hostname\":\"box\"", NULL },
	{ "-h in the environment", { .hostname = (char[]){ "box" } }, &plain_image, "HOSTNAME=box", NULL },
	{ "hostname of the id", { 0 }, &plain_image, "\"hostname\":\"0123456789ab\"", NULL },
	{ "hostname with a slash",
	  { .hostname = (char[]){ "a/b" } },
	  &plain_image,
	  NULL,
	  "invalid hostname" },
	{ "empty hostname", { .hostname = (char[]){ "" } }, &plain_image, NULL, "invalid hostname" },
	{ "hostname of 64",
	  { .hostname = (char[]){ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } },
	  &plain_image,
	  NULL,
	  "invalid hostname" },
	{ "signal of the image", { 0 }, &full_image, "\"stopSignal\":3", NULL },
	{ "signal by default", { 0 }, &plain_image, "\"stopSignal\":15", NULL },
	{ "--stop-signal", { .stop_signal = (char[]){ "USR1" } }, &full_image, "\"stopSignal\":10", NULL },
	{ "real-time signal",
	  { .stop_signal = (char[]){ "SIGRTMIN+3" } },
	  &full_image,
	  "\"stopSignal\":37",
	  NULL },
	{ "unknown signal",
	  { .stop_signal = (char[]){ "SIGNOPE" } },
	  &full_image,
	  NULL,
	  "invalid stop signal: SIGNOPE" },
	{ "signal 0", { .stop_signal = (char[]){ "0" } }, &full_image, NULL, "invalid stop signal" },
	{ "no restart by default", { 0 }, &plain_image, "\"restart\":{\"name\":\"no\"}", NULL },
	{ "--restart on-failure:5",
	  { .restart = (char[]){ "on-failure:5" } },
	  &plain_image,
	  "\"restart\":{\"name\":\"on-failure\",\"maxRetries\":5}",
	  NULL },
	{ "--restart unless-stopped",
	  { .restart = (char[]){ "unless-stopped" } },
	  &plain_image,
	  "\"restart\":{\"name\":\"unless-stopped\"}",
	  NULL },
	{ "--restart sometimes",
	  { .restart = (char[]){ "sometimes" } },
	  &plain_image,
	  NULL,
	  "invalid restart policy 'sometimes'" },
	{ "--restart alway",
	  { .restart = (char[]){ "alway" } },
	  &plain_image,
	  NULL,
	  "invalid restart policy" },
	{ "--restart always:3",
	  { .restart = (char[]){ "always:3" } },
	  &plain_image,
	  NULL,
	  "maximum retry count cannot be used with restart policy 'always'" },
	{ "--restart on-failure:x",
	  { .restart = (char[]){ "on-failure:x" } },
	  &plain_image,
	  NULL,
	  "maximum retry count must be a number" },
	{ "--restart with --rm",
	  { .restart = (char[]){ "always" }, .auto_remove = true },
	  &plain_image,
	  NULL,
	  "conflicting options: --restart and --rm" },
	{ "--restart no with --rm",
	  { .restart = (char[]){ "no" }, .auto_remove = true },
	  &plain_image,
	  "{",
	  NULL },
	{ "stop time-out by default", { 0 }, &plain_image, "\"stopTimeout\":10", NULL },
	{ "--stop-timeout", { .stop_timeout = (char[]){ "0" } }, &plain_image, "\"stopSignal\":15", NULL },
	{ "--stop-timeout x",
	  { .stop_timeout = (char[]){ "x" } },
	  &plain_image,
	  NULL,
	  "--stop-timeout: 'x'" },
	{ "--stop-timeout 86401",
	  { .stop_timeout = (char[]){ "86401" } },
	  &plain_image,
	  NULL,
	  "--stop-timeout: '86401'" },
	{ "--pidfile", { .pid_file = (char[]){ "/run/p" } }, &plain_image, "\"pidFile\":\"/run/p\"", NULL },
	{ "--pidfile ''",
	  { .pid_file = (char[]){ "" } },
	  &plain_image,
	  NULL,
	  "--pidfile: the path is empty" },
	{ "labels of both",
	  { .labels = LIST("b=3", "c") },
	  &full_image,
	  "\"labels\":{\"a\":\"1\",\"b\":\"3\",\"c\":\"\"}",
	  NULL },
	{ "label without a key", { .labels = LIST("=x") }, &full_image, NULL, "invalid label" },
	/* resources */
	{ "pids by default", { 0 }, &plain_image, "\"pids\":2048", NULL },
	{ "no pids limit", { .limits.pids_limit = -1 }, &plain_image, "\"resources\":{}", NULL },
	{ "memory",
	  { .limits.memory_bytes = 64 << 20, .limits.pids_limit = 5 },
	  &plain_image,
	  "\"resources\":{\"memory\":67108864,\"pids\":5}",
	  NULL },
	{ "too little memory",
	  { .limits.memory_bytes = 1 << 20 },
	  &plain_image,
	  NULL,
	  "--memory: the least is 6m" },
	{ "cpus", { .limits.cpu_milli = 1500 }, &plain_image, "\"milliCpus\":1500", NULL },
	{ "too many cpus", { .limits.cpu_milli = 2001 }, &plain_image, NULL, "--cpus: this host has 2" },
	{ "too few cpus", { .limits.cpu_milli = 9 }, &plain_image, NULL, "--cpus" },
#define LIMIT(name, text, ...)                                                                               \
	{                                                                                                    \
		name, { .limits = { __VA_ARGS__ } }, &plain_image, text, NULL                                \
	}
#define BAD_LIMIT(name, text, ...)                                                                           \
	{                                                                                                    \
		name, { .limits = { __VA_ARGS__ } }, &plain_image, NULL, text                                \
	}
	LIMIT("memory and swap", "\"memorySwap\":134217728", .memory_bytes = 64 << 20,
	      .memory_swap = TEXT("128m")),
	LIMIT("unlimited swap", "\"memorySwap\":-1", .memory_swap = TEXT("-1")),
	LIMIT("reservation", "\"memoryReservation\":8388608", .memory_reservation_bytes = 8 << 20),
	LIMIT("swappiness of 0", "\"memorySwappiness\":0", .memory_swappiness = TEXT("0")),
	LIMIT("swappiness of -1", "\"resources\":{\"pids\":2048}", .memory_swappiness = TEXT("-1")),
	LIMIT("score", "\"oomScoreAdj\":-500", .oom_score_adj = -500),
	LIMIT("shares", "\"cpuShares\":2", .cpu_shares = 2),
	LIMIT("period and quota", "\"cpuPeriod\":1000,\"cpuQuota\":1000", .cpu_period_us = 1000,
	      .cpu_quota_us = 1000),
	LIMIT("no quota", "\"resources\":{\"pids\":2048}", .cpu_quota_us = -1),
	LIMIT("cpus by number", "\"cpusetCpus\":\"0-1\"", .cpuset_cpus = TEXT("0-1")),
	LIMIT("the only node", "\"cpusetMems\":\"0\"", .cpuset_mems = TEXT("0")),
	LIMIT("weight", "\"blkioWeight\":10", .blkio_weight = 10),
	BAD_LIMIT("swap without memory", "--memory-swap: needs --memory", .memory_swap = TEXT("1g")),
	BAD_LIMIT("swap below memory", "--memory-swap: less than", .memory_bytes = 64 << 20,
		  .memory_swap = TEXT("63m")),
	BAD_LIMIT("swap of a word", "--memory-swap: 'much'", .memory_swap = TEXT("much")),
	BAD_LIMIT("reservation above", "--memory-reservation: more", .memory_bytes = 64 << 20,
		  .memory_reservation_bytes = 65 << 20),
	BAD_LIMIT("small reservation", "--memory-reservation: the least", .memory_reservation_bytes = 1),
	BAD_LIMIT("swappiness of 101", "--memory-swappiness: '101'", .memory_swappiness = TEXT("101")),
	BAD_LIMIT("score of 1001", "--oom-score-adj", .oom_score_adj = 1001),
	BAD_LIMIT("one share", "--cpu-shares: the range is 2 to 262144", .cpu_shares = 1),
	BAD_LIMIT("short period", "--cpu-period", .cpu_period_us = 999),
	BAD_LIMIT("short quota", "--cpu-quota", .cpu_quota_us = 999),
	BAD_LIMIT("cpus twice", "--cpus and --cpu-quota exclude", .cpu_milli = 1000, .cpu_quota_us = 5000),
	BAD_LIMIT("a third cpu", "--cpuset-cpus: '2' is not available here: there are 0-1",
		  .cpuset_cpus = TEXT("2")),
	BAD_LIMIT("cpus of a word", "--cpuset-cpus: 'all' is not a list", .cpuset_cpus = TEXT("all")),
	BAD_LIMIT("a second node", "--cpuset-mems: '1' is not available", .cpuset_mems = TEXT("1")),
	BAD_LIMIT("light weight", "--blkio-weight: the range", .blkio_weight = 9),
	BAD_LIMIT("no rate", "--device-read-bps: '/dev/null' is not PATH:BYTES",
		  .read_bps = LIST("/dev/null")),
	BAD_LIMIT("no block device", "--device-read-bps: /dev/null is not a block device",
		  .read_bps = LIST("/dev/null:1m")),
	BAD_LIMIT("no device", "--device-write-iops: /dev/nosuch: no such file",
		  .write_iops = LIST("/dev/nosuch:1")),
	BAD_LIMIT("rate of 0", "--device-write-bps: '0' is not a valid BYTES",
		  .write_bps = LIST("/dev/null:0")),
	BAD_LIMIT("relative device", "--blkio-weight-device: 'sda:10' is not PATH:WEIGHT",
		  .blkio_weights = LIST("sda:10")),
/* the inside */
#define INSIDE(name, text, ...)                                                                              \
	{                                                                                                    \
		name, { __VA_ARGS__ }, &plain_image, text, NULL                                              \
	}
#define BAD_INSIDE(name, text, ...)                                                                          \
	{                                                                                                    \
		name, { __VA_ARGS__ }, &plain_image, NULL, text                                              \
	}
	INSIDE("--env-merge", "\"PATH=/x:/bin:${no\"", .env_merge = LIST("PATH=/x:${PATH}:${no")),
	INSIDE("--env-merge of nothing", "\"A=-$-\"", .env_merge = LIST("A=-$-$NOSUCH")),
	INSIDE("--unsetenv", "\"env\":[\"PATH=/bin\",\"HOSTNAME=0123456789ab\",\"LANG=D\"]",
	       .unset_env = LIST("LANG"), .env = LIST("LANG=D")),
	INSIDE("--unsetenv-all", "\"env\":[\"N=1\"]", .unset_env_all = true, .env = LIST("N=1")),
	INSIDE("--env-host gives way to the image", "\"LANG=C\"", .env_host = true),
	INSIDE("--annotation", "\"annotations\":{\"a\":\"b=c\"}", .annotations = LIST("a=b=c")),
	INSIDE("--umask", "\"umask\":63", .umask = TEXT("077")),
	INSIDE("--group-add", "\"groups\":[\"audio\",\"7\"]", .groups = LIST("audio", "7")),
	INSIDE("--add-host", "\"hosts\":[\"::1\\ta\",\"1.2.3.4\\tb\"]",
	       .sandbox.hosts = LIST("a:[::1]", "b:1.2.3.4")),
	INSIDE("--sysctl", "\"sysctls\":[\"net.core.somaxconn=7\"]",
	       .sandbox.sysctls = LIST("net.core.somaxconn=7")),
	INSIDE("--device",
	       "\"source\":\"/dev/null\",\"target\":\"/dev/"
	       "x\",\"access\":\"r\",\"type\":\"c\",\"major\":1,\"minor\":3",
	       .sandbox.devices = LIST("/dev/null:/dev/x:r")),
	INSIDE("--device with access alone", "\"target\":\"/dev/null\",\"access\":\"rw\"",
	       .sandbox.devices = LIST("/dev/null:rw")),
	INSIDE("unmask", "\"unmasks\":[\"/a\",\"/b\"]", .security_opt = LIST("unmask=/a:/b")),
	INSIDE("unmask all", "\"unmaskAll\":true", .security_opt = LIST("unmask=ALL")),
	INSIDE("unconfined paths", "\"unmaskAll\":true", .security_opt = LIST("systempaths=unconfined")),
	INSIDE("mask", "\"masks\":[\"/a\"]", .security_opt = LIST("mask=/a")),
	INSIDE("proc options", "\"procOptions\":\"hidepid=2,gid=7\"",
	       .security_opt = LIST("proc-opts=hidepid=2,gid=7")),
	INSIDE("apparmor", "\"apparmor\":\"p\"", .security_opt = LIST("apparmor:p")),
	INSIDE("--ipc shareable", "\"ipc\":{\"mode\":\"shareable\"}", .sandbox.ipc = TEXT("shareable")),
	INSIDE("--pid container", "\"pid\":{\"mode\":\"container\",\"of\":\"x\"}",
	       .sandbox.pid = TEXT("container:x")),
	INSIDE("--uidmap for both", "\"gidMaps\":[{\"hostID\":100000,\"size\":10}]",
	       .sandbox.uid_maps = LIST("0:100000:10")),
	INSIDE("--userns auto", "\"uidMaps\":[{\"size\":1000}]", .sandbox.userns = TEXT("auto:size=1000")),
	INSIDE("--userns private", "\"userns\":true", .sandbox.userns = TEXT("private")),
	INSIDE("--cgroup-parent", "\"cgroupParent\":\"/a/b\"", .sandbox.cgroup_parent = TEXT("a//./b/")),
	BAD_INSIDE("--userns auto of none", "the size is 1 to 65536", .sandbox.userns = TEXT("auto:size=0")),
	BAD_INSIDE("--userns automatic", "--userns: invalid mode", .sandbox.userns = TEXT("automatic")),
	BAD_INSIDE("--userns auto and maps", "exclude each other", .sandbox.userns = TEXT("auto"),
		   .sandbox.uid_maps = LIST("0:100000:10")),
	BAD_INSIDE("--uts and a name", "--uts host and --hostname exclude", .sandbox.uts = TEXT("host"),
		   .hostname = TEXT("a")),
	BAD_INSIDE("--uts of none", "--uts: invalid mode 'none'", .sandbox.uts = TEXT("none")),
	BAD_INSIDE("--ipc of nobody", "--ipc: invalid mode 'container:'", .sandbox.ipc = TEXT("container:")),
	BAD_INSIDE("--uidmap of words", "--uidmap: 'a:b:c' is not", .sandbox.uid_maps = LIST("a:b:c")),
	BAD_INSIDE("--uidmap of nothing", "0 maps nothing", .sandbox.uid_maps = LIST("0:100000:0")),
	BAD_INSIDE("--cgroup-parent that climbs", "--cgroup-parent",
		   .sandbox.cgroup_parent = TEXT("/a/../../b")),
	BAD_INSIDE("bad annotation", "invalid annotation", .annotations = LIST("=x")),
	BAD_INSIDE("bad umask", "--umask: '1000'", .umask = TEXT("1000")),
	BAD_INSIDE("keep-groups", "--group-add: 'keep-groups'", .groups = LIST("keep-groups")),
	BAD_INSIDE("host without address", "--add-host: 'a' is not", .sandbox.hosts = LIST("a")),
	BAD_INSIDE("host with a newline", "--add-host", .sandbox.hosts = LIST("a\nb:1.1.1.1")),
	BAD_INSIDE("hosts and none", "exclude each other", .sandbox.hosts = LIST("a:1.1.1.1"),
		   .sandbox.no_hosts = true),
	BAD_INSIDE("sysctl without value", "--sysctl", .sandbox.sysctls = LIST("net.core.somaxconn")),
	BAD_INSIDE("sysctl that climbs", "--sysctl", .sandbox.sysctls = LIST("net/../../x=1")),
	BAD_INSIDE("zone that climbs", "--tz", .sandbox.timezone = TEXT("../passwd")),
	BAD_INSIDE("device that is none", "is not a device", .sandbox.devices = LIST("/etc/passwd")),
	BAD_INSIDE("device with four", "--device: '/dev/null:/a:r:w' is not",
		   .sandbox.devices = LIST("/dev/null:/a:r:w")),
	BAD_INSIDE("device that climbs", "--device: '/dev/null:/dev/../x' is not",
		   .sandbox.devices = LIST("/dev/null:/dev/../x")),
	BAD_INSIDE("rule of a word", "--device-cgroup-rule", .sandbox.device_rules = LIST("all")),
	BAD_INSIDE("relative mask", "--security-opt mask: 'a' is not", .security_opt = LIST("mask=a")),
	BAD_INSIDE("proc option", "--security-opt proc-opts: 'rw'",
		   .security_opt = LIST("proc-opts=hidepid=1,rw")),
	BAD_INSIDE("label", "only label=disable", .security_opt = LIST("label=type:x")),
	{ "ulimit",
	  { .ulimits = LIST("nofile=10:20") },
	  &plain_image,
	  "{\"type\":\"nofile\",\"soft\":10,\"hard\":20}",
	  NULL },
	{ "ulimit of one",
	  { .ulimits = LIST("nproc=10") },
	  &plain_image,
	  "{\"type\":\"nproc\",\"soft\":10,\"hard\":10}",
	  NULL },
	{ "ulimit unlimited",
	  { .ulimits = LIST("core=0:-1") },
	  &plain_image,
	  "\"hard\":18446744073709551615",
	  NULL },
	{ "ulimit upside down",
	  { .ulimits = LIST("nofile=20:10") },
	  &plain_image,
	  NULL,
	  "above the hard limit" },
	{ "ulimit of no name",
	  { .ulimits = LIST("nosuch=1") },
	  &plain_image,
	  NULL,
	  "unknown limit 'nosuch'" },
	{ "ulimit without value", { .ulimits = LIST("nofile") }, &plain_image, NULL, "not NAME=SOFT" },
	{ "ulimit with three", { .ulimits = LIST("nofile=1:2:3") }, &plain_image, NULL, "not NAME=SOFT" },
	{ "ulimit of a word", { .ulimits = LIST("nofile=many") }, &plain_image, NULL, "invalid number" },
	{ "ulimit below zero", { .ulimits = LIST("nofile=-2") }, &plain_image, NULL, "invalid number" },
	/* protection */
	{ "eleven capabilities",
	  { 0 },
	  &plain_image,
	  "\"caps\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\",\"CAP_"
	  "SETGID\",\"CAP_SETUID\","
	  "\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_SETFCAP\"]",
	  NULL },
	{ "--cap-drop ALL with an add",
	  { .cap_drop = LIST("all"), .cap_add = LIST("net_admin") },
	  &plain_image,
	  "\"caps\":[\"CAP_NET_ADMIN\"]",
	  NULL },
	{ "--cap-drop ALL",
	  { .cap_drop = LIST("ALL") },
	  &plain_image,
	  "\"process\":{\"args\":[\"sh\"],\"env\":[\"PATH=/"
	  "bin\",\"HOSTNAME=0123456789ab\",\"LANG=C\"],\"cwd\":\"/\",\"seccomp\":true}",
	  NULL },
	{ "--cap-add with prefix",
	  { .cap_drop = LIST("ALL"), .cap_add = LIST("CAP_SYS_TIME", "kill") },
	  &plain_image,
	  "[\"CAP_KILL\",\"CAP_SYS_TIME\"]",
	  NULL },
	{ "unknown capability",
	  { .cap_add = LIST("FLY") },
	  &plain_image,
	  NULL,
	  "--cap-add: unknown capability 'FLY'" },
	{ "unknown capability to drop",
	  { .cap_drop = LIST("FLY") },
	  &plain_image,
	  NULL,
	  "--cap-drop: unknown capability 'FLY'" },
	{ "privileged has SYS_ADMIN", { .privileged = true }, &plain_image, "CAP_SYS_ADMIN", NULL },
	{ "seccomp by default", { 0 }, &plain_image, "\"seccomp\":true", NULL },
	{ "no-new-privileges",
	  { .security_opt = LIST("no-new-privileges") },
	  &plain_image,
	  "\"noNewPrivileges\":true",
	  NULL },
	{ "no-new-privileges:true",
	  { .security_opt = LIST("no-new-privileges:true") },
	  &plain_image,
	  "\"noNewPrivileges\":true",
	  NULL },
	{ "unknown security option",
	  { .security_opt = LIST("nonsense=x") },
	  &plain_image,
	  NULL,
	  "--security-opt: 'nonsense=x'" },
	{ "empty seccomp", { .security_opt = LIST("seccomp=") }, &plain_image, NULL, "--security-opt" },
	{ "userns and privileged",
	  { .sandbox.userns = TEXT("private"), .privileged = true },
	  &plain_image,
	  NULL,
	  "exclude each other" },
	{ "userns in a vm",
	  { .sandbox.userns = TEXT("private"), .isolation = ISOLATION_VM },
	  &plain_image,
	  NULL,
	  "--userns" },
	{ "network host", { .network = (char[]){ "host" } }, &plain_image, "\"network\":\"host\"", NULL },
	{ "network host in a vm",
	  { .network = (char[]){ "host" }, .isolation = ISOLATION_VM },
	  &plain_image,
	  NULL,
	  "--network host" },
	{ "unknown network", { .network = (char[]){ "lan" } }, &plain_image, NULL, "no such network: lan" },
	/* mounts */
	{ "bind",
	  { .volumes = LIST("/etc:/mnt/x:ro") },
	  &plain_image,
	  "{\"type\":\"bind\",\"source\":\"/etc\",\"target\":\"/mnt/x\",\"readOnly\":true}",
	  NULL },
	{ "bind of a file",
	  { .volumes = LIST("/etc/passwd:/p") },
	  &plain_image,
	  "\"target\":\"/p\",\"isFile\":true",
	  NULL },
	{ "anonymous volume",
	  { .volumes = LIST("/v") },
	  &plain_image,
	  "{\"type\":\"volume\",\"target\":\"/v\",\"copyUp\":true,\"anonymous\":true}",
	  NULL },
	{ "volume of the image",
	  { 0 },
	  &full_image,
	  "{\"type\":\"volume\",\"target\":\"/data\",\"copyUp\":true,\"anonymous\":true}",
	  NULL },
	{ "bind over a volume of the image",
	  { .volumes = LIST("/etc:/data") },
	  &full_image,
	  "\"mounts\":[{\"type\":\"bind\",\"source\":\"/etc\",\"target\":\"/data\"}]",
	  NULL },
	{ "tmpfs",
	  { .tmpfs = LIST("/t:size=1m,mode=700") },
	  &plain_image,
	  "{\"type\":\"tmpfs\",\"target\":\"/t\",\"options\":\"size=1m,mode=700\"}",
	  NULL },
	{ "missing source",
	  { .volumes = LIST("/nonexistent:/x") },
	  &plain_image,
	  NULL,
	  "-v: /nonexistent: no such file" },
	{ "named volume",
	  { .volumes = LIST("name:/x//y/../z/:ro,nocopy") },
	  &plain_image,
	  "{\"type\":\"volume\",\"source\":\"name\",\"target\":\"/x/z\",\"readOnly\":true}",
	  NULL },
	{ "words of a bind",
	  { .volumes = LIST("/etc:/x:nosuid,rslave,bind,noexec,cached") },
	  &plain_image,
	  "{\"type\":\"bind\",\"source\":\"/etc\",\"target\":\"/x\",\"options\":\"nosuid,noexec\","
	  "\"shallow\":true,\"propagation\":\"rslave\"}",
	  NULL },
	{ "name of a volume", { .volumes = LIST("na/me:/x") }, &plain_image, NULL, "invalid characters" },
	{ "empty source", { .volumes = LIST(":/x") }, &plain_image, NULL, "has no source" },
	{ "nocopy of a bind", { .volumes = LIST("/etc:/x:nocopy") }, &plain_image, NULL, "is for volumes" },
	{ "owner of a source", { .volumes = LIST("na:/x:U") }, &plain_image, NULL, "'U' is not supported" },
	{ "--mount of a volume, as CSV has it",
	  { .mounts = LIST("\"type=volume\",src=na,\"volume-label=a=b,\"\"c\"\"\",DST=/x,readonly") },
	  &plain_image,
	  "{\"type\":\"volume\",\"source\":\"na\",\"target\":\"/x\",\"readOnly\":true,\"copyUp\":true,"
	  "\"volumeLabels\":{\"a\":\"b,\\\"c\\\"\"}}",
	  NULL },
	{ "--mount of a bind",
	  { .mounts = LIST("type=bind,source=/etc,target=/"
			   "x,ro=false,bind-recursive=writable,bind-propagation=shared") },
	  &plain_image,
	  "\"target\":\"/x\",\"readOnlyTop\":true,\"propagation\":\"rshared\"}",
	  NULL },
	{ "--mount of a tmpfs",
	  { .mounts = LIST("type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1770,noexec") },
	  &plain_image,
	  "{\"type\":\"tmpfs\",\"target\":\"/x\",\"options\":\"size=1048576,mode=1770,noexec\"}",
	  NULL },
	{ "--mount without a target",
	  { .mounts = LIST("type=tmpfs") },
	  &plain_image,
	  NULL,
	  "target is required" },
	{ "--mount with a strange key",
	  { .mounts = LIST("dst=/x,colour=red") },
	  &plain_image,
	  NULL,
	  "unexpected key 'colour'" },
	{ "--mount with a bare key",
	  { .mounts = LIST("dst=/x,src") },
	  &plain_image,
	  NULL,
	  "invalid field 'src' must be a key=value pair" },
	{ "--mount of two kinds",
	  { .mounts = LIST("type=tmpfs,dst=/x,volume-nocopy") },
	  &plain_image,
	  NULL,
	  "cannot mix 'volume-nocopy' with mount type 'tmpfs'" },
	{ "--mount that climbs out",
	  { .mounts = LIST("dst=/x,src=na,volume-subpath=a/../b") },
	  &plain_image,
	  NULL,
	  "must be a relative path" },
	{ "--mount of an unfinished quote",
	  { .mounts = LIST("\"dst=/x,src=na") },
	  &plain_image,
	  "\"target\":\"/x,src=na\"",
	  NULL },
	{ "-v and --mount at one place",
	  { .volumes = LIST("/etc:/x"), .mounts = LIST("type=tmpfs,dst=/x/") },
	  &plain_image,
	  NULL,
	  "--mount: duplicate mount target '/x'" },
	{ "a place to write below a read-only root",
	  { .read_only = true, .read_only_tmpfs = true, .tmpfs = LIST("/tmp:size=1m") },
	  &plain_image,
	  "\"mounts\":[{\"type\":\"tmpfs\",\"target\":\"/tmp\",\"options\":\"size=1m\"},"
	  "{\"type\":\"tmpfs\",\"target\":\"/run\",\"copyUp\":true},"
	  "{\"type\":\"tmpfs\",\"target\":\"/var/tmp\",\"copyUp\":true}]",
	  NULL },
	{ "relative target", { .volumes = LIST("/etc:x") }, &plain_image, NULL, "not an absolute path" },
	{ "target is the root", { .volumes = LIST("/etc:/") }, &plain_image, NULL, "is the root" },
	{ "target is the root in disguise",
	  { .volumes = LIST("/etc:/./..//") },
	  &plain_image,
	  NULL,
	  "is the root" },
	{ "unknown mount option",
	  { .volumes = LIST("/etc:/x:rx") },
	  &plain_image,
	  NULL,
	  "unknown option 'rx'" },
	{ "four parts", { .volumes = LIST("/etc:/x:ro:z") }, &plain_image, NULL, "not SOURCE:TARGET" },
	{ "twice the same target",
	  { .volumes = LIST("/etc:/x", "/usr:/x") },
	  &plain_image,
	  NULL,
	  "duplicate mount target '/x'" },
	{ "empty volume", { .volumes = LIST("") }, &plain_image, NULL, "not an absolute path" },
	{ "empty tmpfs", { .tmpfs = LIST("") }, &plain_image, NULL, "not an absolute path" },
};

static void each_request_gives_its_spec_or_its_error(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct request_case *c = &cases[i];
		struct instance_spec s = { .id = strdup("0123456789abcdef") };
		struct buf json = { 0 };
		struct err e = { 0 };
		int r = request_to_spec(&c->rq, c->image, &host, &s, &e);
		bool good = (r == 0) == (c->error == NULL);

		json_print(&instance_spec_table, &s, 0, &json);
		if (good)
			good = strstr(c->error ? e.msg : json.data, c->error ? c->error : c->has) != NULL;
		if (!good)
			fail_msg("%s: %d \"%s\" %s", c->what, r, e.msg, json.data);
		buf_done(&json);
		json_done(&instance_spec_table, &s);
	}
}

static void an_env_file_has_comments_and_blank_lines(void **state)
{
	static const struct {
		const char *text, *want;
	} files[] = {
		{ "A=1\n# no\n\n  B= two words \r\nA=3", "A=3|B= two words |" },
		{ "KETCH_TEST_SET\nKETCH_TEST_UNSET\n", "KETCH_TEST_SET=yes|" },
		{ "", "" },
		{ "A B=1\n", NULL },
		{ "=1", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct strv env = { 0 };
		struct buf b = { 0 };
		struct err e = { 0 };
		int r = request_env_file(files[i].text, &env, &e);

		for (size_t k = 0; k < env.n; k++)
			buf_addf(&b, "%s|", env.v[k]);
		if (files[i].want)
			assert_string_equal(b.data ? b.data : "", files[i].want);
		assert_int_equal(r < 0, files[i].want == NULL);
		buf_done(&b);
		strv_done(&env);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_gives_its_spec_or_its_error),
		cmocka_unit_test(an_env_file_has_comments_and_blank_lines),
	};

	setenv("KETCH_TEST_SET", "yes", 1);
	unsetenv("KETCH_TEST_UNSET");
	unsetenv("LANG");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
