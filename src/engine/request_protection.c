/* request_protection.c - --security-opt, --privileged, --userns, capabilities: what keeps the inside inside */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/request.h"
#include "engine/request_int.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* Is `opt` "NAME", "NAME=VALUE" or, as Docker once wrote it, "NAME:VALUE"?  *ret_value: "" for the first. */
static bool is_option(const char *opt, const char *name, const char **ret_value)
{
	size_t n = strlen(name);

	if (strncmp(opt, name, n) || (opt[n] && opt[n] != '=' && opt[n] != ':'))
		return false;
	*ret_value = opt[n] ? opt + n + 1 : "";
	return true;
}

/* --- one function an option */

static int take_nnp(struct instance_spec *s, const char *v, struct err *e)
{
	if (*v && strcmp(v, "true") && strcmp(v, "false"))
		return err_set(e, EINVAL, "--security-opt no-new-privileges: '%.40s' is not true or false",
			       v);
	s->process.no_new_privs = strcmp(v, "false") != 0;
	return 0;
}

static int take_seccomp(struct instance_spec *s, const char *v, struct err *e)
{
	if (!*v)
		return err_set(e, EINVAL, "--security-opt: seccomp needs FILE, default or unconfined");
	s->process.seccomp = strcmp(v, "unconfined") != 0;
	return 0;
}

static int take_apparmor(struct instance_spec *s, const char *v, struct err *e)
{
	if (!*v || strpbrk(v, " \t\n"))
		return err_set(e, EINVAL, "--security-opt: apparmor needs the name of a profile");
	free(s->sandbox.apparmor);
	s->sandbox.apparmor = strdup(v);
	return s->sandbox.apparmor ? 0 : no_memory(e);
}

static int take_label(struct instance_spec *s, const char *v, struct err *e)
{
	if (strcmp(v, "disable"))
		return err_set(
			e, ENOTSUP,
			"--security-opt label: only label=disable, since Ketch sets no SELinux labels");
	return 0;
}

static int take_system_paths(struct instance_spec *s, const char *v, struct err *e)
{
	if (strcmp(v, "unconfined"))
		return err_set(e, EINVAL, "--security-opt systempaths: '%.40s' is not unconfined", v);
	s->sandbox.unmask_all = true;
	return 0;
}

static int take_paths(const char *flag, const char *v, struct strv *into, struct err *e)
{
	AUTO(strv_done) struct strv paths = { 0 };

	if (strv_split(&paths, v, ":") < 0)
		return no_memory(e);
	for (size_t i = 0; i < paths.n; i++)
		if (*paths.v[i] != '/')
			return err_set(e, EINVAL, "--security-opt %s: '%.80s' is not an absolute path", flag,
				       paths.v[i]);
	return strv_add_all(into, &paths) < 0 ? no_memory(e) : 0;
}

static int take_mask(struct instance_spec *s, const char *v, struct err *e)
{
	return take_paths("mask", v, &s->sandbox.masks, e);
}

static int take_unmask(struct instance_spec *s, const char *v, struct err *e)
{
	if (strcmp(v, "ALL"))
		return take_paths("unmask", v, &s->sandbox.unmasks, e);
	s->sandbox.unmask_all = true;
	return 0;
}

/* What proc(5) knows; nothing else may get into the options of a mount. */
static int take_proc_options(struct instance_spec *s, const char *v, struct err *e)
{
	static const char *const known[] = { "hidepid=", "gid=", "subset=" };
	AUTO(strv_done) struct strv opts = { 0 };

	if (strv_split(&opts, v, ",") < 0)
		return no_memory(e);
	for (size_t i = 0; i < opts.n; i++) {
		bool good = false;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			good |= !strncmp(opts.v[i], known[k], strlen(known[k])) &&
				opts.v[i][strlen(known[k])];
		if (!good)
			return err_set(e, EINVAL,
				       "--security-opt proc-opts: '%.40s' is not hidepid=, gid= or subset=",
				       opts.v[i]);
	}
	free(s->sandbox.proc_options);
	s->sandbox.proc_options = strdup(v);
	return s->sandbox.proc_options ? 0 : no_memory(e);
}

static const struct {
	const char *name;
	int (*take)(struct instance_spec *s, const char *value, struct err *e);
} options[] = {
	{ "no-new-privileges", take_nnp },
	{ "seccomp", take_seccomp },
	{ "apparmor", take_apparmor },
	{ "label", take_label },
	{ "systempaths", take_system_paths },
	{ "mask", take_mask },
	{ "unmask", take_unmask },
	{ "proc-opts", take_proc_options },
};

/* --- all of them */

int request_seccomp(const struct run_request *rq, const char **ret, struct err *e)
{
	const char *value;

	*ret = rq->privileged ? "unconfined" : "default";
	for (size_t i = 0; i < rq->security_opt.n; i++)
		if (is_option(rq->security_opt.v[i], "seccomp", &value))
			*ret = value;
	return 0;
}

static int take_option(struct instance_spec *s, const char *opt, struct err *e)
{
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (is_option(opt, options[i].name, &value))
			return options[i].take(s, value, e);
	return err_set(e, EINVAL,
		       "--security-opt: '%.80s' is not seccomp=, no-new-privileges, apparmor=, label=, "
		       "systempaths=, mask=, unmask= or proc-opts=",
		       opt);
}

int request_protection(const struct run_request *rq, struct instance_spec *s, struct err *e)
{
	int r = request_caps(rq, &s->process.caps, e);

	s->process.seccomp = !rq->privileged;
	if (r == 0 &&
	    (strv_copy(&s->cap_add, &rq->cap_add) < 0 || strv_copy(&s->cap_drop, &rq->cap_drop) < 0))
		r = err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < rq->security_opt.n && r == 0; i++)
		r = take_option(s, rq->security_opt.v[i], e);
	if (r == 0 && s->userns && rq->privileged)
		r = err_set(e, EINVAL, "--privileged and --userns exclude each other");
	if (r == 0 && rq->driver && s->isolation != ISOLATION_VM)
		r = err_set(e, EINVAL, "--driver works for virtual machines only");
	if (r == 0 && s->userns && s->isolation == ISOLATION_VM)
		r = err_set(e, EINVAL, "%s: a virtual machine has users of its own",
			    s->sandbox.uid_maps.n && !s->sandbox.auto_ids ? "--uidmap" : "--userns");
	return r;
}
