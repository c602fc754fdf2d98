/* verbs_exec.c - exec: a further process, described by process.json or by options over the container's own */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "ocicli/ocicli.h"

struct exec_line {
	struct exec_args args;
	char *process, *cwd, *user, *process_label, *apparmor;
	struct strv env, caps, groups;
	bool detach, tty, no_new_privs;
};

static const struct opt exec_opts[] = {
	OPT(STR, 'p', "process", struct exec_line, process, "FILE", "The process as JSON"),
	OPT(FLAG, 'd', "detach", struct exec_line, detach, NULL, "Return when the program runs"),
	OPT(FLAG, 't', "tty", struct exec_line, tty, NULL, "Give it a terminal"),
	OPT(STR, 0, "cwd", struct exec_line, cwd, "DIR", "Its working directory"),
	OPT(LIST, 'e', "env", struct exec_line, env, "KEY=VALUE", "Set a variable"),
	OPT(STR, 'u', "user", struct exec_line, user, "UID[:GID]", "Its user"),
	OPT(LIST, 'g', "additional-gids", struct exec_line, groups, "GID", "A further group"),
	OPT(LIST, 'c', "cap", struct exec_line, caps, "CAP", "A further capability"),
	OPT(FLAG, 0, "no-new-privs", struct exec_line, no_new_privs, NULL, "It can gain no rights by exec"),
	OPT(STR, 0, "process-label", struct exec_line, process_label, "LABEL", "Its SELinux label"),
	OPT(STR, 0, "apparmor", struct exec_line, apparmor, "PROFILE", "Its AppArmor profile"),
	OPT(LIST, 0, "cgroup", struct exec_line, args.cgroups, "[CONTROLLER:]PATH",
	    "Below the container's cgroups; PATH must be there"),
	OPT(STR, 0, "pid-file", struct exec_line, args.pid_file, "FILE", "Write the process ID there"),
	OPT(STR, 0, "console-socket", struct exec_line, args.console_socket, "SOCKET",
	    "Send the master of the terminal there"),
	OPT(STR, 0, "pidfd-socket", struct exec_line, args.pidfd_socket, "SOCKET",
	    "Send a pidfd of the process there"),
	OPT(INT, 0, "preserve-fds", struct exec_line, args.preserve_fds, "N",
	    "Pass N further descriptors on"),
	OPT(FLAG, 0, "ignore-paused", struct exec_line, args.ignore_paused, NULL,
	    "Also in a paused container"),
	OPT(FLAG, 0, "no-subreaper", struct exec_line, args.no_subreaper, NULL,
	    "Accepted; exec never is one"),
	{ 0 },
};

/* --- options over the container's own process */

static int set_user(struct oci_user *u, const char *text, struct err *e)
{
	autofree char *uid = strdup(text);
	char *colon = uid ? strchr(uid, ':') : NULL;

	if (!uid)
		return err_set(e, ENOMEM, "out of memory");
	if (colon)
		*colon++ = '\0';
	if (parse_u32(uid, &u->uid) < 0 || (colon && parse_u32(colon, &u->gid) < 0))
		return err_set(e, EINVAL, "--user: \"%.80s\" is not UID[:GID]", text);
	return 0;
}

static int add_groups(struct i64v *ids, const struct strv *groups, struct err *e)
{
	for (size_t i = 0; i < groups->n; i++) {
		int64_t *more = reallocarray(ids->v, ids->n + 1, sizeof(*more));
		uint32_t gid;

		if (!more)
			return err_set(e, ENOMEM, "out of memory");
		ids->v = more;
		if (parse_u32(groups->v[i], &gid) < 0)
			return err_set(e, EINVAL, "--additional-gids: \"%.40s\" is not a number",
				       groups->v[i]);
		ids->v[ids->n++] = gid;
	}
	return 0;
}

/* As runc: into all sets but the ambient one, which only follows what is inheritable. */
static int add_caps(struct oci_capabilities *c, const struct strv *caps)
{
	struct strv *sets[] = { &c->bounding, &c->effective, &c->permitted };
	int r = 0;

	for (size_t i = 0; i < caps->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(sets) && r == 0; k++)
			if (!strv_has(sets[k], caps->v[i]))
				r = strv_add(sets[k], caps->v[i]);
	return r;
}

static int replace(char **m, char **by)
{
	if (*by) {
		free(*m);
		*m = take_ptr(*by);
	}
	return 0;
}

static int apply_options(struct exec_line *l, struct strv *words, struct oci_process *p, struct err *e)
{
	int r = 0;

	strv_done(&p->args);
	for (size_t i = 1; i < words->n && r == 0; i++)
		r = strv_add(&p->args, words->v[i]);
	for (size_t i = 0; i < l->env.n && r == 0; i++)
		r = strchr(l->env.v[i], '=') ? strv_env_set(&p->env, l->env.v[i]) : -EINVAL;
	if (r == -EINVAL)
		return err_set(e, EINVAL, "--env: KEY=VALUE is wanted");
	if (r == 0)
		r = add_caps(&p->capabilities, &l->caps);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	replace(&p->cwd, &l->cwd);
	replace(&p->selinux_label, &l->process_label);
	replace(&p->apparmor_profile, &l->apparmor);
	p->terminal = l->tty;
	p->console_height = p->console_width = 0;
	p->no_new_privileges |= l->no_new_privs;
	r = add_groups(&p->user.additional_gids, &l->groups, e);
	return r == 0 && l->user ? set_user(&p->user, l->user, e) : r;
}

/* --- where the process comes from */

static int read_process(const struct verb_context *c, const char *path, struct oci_process *ret,
			struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(c->rt.cwd, path, OCI_CONFIG_MAX, &b);

	if (r < 0)
		return err_sys(e, -r, "--process %s", path);
	r = oci_process_parse(b.data ? b.data : "", b.len, ret, e);
	return r < 0 ? err_wrap(e, r, "process.json") : 0;
}

static int make_process(const struct verb_context *c, const struct container_ref *ref, struct exec_line *l,
			struct strv *words, struct oci_process *ret, struct err *e)
{
	int r;

	if (l->process)
		return words->n > 1 ? err_set(e, EINVAL, "exec: a command and --process exclude each other")
				    : read_process(c, l->process, ret, e);
	if (words->n < 2)
		return err_set(e, EINVAL, "exec: a command or --process is missing");
	r = container_ref_process(ref, ret, e);
	if (r < 0)
		return r;
	r = apply_options(l, words, ret, e);
	if (r < 0)
		oci_process_done(ret);
	return r;
}

static int run_process(struct verb_context *c, const struct container_ref *ref, struct exec_line *l,
		       const struct oci_process *p, struct err *e)
{
	autoclose int pidfd = -1, ours = -1, theirs = -1;
	int pair[2], status, r;

	if (p->terminal && !l->detach && !l->args.console_socket) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return err_sys(e, errno, "cannot make a socket");
		ours = pair[0];
		theirs = l->args.console = pair[1];
	}
	l->args.hold_signals = !l->detach;
	r = runtime_exec(&c->rt, ref, p, &l->args, &pidfd, &status, e);
	if (r < 0 || l->detach)
		return r;
	return foreground_wait(pidfd, ours, e);
}

static int run_exec(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	AUTO(container_ref_done) struct container_ref ref = { .dir = -1 };
	struct exec_line *l = args;
	struct oci_process p = { 0 };
	int r;

	if (l->args.preserve_fds < 0 || l->args.preserve_fds > 1024)
		return err_set(e, EINVAL, "--preserve-fds: must be from 0 to 1024");
	r = container_ref_open(&c->rt, words->v[0], &ref, e);
	if (r == 0)
		r = make_process(c, &ref, l, words, &p, e);
	if (r < 0)
		return r;
	r = run_process(c, &ref, l, &p, e);
	oci_process_done(&p);
	return r;
}

const struct verb verb_exec = {
	.name = "exec",
	.usage = "CONTAINER [COMMAND [ARG...]]",
	.summary = "Run a further process in a container",
	OPTIONS(exec_opts, struct exec_line),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.grammar = OPTS_FIRST,
	.inside = true,
	.failure = 255,
	.run = run_exec,
};
