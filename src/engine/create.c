/* create.c - a request becomes an instance: checked, merged with its image, recorded
 *
 * The directory is there, and locked by us, before the record: so whoever finds the record finds something to lock.  A
 * directory that has no record and that nobody locks is left of a command that was killed (strays.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/ranges.h"
#include "container/container.h"
#include "engine/engine_int.h"
#include "engine/isolation.h"
#include "engine/names.h"
#include "engine/net_int.h"
#include "engine/request.h"
#include "engine/volume_int.h"
#include "kernel/kernel.h"
#include "seccomp/seccomp.h"
#include "vm/image_disks.h"
#include "vm/vm.h"

#define DEFAULT_VCPUS_MAX 32 /* more processors are given only where --cpus asks for them */
#define LOCK_TRIES	  1000
#define NAME_ROUNDS	  100

void engine_random_hex(unsigned n, char *ret)
{
	unsigned char bytes[32];

	if (n > sizeof(bytes) || getrandom(bytes, n, 0) != (ssize_t)n)
		abort(); /* getrandom of <= 256 bytes cannot fail once the pool is up */
	hex_encode(bytes, n, ret);
}

int engine_check_name(const char *name, struct err *e)
{
	if (is_instance_name(name))
		return 0;
	return err_set(e, EINVAL,
		       "invalid name '%.140s': 2 to 128 letters, digits and _ . - are allowed, a letter or "
		       "digit first",
		       name);
}

static int check_new_name(struct engine *en, const char *name, struct err *e)
{
	bool taken = false;
	int r = engine_check_name(name, e);

	if (r == 0)
		r = record_name_taken(en->db, name, &taken, e);
	return taken ? record_name_in_use(name, e) : r;
}

int engine_check_new_names(struct engine *en, char *const *names, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		r = check_new_name(en, names[i], e);
		for (size_t k = 0; k < i && r == 0; k++)
			if (!strcmp(names[k], names[i]))
				r = err_set(e, EINVAL, "the name \"%s\" is given twice", names[i]);
	}
	return r;
}

static int choose_name(struct engine *en, const struct run_request *rq, char **ret, struct err *e)
{
	unsigned random;
	bool taken;
	int r;

	if (rq->name && engine_check_name(rq->name, e) < 0)
		return -e->no;
	if (rq->name) {
		*ret = strdup(rq->name);
		return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, errno, "getrandom");
	for (unsigned round = 0; round < NAME_ROUNDS; round++) {
		autofree char *name = name_make(random, round);

		if (!name)
			return err_set(e, ENOMEM, "out of memory");
		r = record_name_taken(en->db, name, &taken, e);
		if (r < 0)
			return r;
		if (!taken) {
			*ret = take_ptr(name);
			return 0;
		}
	}
	return err_set(e, EEXIST, "no free name was found: give one with --name");
}

int engine_choose_seccomp(struct engine *en, const struct run_request *rq, struct instance_spec *s,
			  struct err *e)
{
	autofree char *cache = str_printf("%s/seccomp", en->root);
	autoclose int fd = -1;
	const char *profile;
	int r;

	if (!s->process.seccomp)
		return 0;
	r = request_seccomp(rq, &profile, e);
	return r < 0 ? r : seccomp_filter_open(cache, profile, &s->process.caps, &s->seccomp, &fd, e);
}

static void say_emulation(struct engine *en, const struct host_facts *h)
{
	autofree char *line = str_printf("no usable KVM, so this runs in software emulation: %s",
					 h->kvm_reason ? h->kvm_reason : "the reason is unknown");

	if (!h->kvm && line && en->progress)
		en->progress(en->progress_arg, line);
}

/* Our own hypervisor wherever KVM works; "kvm" where it does not is refused by the plan, with the reason. */
static void choose_driver(const struct run_request *rq, const struct host_facts *h, struct vm_spec *vm)
{
	bool own = h->kvm && h->vmm;

	if (rq->driver)
		own = !strcmp(rq->driver, vm_driver_names[VM_DRIVER_KVM]);
	vm->accel_kvm = h->kvm;
	vm->driver = own ? VM_DRIVER_KVM : VM_DRIVER_QEMU;
}

/* No more processors than the limits let work at the same time. */
int engine_choose_vcpus(const struct resources *r, const struct host_facts *h)
{
	int n = h->cpus < DEFAULT_VCPUS_MAX ? h->cpus : DEFAULT_VCPUS_MAX;
	uint64_t period = r->cpu_period_us ? r->cpu_period_us : 100000, most = INT_MAX;
	struct ranges set;

	if (r->cpu_milli)
		n = (int)((r->cpu_milli + 999) / 1000);
	else if (r->cpu_quota_us)
		most = (r->cpu_quota_us + period - 1) / period;
	if (r->cpuset_cpus && ranges_parse(r->cpuset_cpus, &set) == 0 && ranges_count(&set) < most)
		most = ranges_count(&set);
	return most < (uint64_t)n ? (int)most : n;
}

/* The machine of a VM: as many CPUs as the ceiling needs, RAM for the ceiling and the guest's kernel. */
static int set_vm(struct engine *en, const struct run_request *rq, struct instance_spec *s, struct err *e)
{
	const struct host_facts *h = engine_facts_kvm(en);
	struct kernel k = { 0 };
	int r;

	if (s->isolation != ISOLATION_VM)
		return 0;
	r = kernel_find(en->root, rq->kernel, &k, e);
	if (r < 0)
		return r;
	s->vm.kernel = strdup(k.version);
	kernel_done(&k);
	choose_driver(rq, h, &s->vm);
	if (s->vm.driver == VM_DRIVER_QEMU)
		say_emulation(en, h);
	s->vm.vcpus = engine_choose_vcpus(&s->resources, h);
	s->vm.ram_bytes = vm_ram_bytes(s->resources.memory_bytes, h->ram_bytes);
	return s->vm.kernel ? 0 : err_set(e, ENOMEM, "out of memory");
}

int engine_choose_machine(struct engine *en, const struct run_request *rq, struct instance_spec *s,
			  struct err *e)
{
	int r = set_vm(en, rq, s, e);

	if (r == 0 && s->isolation == ISOLATION_VM && image_layers_are_files(en->images, &s->layers))
		s->vm.layer_disks = image_disks_choose(s);
	return r;
}

/* "linux/amd64[/VARIANT]", "linux", "amd64". */
static int check_platform(const char *wanted, const struct image_config *c, const char *name, struct err *e)
{
	const char *os = c->os && *c->os ? c->os : "linux", *arch = c->architecture ? c->architecture : "";
	AUTO(strv_done) struct strv part = { 0 };
	bool fits;

	if (!wanted)
		return 0;
	if (strv_split(&part, wanted, "/") < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (part.n == 1)
		fits = !strcmp(part.v[0], os) || !strcmp(part.v[0], arch);
	else
		fits = !strcmp(part.v[0], os) && !strcmp(part.v[1], arch);
	return fits ? 0
		    : err_set(e, EINVAL,
			      "--platform %.60s: the image %.100s is for %.20s/%.20s; load or import one "
			      "that fits",
			      wanted, name, os, arch);
}

static int set_image(const struct run_request *rq, const struct image *im, struct instance_spec *s,
		     struct err *e)
{
	s->image = strdup(rq->image);
	s->image_id = strdup(im->id);
	if (!s->image || !s->image_id || image_config_stack(&im->config, &s->layers) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

/* --isolation=auto: `rq` gets the wall that the rules choose. */
static int choose_isolation(struct engine *en, const struct image_config *image, struct run_request *rq,
			    char **ret_rule, struct err *e)
{
	const struct isolation_input in = { rq, image, engine_facts(en) };
	const struct isolation_rule *rule;
	int r = 0;

	if (!rq->auto_isolation)
		return 0;
	rule = isolation_choose(&in);
	rq->isolation = rule->isolation;
	if (rule->isolation == ISOLATION_VM) {
		engine_facts_kvm(en);
		r = isolation_check_vm(&in, rule, e);
	}
	if (r < 0)
		return r;
	*ret_rule = strdup(rule->name);
	return *ret_rule ? 0 : err_set(e, ENOMEM, "out of memory");
}

int engine_explain(struct engine *en, const struct run_request *rq, const struct isolation_rule **ret,
		   struct err *e)
{
	struct isolation_input in = { .request = rq };
	struct image im = { 0 };
	int r = image_find(en->images, rq->image, &im, e);

	if (r < 0)
		return r;
	in.image = &im.config;
	in.host = engine_facts_kvm(en);
	*ret = isolation_choose(&in);
	if ((*ret)->isolation == ISOLATION_VM)
		r = isolation_check_vm(&in, *ret, e);
	image_done(&im);
	return r;
}

/* What was chosen and cannot be done is told with the reason for the choice. */
static int wrap_choice(const struct instance_spec *s, int r, struct err *e)
{
	return r < 0 && s->isolation_rule && s->isolation == ISOLATION_VM
		       ? err_wrap(e, r, "--isolation=auto chose a virtual machine (rule %s)",
				  s->isolation_rule)
		       : r;
}

/* Everything but the record. */
static int make_spec(struct engine *en, const struct run_request *asked, struct instance_spec *s,
		     struct err *e)
{
	struct run_request mine = *asked, *rq = &mine; /* borrows */
	struct image im = { 0 };
	int r = image_find(en->images, rq->image, &im, e);

	if (r < 0)
		return r;
	r = choose_isolation(en, &im.config, rq, &s->isolation_rule, e);
	if (r < 0) {
		image_done(&im);
		return r;
	}
	s->id = calloc(1, 65);
	if (s->id)
		engine_random_hex(32, s->id);
	s->created_ns = clock_real_ns();
	r = s->id ? set_image(rq, &im, s, e) : err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = check_platform(rq->platform, &im.config, rq->image, e);
	if (r == 0)
		r = choose_name(en, rq, &s->name, e);
	if (r == 0)
		r = volumes_from(en, &rq->volumes_from, s, e);
	if (r == 0)
		r = wrap_choice(s, request_to_spec(rq, &im, engine_facts(en), s, e), e);
	if (r == 0)
		r = namespaces_resolve(en, &s->sandbox, e);
	if (r == 0)
		r = userns_choose(en, s, e);
	if (r == 0)
		r = net_resolve(en, s, false, e);
	if (r == 0)
		r = volumes_resolve(en, s, e);
	if (r == 0)
		r = engine_choose_seccomp(en, rq, s, e);
	if (r == 0)
		r = wrap_choice(s, engine_choose_machine(en, rq, s, e), e);
	image_done(&im);
	return r;
}

static const struct backend *backend_of(const struct instance_spec *s)
{
	return s->isolation == ISOLATION_VM ? &vm_backend : &container_backend;
}

/* Before anything is recorded. */
int engine_check_plan(struct engine *en, const struct instance_spec *s, struct err *e)
{
	struct plan p = { 0 };
	int r = backend_of(s)->plan(s, engine_facts(en), &p, e);

	plan_done(&p);
	return wrap_choice(s, r, e);
}

/* A new directory and its lock.  Who sweeps strays may take it for one in the moment between the two. */
int instance_dir_make(struct engine *en, const char *id, int *ret_lock, struct err *e)
{
	int r = -EBUSY;

	for (int i = 0; i < LOCK_TRIES && (r == -EBUSY || r == -ENOENT); i++) {
		if (mkdirat(en->instances_fd, id, 0700) < 0 && errno != EEXIST)
			return err_sys(e, errno, "directory of the instance");
		r = truth_lock(en, id, ret_lock, e);
	}
	if (r < 0) /* there may have been no room for the lock */
		unlinkat(en->instances_fd, id, AT_REMOVEDIR);
	return r;
}

int engine_record(struct engine *en, struct instance_spec *s, struct err *e)
{
	autoclose int lock = -1;
	int r = net_resolve(en, s, true, e);

	if (r == 0)
		r = instance_dir_make(en, s->id, &lock, e);
	if (r == 0)
		r = volumes_record_instance(en, s, e);
	if (r < 0 && lock >= 0)
		remove_tree(en->instances_fd, s->id);
	if (r == 0)
		engine_tell(en, s, "create", NULL);
	return r;
}

int engine_describe(struct engine *en, const struct run_request *rq, struct instance_spec *ret, struct err *e)
{
	struct instance_spec s = { 0 };
	int r = make_spec(en, rq, &s, e);

	if (r == 0)
		r = engine_check_plan(en, &s, e);
	if (r < 0)
		json_done(&instance_spec_table, &s);
	else
		*ret = s;
	return r;
}

/* A command beside us has taken the name that we chose, in the moment between; s has none then. */
static bool lost_name(struct engine *en, const struct run_request *rq, struct instance_spec *s)
{
	bool taken = false;

	if (rq->name || record_name_taken(en->db, s->name, &taken, NULL) < 0 || !taken)
		return false;
	free(s->name);
	s->name = NULL;
	return true;
}

int engine_create(struct engine *en, const struct run_request *rq, struct instance_spec *ret, struct err *e)
{
	struct instance_spec s = { 0 };
	int r = engine_describe(en, rq, &s, e);

	if (r < 0)
		return r;
	r = engine_record(en, &s, e);
	for (int i = 0; r == -EEXIST && i < NAME_ROUNDS && lost_name(en, rq, &s); i++) {
		r = choose_name(en, rq, &s.name, e);
		if (r == 0)
			r = engine_record(en, &s, e);
	}
	if (r < 0)
		json_done(&instance_spec_table, &s);
	else
		*ret = s;
	return r;
}

int engine_plan(struct engine *en, const struct run_request *rq, struct plan *ret, struct err *e)
{
	struct instance_spec s = { 0 };
	int r = make_spec(en, rq, &s, e);

	if (r == 0)
		r = backend_of(&s)->plan(&s, engine_facts(en), ret, e);
	r = wrap_choice(&s, r, e);
	json_done(&instance_spec_table, &s);
	return r;
}
