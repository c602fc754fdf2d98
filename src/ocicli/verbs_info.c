/* verbs_info.c - features and spec: what this runtime can do, and a config to begin with */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "ocicli/embedded.h"
#include "ocicli/ocicli.h"
#include "sys/caps.h"

/* --- features (runtime-spec features.md) */

static void add_list(struct buf *b, const char *key, const char *const *names)
{
	buf_addf(b, "\"%s\":[", key);
	for (size_t i = 0; names[i]; i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", names[i]);
	buf_adds(b, "]");
}

static void add_capabilities(struct buf *b)
{
	uint64_t all = caps_all();
	bool first = true;

	buf_adds(b, "\"capabilities\":[");
	for (int i = 0; cap_name(i); i++) {
		if (!(all >> i & 1))
			continue;
		buf_addf(b, "%s\"%s\"", first ? "" : ",", cap_name(i));
		first = false;
	}
	buf_adds(b, "]");
}

static void add_mount_options(struct buf *b)
{
	buf_adds(b, "\"mountOptions\":[");
	for (size_t i = 0; runtime_mount_option(i); i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", runtime_mount_option(i));
	buf_adds(b, "]");
}

static void add_seccomp(struct buf *b)
{
	static const char *const actions[] = { "SCMP_ACT_ALLOW",	"SCMP_ACT_ERRNO",
					       "SCMP_ACT_KILL",		"SCMP_ACT_LOG",
					       "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
					       "SCMP_ACT_TRAP",		"SCMP_ACT_TRACE",
					       "SCMP_ACT_NOTIFY",	NULL };
	static const char *const operators[] = { "SCMP_CMP_NE",	       "SCMP_CMP_LT", "SCMP_CMP_LE",
						 "SCMP_CMP_EQ",	       "SCMP_CMP_GE", "SCMP_CMP_GT",
						 "SCMP_CMP_MASKED_EQ", NULL };
	static const char *const archs[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", NULL };
	static const char *const flags[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
					     "SECCOMP_FILTER_FLAG_LOG",
					     "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };

	buf_adds(b, "\"seccomp\":{\"enabled\":true,");
	add_list(b, "actions", actions);
	buf_adds(b, ",");
	add_list(b, "operators", operators);
	buf_adds(b, ",");
	add_list(b, "archs", archs);
	buf_adds(b, ",");
	add_list(b, "knownFlags", flags);
	buf_adds(b, ",");
	add_list(b, "supportedFlags", flags);
	buf_adds(b, "}");
}

static int run_features(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	static const char *const hooks[] = {
		"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
		NULL
	};
	AUTO(buf_done) struct buf b = { 0 };

	buf_adds(&b, "{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"" OCI_RUNTIME_VERSION "\",");
	add_list(&b, "hooks", hooks);
	buf_adds(&b, ",");
	add_mount_options(&b);
	buf_adds(&b, ",\"linux\":{");
	add_list(&b, "namespaces", oci_namespace_types);
	buf_adds(&b, ",");
	add_capabilities(&b);
	buf_adds(&b, ",\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":true,\"systemdUser\":true,\"rdma\":"
		     "true},");
	add_seccomp(&b);
	buf_adds(&b, ",\"apparmor\":{\"enabled\":true},\"selinux\":{\"enabled\":true},\"intelRdt\":{"
		     "\"enabled\":false},"
		     "\"mountExtensions\":{\"idmap\":{\"enabled\":true}}},"
		     "\"annotations\":{\"io.ketch.version\":\"" KETCH_VERSION "\"},"
		     "\"potentiallyUnsafeConfigAnnotations\":[]}\n");
	return oci_print(&b, e);
}

static const struct opt no_opts[] = { { 0 } };

const struct verb verb_features = {
	.name = "features",
	.usage = "",
	.summary = "Print what this runtime can do as JSON",
	.opts = no_opts,
	.no_runtime = true,
	.run = run_features,
};

/* --- spec */

struct spec_args {
	char *bundle;
	bool rootless;
};

static const struct opt spec_opts[] = {
	OPT(STR, 'b', "bundle", struct spec_args, bundle, "DIR", "Where to write config.json"),
	OPT(FLAG, 0, "rootless", struct spec_args, rootless, NULL, "For a user without rights"),
	{ 0 },
};

/* A user without rights may map the one ID that is the user's own. */
static void add_rootless(struct buf *b)
{
	for (const char *c = embedded_spec_rootless; *c; c++) {
		if (strncmp(c, "@UID@", 5) && strncmp(c, "@GID@", 5)) {
			buf_add(b, c, 1);
			continue;
		}
		buf_addf(b, "%u", c[1] == 'U' ? geteuid() : getegid());
		c += 4;
	}
}

static int run_spec(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	const struct spec_args *a = args;
	AUTO(buf_done) struct buf b = { 0 };
	autofree char *path = str_printf("%s/config.json", a->bundle ? a->bundle : ".");
	autoclose int fd = -1;
	int r;

	if (a->rootless)
		add_rootless(&b);
	else
		buf_adds(&b, embedded_spec);
	if (!path || !buf_ok(&b))
		return err_set(e, ENOMEM, "out of memory");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return errno == EEXIST ? err_set(e, EEXIST, "file %s exists: remove it first", path)
				       : err_sys(e, errno, "%s", path);
	r = write_full(fd, b.data, b.len);
	return r < 0 ? err_sys(e, -r, "%s", path) : 0;
}

const struct verb verb_spec = {
	.name = "spec",
	.usage = "",
	.summary = "Write a config.json to begin with",
	OPTIONS(spec_opts, struct spec_args),
	.no_runtime = true,
	.run = run_spec,
};
