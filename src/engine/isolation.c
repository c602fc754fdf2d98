/* isolation.c - the rules of --isolation=auto */
#include "engine/isolation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/request_int.h"
#include "sys/caps.h"

static const char *os_of(const struct image_config *c)
{
	return c->os && *c->os ? c->os : "linux";
}

static const char *arch_of(const struct isolation_input *in)
{
	const char *arch = in->image->architecture;

	return arch && *arch ? arch : in->host->arch;
}

static bool is_other_os(const struct isolation_input *in)
{
	return strcmp(os_of(in->image), "linux") != 0;
}

static bool is_other_arch(const struct isolation_input *in)
{
	const char *arch = arch_of(in);

	return arch && in->host->arch && strcmp(arch, in->host->arch) != 0;
}

static bool asks_machine(const struct isolation_input *in)
{
	return in->request->kernel || in->request->driver;
}

static bool has(const struct strv *pairs, const char *key, const char *value)
{
	const char *found = strv_env_get(pairs, key);

	return found && !strcmp(found, value);
}

static bool is_labelled(const struct isolation_input *in)
{
	return has(&in->image->config.labels, LABEL_ISOLATION, "vm") ||
	       has(&in->request->labels, LABEL_ISOLATION, "vm") ||
	       has(&in->request->annotations, LABEL_ISOLATION, "vm");
}

static bool is_untrusted(const struct isolation_input *in)
{
	return has(&in->image->config.labels, LABEL_TRUST, "untrusted") ||
	       has(&in->request->labels, LABEL_TRUST, "untrusted");
}

static bool is_privileged(const struct isolation_input *in)
{
	return in->request->privileged;
}

/* Docker's defaults: they are what programs expect, and no way out by themselves. */
static bool adds_capabilities(const struct isolation_input *in)
{
	static const char *const usual[] = { "CHOWN",	"DAC_OVERRIDE", "FSETID",     "FOWNER",
					     "MKNOD",	"NET_RAW",	"SETGID",     "SETUID",
					     "SETFCAP", "SETPCAP",	"SYS_CHROOT", "NET_BIND_SERVICE",
					     "KILL",	"AUDIT_WRITE" };
	uint64_t added = 0;

	if (request_caps_added(in->request, &added) < 0)
		return false; /* the request is refused for that */
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		added &= ~(UINT64_C(1) << cap_from_name(usual[i]));
	return added;
}

static bool asks_devices(const struct isolation_input *in)
{
	return in->request->sandbox.devices.n || in->request->sandbox.device_rules.n;
}

static bool names(const struct strv *texts, const char *part)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strstr(texts->v[i], part))
			return true;
	return false;
}

/* CAP_SYS_MODULE is the rule before. */
static bool asks_modules(const struct isolation_input *in)
{
	return names(&in->request->volumes, "/lib/modules") || names(&in->request->mounts, "/lib/modules");
}

static bool sets_kernel(const struct isolation_input *in)
{
	const struct strv *list = &in->request->sandbox.sysctls;

	for (size_t i = 0; i < list->n; i++) {
		autofree char *path = oci_sysctl_path(list->v[i], strcspn(list->v[i], "="));

		if (path && oci_sysctl_namespace(path) < 0)
			return true;
	}
	return false;
}

static bool is_unconfined(const struct isolation_input *in)
{
	static const char *const loose[] = { "seccomp=unconfined", "seccomp:unconfined",
					     "systempaths=unconfined", "unmask=ALL" };

	for (size_t i = 0; i < ARRAY_LEN(loose); i++)
		if (strv_has(&in->request->security_opt, loose[i]))
			return true;
	return false;
}

static bool is_default(const struct isolation_input *in)
{
	return true;
}

const struct isolation_rule isolation_rules[] = {
	{ "foreign-os", "the image is for another operating system", ISOLATION_VM, is_other_os },
	{ "foreign-arch", "the image is for another architecture", ISOLATION_VM, is_other_arch },
	{ "machine", "--kernel or --driver: only a machine has them", ISOLATION_VM, asks_machine },
	{ "label", "the label or annotation " LABEL_ISOLATION "=vm, of the image or given", ISOLATION_VM,
	  is_labelled },
	{ "untrusted", "the label " LABEL_TRUST "=untrusted, of the image or given", ISOLATION_VM,
	  is_untrusted },
	{ "privileged", "--privileged: all of its kernel's rights", ISOLATION_VM, is_privileged },
	{ "capabilities", "--cap-add of more than Docker's 14", ISOLATION_VM, adds_capabilities },
	{ "devices", "--device, --device-cgroup-rule: raw devices", ISOLATION_VM, asks_devices },
	{ "modules", "a mount of /lib/modules: modules of the kernel", ISOLATION_VM, asks_modules },
	{ "sysctl", "--sysctl of what belongs to no namespace", ISOLATION_VM, sets_kernel },
	{ "unconfined", "--security-opt: no filter of system calls, or nothing masked", ISOLATION_VM,
	  is_unconfined },
	{ "default", "nothing of the above", ISOLATION_CONTAINER, is_default },
	{ 0 },
};

const struct isolation_rule *isolation_choose(const struct isolation_input *in)
{
	const struct isolation_rule *r = isolation_rules;

	while (!r->fires(in))
		r++;
	return r;
}

int isolation_check_vm(const struct isolation_input *in, const struct isolation_rule *rule, struct err *e)
{
	const struct host_facts *h = in->host;

	if (is_other_os(in) || is_other_arch(in))
		return err_set(
			e, ENOTSUP,
			"--isolation=auto: the image is for %.20s/%.20s (rule %s), and no machine here "
			"runs that: load an image for linux/%s",
			os_of(in->image), arch_of(in), rule->name, h->arch);
	if (!h->arch || strcmp(h->arch, "amd64") || (!h->qemu && !(h->kvm && h->vmm)))
		return err_set(e, ENOTSUP,
			       "--isolation=auto: rule %s wants a virtual machine, and this host runs none "
			       "(\"ketch doctor\" says why); --isolation=container says that you trust it",
			       rule->name);
	return 0;
}
