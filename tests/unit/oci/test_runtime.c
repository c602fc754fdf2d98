/* test_runtime.c - config.json, process.json and resources are read member by member; mistakes are told by their place */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "oci/runtime_int.h"

static const char *configs; /* directory */

static char *read_config(const char *name, size_t *ret_n)
{
	autofree char *path = str_printf("%s/%s.json", configs, name);
	FILE *f = fopen(path, "re");
	char *text = malloc(1 << 20);

	if (!f || !text)
		fail_msg("%s: cannot be read", path);
	*ret_n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static void parse_config(const char *name, struct oci_spec *ret)
{
	struct err e = { 0 };
	size_t n;
	autofree char *text = read_config(name, &n);

	if (oci_spec_parse(text, n, ret, &e) < 0)
		fail_msg("%s: %s", name, e.msg);
}

/* --- what is read */

static void assert_optional(const struct opt_i64 *n, int64_t value)
{
	assert_true(n->set);
	assert_int_equal(n->v, value);
}

static void assert_list(const struct strv *list, const char *first, size_t n)
{
	assert_int_equal(list->n, n);
	assert_string_equal(list->v[0], first);
}

static void assert_mapping(const struct oci_id_mapping *v, size_t n, const uint32_t *want)
{
	assert_int_equal(n, 1);
	assert_int_equal(v->container_id, want[0]);
	assert_int_equal(v->host_id, want[1]);
	assert_int_equal(v->size, want[2]);
}

static void assert_throttle(const struct oci_throttle_list *l, int64_t first)
{
	assert_int_equal(l->n, 1);
	assert_int_equal(l->v->major, first);
	assert_int_equal(l->v->minor, first + 1);
	assert_int_equal(l->v->rate, first + 2);
}

static void every_member_of_a_process_is_read(void **state)
{
	AUTO(oci_spec_done) struct oci_spec s;
	const struct oci_process *p = &s.process;

	parse_config("whole", &s);
	assert_true(s.has_process && p->terminal && p->has_capabilities && p->no_new_privileges);
	assert_int_equal(p->console_height, 25);
	assert_int_equal(p->console_width, 81);
	assert_int_equal(p->user.uid, 11);
	assert_int_equal(p->user.gid, 12);
	assert_optional(&p->user.umask, 022);
	assert_int_equal(p->user.additional_gids.n, 2);
	assert_int_equal(p->user.additional_gids.v[0], 13);
	assert_int_equal(p->user.additional_gids.v[1], 4294967294);
	assert_string_equal(p->user.username, "joe");
	assert_list(&p->args, "/bin/sh", 3);
	assert_string_equal(p->args.v[2], "echo \"\xc3\xa9\"");
	assert_list(&p->env, "PATH=/bin", 3);
	assert_string_equal(p->env.v[2], "A=b=c");
	assert_string_equal(p->cwd, "/work");
	assert_list(&p->capabilities.bounding, "CAP_KILL", 1);
	assert_list(&p->capabilities.effective, "CAP_CHOWN", 1);
	assert_list(&p->capabilities.inheritable, "CAP_FOWNER", 1);
	assert_list(&p->capabilities.permitted, "CAP_SETUID", 2);
	assert_list(&p->capabilities.ambient, "CAP_NOT_YET_KNOWN", 1);
	assert_int_equal(p->n_rlimits, 2);
	assert_string_equal(p->rlimits[0].type, "RLIMIT_NOFILE");
	assert_int_equal(p->rlimits[0].soft, 14);
	assert_int_equal(p->rlimits[0].hard, 15);
	assert_true(p->rlimits[1].hard == UINT64_MAX);
	assert_string_equal(p->apparmor_profile, "docker-default");
	assert_string_equal(p->selinux_label, "system_u:system_r:container_t:s0:c1,c2");
	assert_optional(&p->oom_score_adj, -16);
	assert_string_equal(p->scheduler.policy, "SCHED_DEADLINE");
	assert_int_equal(p->scheduler.nice, -17);
	assert_list(&p->scheduler.flags, "SCHED_FLAG_RESET_ON_FORK", 1);
	assert_int_equal(p->scheduler.runtime, 1800);
	assert_int_equal(p->scheduler.deadline, 1900);
	assert_int_equal(p->scheduler.period, 2000);
	assert_string_equal(p->io_priority.class, "IOPRIO_CLASS_BE");
	assert_int_equal(p->io_priority.priority, 6);
	assert_string_equal(p->affinity_initial, "0-3, 7");
	assert_string_equal(p->affinity_final, "1");
}

static void every_member_outside_process_and_linux_is_read(void **state)
{
	AUTO(oci_spec_done) struct oci_spec s;
	const struct oci_hooks *h = &s.hooks;

	parse_config("whole", &s);
	assert_string_equal(s.oci_version, "1.2.0-rc.1+dev");
	assert_true(s.has_root && s.root_readonly);
	assert_string_equal(s.root_path, "rootfs");
	assert_string_equal(s.hostname, "box");
	assert_string_equal(s.domainname, "example.org");
	assert_int_equal(s.n_mounts, 2);
	assert_string_equal(s.mounts[0].destination, "/data"); /* relative ones are relative to the root */
	assert_string_equal(s.mounts[0].type, "bind");
	assert_string_equal(s.mounts[0].source, "/srv");
	assert_list(&s.mounts[0].options, "rbind", 2);
	assert_mapping(s.mounts[0].uid_mappings, s.mounts[0].n_uid_mappings,
		       (const uint32_t[]){ 21, 22, 23 });
	assert_mapping(s.mounts[0].gid_mappings, s.mounts[0].n_gid_mappings,
		       (const uint32_t[]){ 24, 25, 26 });
	assert_string_equal(h->prestart.v->path, "/h1");
	assert_list(&h->prestart.v->args, "h1", 2);
	assert_list(&h->prestart.v->env, "K=v", 1);
	assert_optional(&h->prestart.v->timeout, 27);
	assert_string_equal(h->create_runtime.v->path, "/h2");
	assert_string_equal(h->create_container.v->path, "/h3");
	assert_string_equal(h->start_container.v->path, "/h4");
	assert_string_equal(h->poststart.v->path, "/h5");
	assert_int_equal(h->poststop.n, 2);
	assert_string_equal(h->poststop.v[1].path, "/h7");
	assert_false(h->poststop.v[1].timeout.set);
	assert_list(&s.annotations, "org.example.key=a=b", 2);
}

static void every_member_of_linux_is_read(void **state)
{
	AUTO(oci_spec_done) struct oci_spec s;
	const struct oci_linux *l = &s.lnx;

	parse_config("whole", &s);
	assert_mapping(l->uid_mappings, l->n_uid_mappings, (const uint32_t[]){ 0, 100000, 65536 });
	assert_mapping(l->gid_mappings, l->n_gid_mappings, (const uint32_t[]){ 0, 200000, 65537 });
	assert_list(&l->sysctl, "net.ipv4.ip_forward=1", 3);
	assert_string_equal(l->cgroups_path, "system.slice:ketch:box");
	assert_int_equal(l->n_namespaces, OCI_NS_N);
	assert_string_equal(oci_namespace_find(l, OCI_NS_NETWORK)->path, "/run/netns/a");
	assert_false(oci_namespace_is_new(l, OCI_NS_NETWORK));
	assert_true(oci_namespace_is_new(l, OCI_NS_TIME));
	assert_int_equal(l->n_devices, 2);
	assert_string_equal(l->devices[0].type, "c");
	assert_string_equal(l->devices[0].path, "/dev/fuse");
	assert_optional(&l->devices[0].major, 10);
	assert_optional(&l->devices[0].minor, 229);
	assert_optional(&l->devices[0].file_mode, 0666); /* without the type */
	assert_optional(&l->devices[0].uid, 77);
	assert_optional(&l->devices[0].gid, 78);
	assert_false(l->devices[1].uid.set);
	assert_string_equal(l->seccomp, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"x\":[1,\" \\\" : { \"]}");
	assert_string_equal(l->rootfs_propagation, "rslave");
	assert_list(&l->masked_paths, "/proc/kcore", 2);
	assert_list(&l->readonly_paths, "/proc/bus", 1);
	assert_string_equal(l->mount_label, "system_u:object_r:container_file_t:s0:c1,c2");
	assert_string_equal(l->intel_rdt, "{\"closID\":\"gold\"}");
	assert_string_equal(l->personality_domain, "LINUX32");
	assert_int_equal(l->monotonic.secs, 79);
	assert_int_equal(l->monotonic.nanosecs, 80);
	assert_int_equal(l->boottime.secs, -81);
	assert_int_equal(l->boottime.nanosecs, 82);
}

static void every_resource_is_read(void **state)
{
	AUTO(oci_spec_done) struct oci_spec s;
	const struct oci_resources *r = &s.lnx.resources;
	const struct oci_block_io *b = &r->block_io;

	parse_config("whole", &s);
	assert_int_equal(r->n_devices, 3);
	assert_false(r->devices[0].allow || r->devices[0].major.set);
	assert_null(r->devices[0].type);
	assert_string_equal(r->devices[0].access, "rwm");
	assert_true(r->devices[1].allow);
	assert_string_equal(r->devices[1].type, "c");
	assert_optional(&r->devices[1].major, 33);
	assert_optional(&r->devices[1].minor, 34);
	assert_optional(&r->devices[2].major, 35);
	assert_false(r->devices[2].minor.set); /* -1 is any */
	assert_optional(&r->memory.limit, 36);
	assert_optional(&r->memory.reservation, 37);
	assert_optional(&r->memory.swap, 38);
	assert_optional(&r->memory.kernel, 39);
	assert_optional(&r->memory.kernel_tcp, 40);
	assert_optional(&r->memory.swappiness, 41);
	assert_true(r->memory.disable_oom_killer && r->memory.use_hierarchy && r->memory.check_before_update);
	assert_optional(&r->cpu.shares, 42);
	assert_optional(&r->cpu.quota, 4300);
	assert_optional(&r->cpu.burst, 44);
	assert_optional(&r->cpu.period, 4500);
	assert_optional(&r->cpu.realtime_runtime, 46);
	assert_optional(&r->cpu.realtime_period, 47);
	assert_optional(&r->cpu.idle, 1);
	assert_string_equal(r->cpu.cpus, "0-1,48");
	assert_string_equal(r->cpu.mems, "49");
	assert_optional(&r->pids_limit, 50);
	assert_optional(&b->weight, 51);
	assert_optional(&b->leaf_weight, 52);
	assert_int_equal(b->weight_devices->major, 53);
	assert_int_equal(b->weight_devices->minor, 54);
	assert_optional(&b->weight_devices->weight, 55);
	assert_optional(&b->weight_devices->leaf_weight, 56);
	assert_throttle(&b->read_bps, 57);
	assert_throttle(&b->write_bps, 60);
	assert_throttle(&b->read_iops, 63);
	assert_throttle(&b->write_iops, 66);
	assert_string_equal(r->hugepage_limits->page_size, "2MB");
	assert_int_equal(r->hugepage_limits->limit, 69);
	assert_optional(&r->network_class_id, 70);
	assert_string_equal(r->network_priorities->name, "eth0");
	assert_int_equal(r->network_priorities->priority, 71);
	assert_int_equal(r->n_rdma, 2);
	assert_string_equal(r->rdma[0].device, "mlx5_1");
	assert_optional(&r->rdma[0].hca_handles, 72);
	assert_optional(&r->rdma[0].hca_objects, 73);
	assert_false(r->rdma[1].hca_handles.set);
	assert_list(&r->unified, "memory.high=75", 2);
	assert_string_equal(r->unified.v[1], "io.max=8:0 rbps=76");
}

static void what_real_callers_write_is_accepted(void **state)
{
	static const char *const names[] = { "docker",
					     "docker-limits",
					     "docker-privileged",
					     "containerd",
					     "containerd-privileged",
					     "podman",
					     "podman-privileged",
					     "runc" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct oci_spec s;

		parse_config(names[i], &s);
		assert_true(s.has_process && s.n_mounts > 0);
		oci_spec_done(&s);
	}
}

/* --- short texts: ' stands for " */

enum kind { SPEC, PROCESS, LINUX, RESOURCES };

/* The members inside the object of this kind, as a whole config.json; owned. */
static char *text_of(enum kind kind, const char *members)
{
	static const char *const frames[] = {
		[SPEC] = "{%s}",
		[PROCESS] = "{'ociVersion':'1.0.2','root':{'path':'r'},'process':{%s}}",
		[LINUX] = "{'ociVersion':'1.0.2','root':{'path':'r'},'linux':{%s}}",
		[RESOURCES] = "{'ociVersion':'1.0.2','root':{'path':'r'},'linux':{'resources':{%s}}}",
	};
	char *text = str_printf(frames[kind], members);

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	return text;
}

struct text {
	enum kind kind;
	const char *members;
	const char *message; /* how it begins; NULL: it is good */
};

static const char *error_of(const struct text *t, struct err *e)
{
	autofree char *text = text_of(t->kind, t->members);
	struct oci_spec s;

	if (oci_spec_parse(text, strlen(text), &s, e) < 0)
		return e->msg;
	oci_spec_done(&s);
	return NULL;
}

/* The same object as a file of its own has the same mistake, at a shorter place. */
static const char *error_alone(const struct text *t, struct err *e)
{
	autofree char *members = text_of(SPEC, t->members);
	struct oci_process p;
	struct oci_resources r;

	if (t->kind == PROCESS) {
		if (oci_process_parse(members, strlen(members), &p, e) < 0)
			return e->msg;
		oci_process_done(&p);
	} else {
		if (oci_resources_parse(members, strlen(members), &r, e) < 0)
			return e->msg;
		oci_resources_done(&r);
	}
	return NULL;
}

static void check_text(const struct text *t)
{
	static const char *const places[] = { [PROCESS] = "process.", [RESOURCES] = "linux.resources." };
	struct err e = { 0 };
	const char *message = error_of(t, &e), *want = t->message;

	if (!want && message)
		fail_msg("%s: refused: %s", t->members, message);
	if (want && (!message || strncmp(message, want, strlen(want)) != 0))
		fail_msg("%s\n gives %s\n not   %s", t->members, message ? message : "no error", want);
	if (t->kind != PROCESS && t->kind != RESOURCES)
		return;
	message = error_alone(t, &e);
	if (!want && message)
		fail_msg("%s: refused alone: %s", t->members, message);
	if (want && strncmp(want, places[t->kind], strlen(places[t->kind])) != 0)
		return;
	want = want ? want + strlen(places[t->kind]) : NULL;
	if (want && (!message || strncmp(message, want, strlen(want)) != 0))
		fail_msg("%s alone\n gives %s\n not   %s", t->members, message ? message : "no error", want);
}

#define SP(extra)	SPEC, "'ociVersion':'1.0.2','root':{'path':'r'}," extra
#define PR(extra)	PROCESS, "'cwd':'/','args':['sh']," extra
#define MO(mount)	SP("'mounts':[{'destination':'/a','type':'tmpfs'},{" mount "}]")
#define HO(hook)	SP("'hooks':{'poststart':[{'path':'/x'},{" hook "}]}")
#define NS(t)		"'namespaces':[{'type':'" t "'}]"
#define DEV(d)		LINUX, "'devices':[{" d "}]"
#define RULE(d)		RESOURCES, "'devices':[{" d "}]"
#define MAP(c, h, n)	"{'containerID':" c ",'hostID':" h ",'size':" n "}"
#define SYSCTL(ns, key) LINUX, "'sysctl':{'" key "':'1'}," NS(ns)

static const struct text good[] = {
	{ SP("'process':null,'linux':null,'mounts':null,'hostname':null"), NULL },
	{ SP("'Process':1,'extra':{'deep':[[[1.5e3,null,true]]]}"), NULL },
	{ SPEC, "'ociVersion':'1.2.0+build.1','root':{'path':'/'}", NULL },
	{ SP("'hostname':'','domainname':''"), NULL },
	{ SP("'annotations':{'a.b/c':''}"), NULL },
	{ SP("'linux':{'resources':{'unified':null,'devices':[]},'namespaces':[]}"), NULL },
	{ PR("'env':['A=','B==']"), NULL },
	{ PR("'capabilities':{'ambient':['CAP_TEST','x']}"), NULL },
	{ PR("'selinuxLabel':'','apparmorProfile':''"), NULL },
	{ PR("'rlimits':[{'type':'RLIMIT_RTTIME','soft':0,'hard':0}]"), NULL },
	{ PR("'scheduler':{'policy':'SCHED_FIFO','priority':99,'nice':19}"), NULL },
	{ PR("'scheduler':{'policy':'SCHED_DEADLINE','runtime':5,'deadline':5}"), NULL },
	{ PR("'ioPriority':{'class':'IOPRIO_CLASS_IDLE'}"), NULL },
	{ PR("'execCPUAffinity':{'initial':'','final':'0,2-3 , 5'}"), NULL },
	{ PR("'user':{'uid':4294967294,'gid':4294967294,'umask':0}"), NULL },
	{ PR("'oomScoreAdj':-1000"), NULL },
	{ MO("'destination':'/x','source':'/y','options':['bind']"), NULL },
	{ MO("'destination':'../x/..y','type':'bind','source':'y'"), NULL },
	{ MO("'destination':'/x','options':['remount','ro']"), NULL },
	{ MO("'destination':'/a/../b','type':'tmpfs','options':['ro','rw','private','shared']"), NULL },
	{ SP("'linux':{" NS(
		  "user") "},'mounts':[{'destination':'/x','source':'/y','options':['bind','idmap']}]"),
	  NULL },
	{ HO("'path':'/x','timeout':1"), NULL },
	{ LINUX, NS("user"), NULL },
	{ LINUX, "'namespaces':[{'type':'uts','path':''}]", NULL },
	{ LINUX, NS("user") ",'uidMappings':[" MAP("0", "5", "1") "," MAP("1", "4", "1") "]", NULL },
	{ LINUX, NS("user") ",'uidMappings':[" MAP("0", "0", "4294967295") "]", NULL },
	{ SYSCTL("network", "net.ipv4.conf.eth0/100.rp_filter"), NULL },
	{ SYSCTL("network", "net/ipv4/conf/eth0.100/rp_filter"), NULL },
	{ SYSCTL("ipc", "kernel.shm_rmid_forced"), NULL },
	{ SYSCTL("ipc", "kernel/msgmax"), NULL },
	{ SYSCTL("ipc", "fs.mqueue.queues_max"), NULL },
	{ SYSCTL("uts", "kernel.domainname"), NULL },
	{ DEV("'type':'u','path':'/dev/a/b','major':4095,'minor':1048575,'fileMode':438"), NULL },
	{ DEV("'type':'p','path':'/p','major':99999,'minor':-5"), NULL },
	{ LINUX, "'cgroupsPath':'..x/a..:b'", NULL },
	{ LINUX, "'rootfsPropagation':''", NULL },
	{ LINUX, "'personality':{'domain':'LINUX','flags':null}", NULL },
	{ LINUX, "'timeOffsets':{}", NULL },
	{ LINUX, "'seccomp':null,'intelRdt':{}", NULL },
	{ RULE("'allow':true,'type':'','access':'','major':-1,'minor':-1"), NULL },
	{ RULE("'allow':false,'type':'a','access':'mwr'"), NULL },
	{ RESOURCES, "'memory':{'limit':-1,'swap':-1,'reservation':0,'kernel':-1}", NULL },
	{ RESOURCES, "'memory':{'limit':9223372036854775807}", NULL },
	{ RESOURCES, "'memory':{'limit':100,'swap':-1}", NULL },
	{ RESOURCES, "'cpu':{'quota':-1,'period':0,'shares':0,'cpus':'','burst':9}", NULL },
	{ RESOURCES, "'pids':{},'network':{},'blockIO':{'weight':0}", NULL },
	{ RESOURCES, "'pids':{'limit':-1}", NULL },
	{ RESOURCES,
	  "'hugepageLimits':[{'pageSize':'64KB','limit':0},{'pageSize':'1GB','limit':18446744073709551615}]",
	  NULL },
	{ RESOURCES, "'unified':{'hugetlb.1GB.rsvd.max':''}", NULL },
};

static void strange_but_valid_texts_are_accepted(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		check_text(&good[i]);
}

static const struct text bad[] = {
	/* the text as such */
	{ SPEC, "", "ociVersion: missing" },
	{ SPEC, "'ociVersion':'1.0.0'", "root: missing" },
	{ SPEC, "'ociVersion':'1.0.0','root':{}", "root.path: missing" },
	{ SPEC, "'ociVersion':'1.0.0','root':{'path':''}", "root.path: empty" },
	{ SPEC, "'ociVersion':'1.0.0','root':{'path':7}", "root.path: wrong type, a string is wanted" },
	{ SPEC, "'ociVersion':'1.0.0','root':'rootfs'", "root: wrong type, an object is wanted" },
	{ SPEC, "'ociVersion':'1.0.0','root':{'path':'r','readonly':'yes'}", "root.readonly: wrong type" },
	{ SPEC, "'ociVersion':1,'root':{'path':'r'}", "ociVersion: wrong type" },
	{ SPEC, "'ociVersion':'','root':{'path':'r'}", "ociVersion: \"\" is not a version" },
	{ SPEC, "'ociVersion':'invalid','root':{'path':'r'}", "ociVersion: \"invalid\" is not a version" },
	{ SPEC, "'ociVersion':'2.0.0','root':{'path':'r'}", "ociVersion: " },
	{ SPEC, "'ociVersion':'0.6.0','root':{'path':'r'}", "ociVersion: " },
	{ SPEC, "'ociVersion':'1.0','root':{'path':'r'}", "ociVersion: " },
	{ SPEC, "'ociVersion':'1.0.0.0','root':{'path':'r'}", "ociVersion: " },
	{ SPEC, "'ociVersion':'1.00.0','root':{'path':'r'}", "ociVersion: " },
	{ SPEC, "'ociVersion':'1.0.0-','root':{'path':'r'}", "ociVersion: " },
	{ SPEC, "'ociVersion':'1.0.0-a b','root':{'path':'r'}", "ociVersion: " },
	{ SPEC, "'ociVersion':'01.0.0','root':{'path':'r'}", "ociVersion: " },
	{ SP("'ociVersion':'1.0.0'"), "ociVersion: given twice" },
	{ SP("'x':{'y':1,'y':2}"), "x.y: given twice" },
	{ SP("'x':[1,]"), "x[1]: not JSON at line 1, column " },
	{ SP("'x':01"), "x: not JSON" },
	{ SP("'x':'\xff'"), "x: a string is not UTF-8" },
	{ SP("'x':'\\u0000'"), "x: a string holds a NUL" },
	{ SP("'process':[]"), "process: wrong type, an object is wanted" },
	{ SP("'linux':''"), "linux: wrong type, an object is wanted" },
	{ SP("'hostname':5"), "hostname: wrong type" },
	{ SP("'annotations':[]"), "annotations: wrong type" },
	{ SP("'annotations':{'a':1}"), "annotations.a: wrong type, a string is wanted" },
	{ SP("'annotations':{'':'x'}"), "annotations[\"\"]: an empty key" },
	{ SP("'hostname':'a'"), "hostname: there is no UTS namespace" },
	{ SP("'domainname':'a'"), "domainname: there is no UTS namespace" },
	{ SP("'linux':{" NS("uts") "},'hostname':'"
				   "0123456789012345678901234567890123456789012345678901234567890123x'"),
	  "hostname: longer than 64" },
	{ SP("'linux':{" NS("uts") "},'domainname':'"
				   "0123456789012345678901234567890123456789012345678901234567890123x'"),
	  "domainname: longer than 64" },
	/* process */
	{ PROCESS, "'args':['sh']", "process.cwd: missing" },
	{ PROCESS, "'args':['sh'],'cwd':''", "process.cwd: \"\" is not an absolute path" },
	{ PROCESS, "'args':['sh'],'cwd':'tmp'", "process.cwd: \"tmp\" is not an absolute path" },
	{ PROCESS, "'args':['sh'],'cwd':['/']", "process.cwd: wrong type" },
	{ PROCESS, "'cwd':'/'", "process.args: missing" },
	{ PROCESS, "'cwd':'/','args':[]", "process.args: missing" },
	{ PROCESS, "'cwd':'/','args':'sh'", "process.args: wrong type, an array is wanted" },
	{ PROCESS, "'cwd':'/','args':['sh',null]", "process.args[1]: wrong type, a string is wanted" },
	{ PROCESS, "'cwd':'/','args':['a\\u0000b']", "process.args[0]: a string holds a NUL" },
	{ PROCESS, "'cwd':'/','args':['\xc3(']", "process.args[0]: a string is not UTF-8" },
	{ PR("'args':['x']"), "process.args: given twice" },
	{ PR("'terminal':1"), "process.terminal: wrong type, true or false is wanted" },
	{ PR("'consoleSize':{'height':1}"), "process.consoleSize.width: missing" },
	{ PR("'consoleSize':{'width':1}"), "process.consoleSize.height: missing" },
	{ PR("'consoleSize':{'height':-1,'width':1}"),
	  "process.consoleSize.height: -1 is not within 0 to 65535" },
	{ PR("'consoleSize':{'height':1,'width':65536}"), "process.consoleSize.width: 65536 is not within" },
	{ PR("'user':'root'"), "process.user: wrong type, an object is wanted" },
	{ PR("'user':{'uid':'0'}"), "process.user.uid: wrong type, a number is wanted" },
	{ PR("'user':{'uid':-1}"), "process.user.uid: -1 is out of range" },
	{ PR("'user':{'uid':4294967295}"), "process.user.uid: 4294967295 is not within" },
	{ PR("'user':{'gid':4294967296}"), "process.user.gid: 4294967296 is out of range" },
	{ PR("'user':{'gid':4294967295}"), "process.user.gid: 4294967295 is not within" },
	{ PR("'user':{'gid':0.5}"), "process.user.gid: 0.5: a whole number is wanted" },
	{ PR("'user':{'umask':512}"), "process.user.umask: 512 is not within 0 to 511" },
	{ PR("'user':{'umask':-1}"), "process.user.umask: -1 is not within" },
	{ PR("'user':{'additionalGids':5}"), "process.user.additionalGids: wrong type" },
	{ PR("'user':{'additionalGids':[1,'2']}"), "process.user.additionalGids[1]: wrong type" },
	{ PR("'user':{'additionalGids':[1,2,-3]}"), "process.user.additionalGids[2]: -3 is not within" },
	{ PR("'env':{}"), "process.env: wrong type" },
	{ PR("'env':['A=b','PATH']"), "process.env[1]: \"PATH\" is not NAME=VALUE" },
	{ PR("'env':['=x']"), "process.env[0]: \"=x\" is not NAME=VALUE" },
	{ PR("'env':['']"), "process.env[0]: \"\" is not NAME=VALUE" },
	{ PR("'capabilities':['CAP_KILL']"), "process.capabilities: wrong type, an object is wanted" },
	{ PR("'capabilities':{'bounding':'CAP_KILL'}"), "process.capabilities.bounding: wrong type" },
	{ PR("'capabilities':{'effective':['CAP_KILL'],'permitted':['CAP_CHOWN']}"),
	  "process.capabilities.effective[0]: CAP_KILL is not permitted" },
	{ PR("'capabilities':{'ambient':[1]}"), "process.capabilities.ambient[0]: wrong type" },
	{ PR("'rlimits':{}"), "process.rlimits: wrong type" },
	{ PR("'rlimits':[7]"), "process.rlimits[0]: wrong type, an object is wanted" },
	{ PR("'rlimits':[{'soft':1,'hard':1}]"), "process.rlimits[0].type: missing" },
	{ PR("'rlimits':[{'type':'RLIMIT_CPU','hard':1}]"), "process.rlimits[0].soft: missing" },
	{ PR("'rlimits':[{'type':'RLIMIT_CPU','soft':1}]"), "process.rlimits[0].hard: missing" },
	{ PR("'rlimits':[{'type':'RLIMIT_FOO','soft':1,'hard':1}]"),
	  "process.rlimits[0].type: unknown value \"RLIMIT_FOO\"" },
	{ PR("'rlimits':[{'type':'nofile','soft':1,'hard':1}]"), "process.rlimits[0].type: unknown value" },
	{ PR("'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]"),
	  "process.rlimits[0].soft: above the hard limit" },
	{ PR("'rlimits':[{'type':'RLIMIT_CPU','soft':-1,'hard':1}]"),
	  "process.rlimits[0].soft: -1 is out of range" },
	{ PR("'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':18446744073709551616}]"),
	  "process.rlimits[0].hard: 1844674" },
	{ PR("'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},{'type':'RLIMIT_CPU','soft':1,'hard':1}]"),
	  "process.rlimits[1].type: RLIMIT_CPU is given twice" },
	{ PR("'noNewPrivileges':0"), "process.noNewPrivileges: wrong type" },
	{ PR("'apparmorProfile':'a\\nb'"), "process.apparmorProfile: a control character" },
	{ PR("'selinuxLabel':'unconfined'"), "process.selinuxLabel: \"unconfined\" is not a label" },
	{ PR("'selinuxLabel':'a:b:c d'"), "process.selinuxLabel: \"a:b:c d\" is not a label" },
	{ PR("'oomScoreAdj':1001"), "process.oomScoreAdj: 1001 is not within -1000 to 1000" },
	{ PR("'oomScoreAdj':-1001"), "process.oomScoreAdj: -1001 is not within" },
	{ PR("'oomScoreAdj':'1'"), "process.oomScoreAdj: wrong type" },
	{ PR("'scheduler':{}"), "process.scheduler.policy: missing" },
	{ PR("'scheduler':{'policy':'SCHED_FAST'}"),
	  "process.scheduler.policy: unknown value \"SCHED_FAST\"" },
	{ PR("'scheduler':{'policy':'SCHED_OTHER','nice':20}"),
	  "process.scheduler.nice: 20 is not within -20 to 19" },
	{ PR("'scheduler':{'policy':'SCHED_OTHER','nice':-21}"), "process.scheduler.nice: -21" },
	{ PR("'scheduler':{'policy':'SCHED_OTHER','priority':1}"),
	  "process.scheduler.priority: only SCHED_FIFO" },
	{ PR("'scheduler':{'policy':'SCHED_RR'}"), "process.scheduler.priority: 0 is not within 1 to 99" },
	{ PR("'scheduler':{'policy':'SCHED_FIFO','priority':100}"), "process.scheduler.priority: 100" },
	{ PR("'scheduler':{'policy':'SCHED_RR','priority':1,'flags':['X']}"),
	  "process.scheduler.flags[0]: unknown value \"X\"" },
	{ PR("'scheduler':{'policy':'SCHED_OTHER','runtime':1}"),
	  "process.scheduler.runtime: only SCHED_DEADLINE" },
	{ PR("'scheduler':{'policy':'SCHED_BATCH','deadline':1}"),
	  "process.scheduler.deadline: only SCHED_DEADLINE" },
	{ PR("'scheduler':{'policy':'SCHED_IDLE','period':1}"),
	  "process.scheduler.period: only SCHED_DEADLINE" },
	{ PR("'scheduler':{'policy':'SCHED_DEADLINE'}"), "process.scheduler.runtime: 0 < runtime" },
	{ PR("'scheduler':{'policy':'SCHED_DEADLINE','runtime':2,'deadline':1}"),
	  "process.scheduler.runtime: 0 < runtime" },
	{ PR("'scheduler':{'policy':'SCHED_DEADLINE','runtime':1,'deadline':3,'period':2}"),
	  "process.scheduler.runtime: " },
	{ PR("'ioPriority':{'priority':1}"), "process.ioPriority.class: missing" },
	{ PR("'ioPriority':{'class':'IOPRIO_CLASS_NONE'}"), "process.ioPriority.class: unknown value" },
	{ PR("'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':8}"),
	  "process.ioPriority.priority: 8 is not within 0 to 7" },
	{ PR("'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':-1}"), "process.ioPriority.priority: -1" },
	{ PR("'execCPUAffinity':{'initial':'x'}"), "process.execCPUAffinity.initial: \"x\" is not a list" },
	{ PR("'execCPUAffinity':{'final':'1,'}"), "process.execCPUAffinity.final: \"1,\" is not a list" },
	{ PR("'execCPUAffinity':{'final':'3-1'}"), "process.execCPUAffinity.final: " },
	{ PR("'execCPUAffinity':{'final':'1-'}"), "process.execCPUAffinity.final: " },
	{ PR("'execCPUAffinity':{'final':'0-99999999999'}"), "process.execCPUAffinity.final: " },
	{ PR("'execCPUAffinity':'0'"), "process.execCPUAffinity: wrong type" },
	/* mounts, hooks */
	{ SP("'mounts':{}"), "mounts: wrong type, an array is wanted" },
	{ SP("'mounts':['/']"), "mounts[0]: wrong type, an object is wanted" },
	{ MO("'type':'proc'"), "mounts[1].destination: missing" },
	{ MO("'destination':'','type':'proc'"), "mounts[1].destination: empty" },
	{ MO("'destination':'/','type':'proc'"),
	  "mounts[1].destination: nothing can be mounted over the root" },
	{ MO("'destination':'//.','type':'proc'"), "mounts[1].destination: nothing" },
	{ MO("'destination':'/a/..','type':'proc'"), "mounts[1].destination: nothing" },
	{ MO("'destination':'..','type':'proc'"), "mounts[1].destination: nothing" },
	{ MO("'destination':'/../..','type':'proc'"), "mounts[1].destination: nothing" },
	{ MO("'destination':7"), "mounts[1].destination: wrong type" },
	{ MO("'destination':'/x'"), "mounts[1].type: missing" },
	{ MO("'destination':'/x','type':''"), "mounts[1].type: missing" },
	{ MO("'destination':'/x','type':'bind'"), "mounts[1].source: missing" },
	{ MO("'destination':'/x','source':'','options':['rbind']"), "mounts[1].source: missing" },
	{ MO("'destination':'/x','type':'tmpfs','options':['ro','']"), "mounts[1].options[1]: empty" },
	{ MO("'destination':'/x','type':'tmpfs','options':'ro'"), "mounts[1].options: wrong type" },
	{ MO("'destination':'/x','type':'tmpfs','options':[['ro']]"), "mounts[1].options[0]: wrong type" },
	{ MO("'destination':'/x','type':'tmpfs','options':['idmap']"),
	  "mounts[1].options: only a bind mount" },
	{ MO("'destination':'/x','type':'bind','source':'/y','options':['idmap']"),
	  "mounts[1].options: idmap needs" },
	{ MO("'destination':'/x','type':'bind','source':'/y','options':['idmap','ridmap']"),
	  "mounts[1].options: both" },
	{ MO("'destination':'/x','type':'bind','source':'/y','uidMappings':[" MAP("0", "1", "1") "]"),
	  "mounts[1].gidMappings: missing, while there are uidMappings" },
	{ MO("'destination':'/x','type':'bind','source':'/y','gidMappings':[" MAP("0", "1", "1") "]"),
	  "mounts[1].uidMappings: missing, while there are gidMappings" },
	{ MO("'destination':'/x','type':'tmpfs','uidMappings':[" MAP("0", "1", "1") "],'gidMappings':[" MAP(
		  "0", "1", "1") "]"),
	  "mounts[1].uidMappings: only a bind mount" },
	{ MO("'destination':'/x','type':'bind','source':'/','uidMappings':[" MAP(
		  "0", "1", "1") "],'gidMappings':[" MAP("0", "1", "0") "]"),
	  "mounts[1].gidMappings[0].size: 0 maps nothing" },
	{ MO("'destination':'/x','type':'bind','source':'/','uidMappings':[{'size':1}]"),
	  "mounts[1].uidMappings[0].containerID: missing" },
	{ SP("'hooks':[]"), "hooks: wrong type" },
	{ SP("'hooks':{'prestart':{}}"), "hooks.prestart: wrong type" },
	{ SP("'hooks':{'createRuntime':[{}]}"), "hooks.createRuntime[0].path: missing" },
	{ SP("'hooks':{'createContainer':[{'path':'x'}]}"),
	  "hooks.createContainer[0].path: \"x\" is not an absolute path" },
	{ SP("'hooks':{'startContainer':[{'path':''}]}"), "hooks.startContainer[0].path: " },
	{ HO("'path':'/x','timeout':0"), "hooks.poststart[1].timeout: 0 is not within 1 to 2147483" },
	{ HO("'path':'/x','timeout':-1"), "hooks.poststart[1].timeout: -1" },
	{ HO("'path':'/x','timeout':4611686018427387904"),
	  "hooks.poststart[1].timeout: 4611686018427387904" },
	{ HO("'path':'/x','timeout':'1'"), "hooks.poststart[1].timeout: wrong type" },
	{ HO("'path':'/x','env':['A']"), "hooks.poststart[1].env[0]: \"A\" is not NAME=VALUE" },
	{ HO("'path':'/x','args':[1]"), "hooks.poststart[1].args[0]: wrong type" },
	{ SP("'hooks':{'poststop':[{'path':'x'}]}"), "hooks.poststop[0].path: " },
	/* linux */
	{ LINUX, "'namespaces':{}", "linux.namespaces: wrong type" },
	{ LINUX, "'namespaces':[{}]", "linux.namespaces[0].type: missing" },
	{ LINUX, "'namespaces':[{'type':'net'}]", "linux.namespaces[0].type: unknown value \"net\"" },
	{ LINUX, "'namespaces':[{'type':3}]", "linux.namespaces[0].type: wrong type" },
	{ LINUX, "'namespaces':[{'type':'pid'},{'type':'ipc'},{'type':'pid','path':'/p'}]",
	  "linux.namespaces[2].type: \"pid\" is given twice" },
	{ LINUX, "'namespaces':[{'type':'pid','path':'proc/1/ns/pid'}]",
	  "linux.namespaces[0].path: \"proc/1/ns/pid\" is not an absolute" },
	{ LINUX, "'uidMappings':[" MAP("0", "1", "1") "]", "linux.uidMappings: there is no user namespace" },
	{ LINUX, "'gidMappings':[" MAP("0", "1", "1") "]", "linux.gidMappings: there is no user namespace" },
	{ LINUX, NS("user") ",'uidMappings':[" MAP("0", "1", "0") "]",
	  "linux.uidMappings[0].size: 0 maps nothing" },
	{ LINUX, NS("user") ",'uidMappings':[" MAP("-1", "1", "1") "]",
	  "linux.uidMappings[0].containerID: -1 is out of range" },
	{ LINUX, NS("user") ",'uidMappings':[" MAP("0", "4294967296", "1") "]",
	  "linux.uidMappings[0].hostID: 4294967296 is out of" },
	{ LINUX, NS("user") ",'uidMappings':[" MAP("1", "1", "4294967295") "]",
	  "linux.uidMappings[0].size: the last ID is too large" },
	{ LINUX, NS("user") ",'gidMappings':[" MAP("0", "4294967295", "1") "]",
	  "linux.gidMappings[0].size: the last ID is too large" },
	{ LINUX, NS("user") ",'gidMappings':[" MAP("0", "10", "5") "," MAP("4", "20", "5") "]",
	  "linux.gidMappings[1].containerID: overlaps" },
	{ LINUX, NS("user") ",'gidMappings':[" MAP("0", "10", "5") "," MAP("5", "14", "5") "]",
	  "linux.gidMappings[1].hostID: overlaps" },
	{ LINUX, NS("user") ",'gidMappings':[{'containerID':0,'hostID':1}]",
	  "linux.gidMappings[0].size: missing" },
	{ SP("'process':{'args':['x'],'cwd':'/','user':{'uid':5}},'linux':{" NS(
		  "user") ",'uidMappings':[" MAP("0", "9", "5") "]}"),
	  "process.user.uid: 5 is not in linux.uidMappings" },
	{ SP("'process':{'args':['x'],'cwd':'/','user':{'gid':1}},'linux':{" NS(
		  "user") ",'gidMappings':[" MAP("0", "9", "1") "]}"),
	  "process.user.gid: 1 is not in linux.gidMappings" },
	{ SYSCTL("pid", "net.ipv4.ip_forward"),
	  "linux.sysctl[\"net.ipv4.ip_forward\"]: the host's without a namespace \"network\"" },
	{ SYSCTL("pid", "net/ipv4/ip_forward"), "linux.sysctl[\"net/ipv4/ip_forward\"]: the host's without" },
	{ SYSCTL("pid", "kernel.shmmax"),
	  "linux.sysctl[\"kernel.shmmax\"]: the host's without a namespace \"ipc\"" },
	{ SYSCTL("network", "fs.mqueue.msg_max"),
	  "linux.sysctl[\"fs.mqueue.msg_max\"]: the host's without a namespace \"ipc\"" },
	{ SYSCTL("ipc", "kernel.domainname"),
	  "linux.sysctl[\"kernel.domainname\"]: the host's without a namespace \"uts\"" },
	{ SYSCTL("uts", "kernel.hostname"), "linux.sysctl[\"kernel.hostname\"]: \"hostname\" is the place" },
	{ SYSCTL("uts", "kernel/hostname"), "linux.sysctl[\"kernel/hostname\"]: \"hostname\" is the place" },
	{ SYSCTL("ipc", "kernel.panic"), "linux.sysctl[\"kernel.panic\"]: belongs to no namespace" },
	{ SYSCTL("ipc", "vm.swappiness"), "linux.sysctl[\"vm.swappiness\"]: belongs to no namespace" },
	{ SYSCTL("network", "net"), "linux.sysctl[\"net\"]: belongs to no namespace" },
	{ SYSCTL("network", "network.x"), "linux.sysctl[\"network.x\"]: belongs to no namespace" },
	{ SYSCTL("network", "net/../kernel/panic"), "linux.sysctl[\"net/../kernel/panic\"]: not a name" },
	{ SYSCTL("network", "net.//.kernel.panic"), "linux.sysctl[\"net.//.kernel.panic\"]: not a name" },
	{ SYSCTL("network", "net..x"), "linux.sysctl[\"net..x\"]: not a name" },
	{ SYSCTL("network", "net.x."), "linux.sysctl[\"net.x.\"]: not a name" },
	{ SYSCTL("network", "/net/x"), "linux.sysctl[\"/net/x\"]: not a name" },
	{ SYSCTL("network", ""), "linux.sysctl[\"\"]: not a name" },
	{ LINUX, "'sysctl':{'net.x':1}", "linux.sysctl[\"net.x\"]: wrong type" },
	{ LINUX, "'sysctl':{'net=x':'1'}", "linux.sysctl[\"net=x\"]: \"=\" in a key" },
	{ LINUX, "'cgroupsPath':'/a/../b'", "linux.cgroupsPath: \"..\" in a path" },
	{ LINUX, "'cgroupsPath':'..'", "linux.cgroupsPath: \"..\" in a path" },
	{ LINUX, "'cgroupsPath':5", "linux.cgroupsPath: wrong type" },
	{ DEV("'path':'/dev/x'"), "linux.devices[0].type: missing" },
	{ DEV("'type':'c'"), "linux.devices[0].path: missing" },
	{ DEV("'type':'x','path':'/dev/x'"), "linux.devices[0].type: unknown value \"x\"" },
	{ DEV("'type':'c','path':'dev/x'"), "linux.devices[0].path: \"dev/x\" is not an absolute path" },
	{ DEV("'type':'c','path':'/dev/x','minor':3"), "linux.devices[0].major: missing" },
	{ DEV("'type':'u','path':'/dev/x','major':1"), "linux.devices[0].minor: missing" },
	{ DEV("'type':'c','path':'/dev/x','major':-1,'minor':1"),
	  "linux.devices[0].major: -1 is not within 0 to 4095" },
	{ DEV("'type':'c','path':'/dev/x','major':4096,'minor':1"), "linux.devices[0].major: 4096" },
	{ DEV("'type':'b','path':'/dev/x','major':1,'minor':1048576"), "linux.devices[0].minor: 1048576" },
	{ DEV("'type':'c','path':'/dev/x','fileMode':25014"), "linux.devices[0].fileMode: 25014" }, /* of b */
	{ DEV("'type':'b','path':'/dev/x','fileMode':67109302"), "linux.devices[0].fileMode: 67109302" },
	{ DEV("'type':'b','path':'/dev/x','fileMode':-1"), "linux.devices[0].fileMode: -1" },
	{ DEV("'type':'b','path':'/dev/x','fileMode':4294967296"), "linux.devices[0].fileMode: 4294967296" },
	{ DEV("'type':'b','path':'/dev/x','fileMode':'0666'"), "linux.devices[0].fileMode: wrong type" },
	{ DEV("'type':'b','path':'/dev/x','uid':-1"), "linux.devices[0].uid: -1" },
	{ DEV("'type':'b','path':'/dev/x','gid':4294967295"), "linux.devices[0].gid: 4294967295" },
	{ LINUX, "'seccomp':[]", "linux.seccomp: wrong type, an object is wanted" },
	{ LINUX, "'seccomp':{'a':[1,{'b':}]}", "linux.seccomp.a[1].b: not JSON" },
	{ LINUX, "'seccomp':{'syscalls':[{'a':1,'a':1}]}", "linux.seccomp.syscalls[0].a: given twice" },
	{ LINUX, "'intelRdt':'gold'", "linux.intelRdt: wrong type" },
	{ LINUX, "'rootfsPropagation':'public'", "linux.rootfsPropagation: unknown value \"public\"" },
	{ LINUX, "'maskedPaths':['/proc/kcore']", "linux.maskedPaths: there is no mount namespace" },
	{ LINUX, "'readonlyPaths':['/proc/bus']", "linux.readonlyPaths: there is no mount namespace" },
	{ LINUX, NS("mount") ",'maskedPaths':['/a','b']",
	  "linux.maskedPaths[1]: \"b\" is not an absolute path" },
	{ LINUX, NS("mount") ",'readonlyPaths':['']",
	  "linux.readonlyPaths[0]: \"\" is not an absolute path" },
	{ LINUX, NS("mount") ",'readonlyPaths':[7]", "linux.readonlyPaths[0]: wrong type" },
	{ LINUX, "'mountLabel':'a:b:c\\\"d'", "linux.mountLabel: " },
	{ LINUX, "'personality':{}", "linux.personality.domain: missing" },
	{ LINUX, "'personality':{'domain':'BSD'}", "linux.personality.domain: unknown value \"BSD\"" },
	{ LINUX, "'personality':{'domain':'LINUX','flags':['X']}",
	  "linux.personality.flags[0]: there are no such flags" },
	{ LINUX, "'timeOffsets':{'monotonic':{'secs':1}}",
	  "linux.timeOffsets: there is no new time namespace" },
	{ LINUX, "'timeOffsets':{'boottime':{'nanosecs':1}}",
	  "linux.timeOffsets: there is no new time namespace" },
	{ LINUX, NS("time") ",'timeOffsets':{'boottime':{'nanosecs':1000000000}}",
	  "linux.timeOffsets.boottime.nanosecs: 1000000000" },
	{ LINUX, NS("time") ",'timeOffsets':{'monotonic':{'nanosecs':-1}}",
	  "linux.timeOffsets.monotonic.nanosecs: -1" },
	{ LINUX, NS("time") ",'timeOffsets':{'realtime':{'secs':1}}",
	  "linux.timeOffsets.realtime: unknown key" },
	{ LINUX, "'namespaces':[{'type':'time','path':'/t'}],'timeOffsets':{'monotonic':{'secs':1}}",
	  "linux.timeOffsets: there is no new" },
	/* resources */
	{ LINUX, "'resources':[]", "linux.resources: wrong type" },
	{ RESOURCES, "'devices':{}", "linux.resources.devices: wrong type" },
	{ RULE("'access':'rwm'"), "linux.resources.devices[0].allow: missing" },
	{ RULE("'allow':'true'"), "linux.resources.devices[0].allow: wrong type" },
	{ RULE("'allow':true,'type':'p'"), "linux.resources.devices[0].type: unknown value \"p\"" },
	{ RULE("'allow':true,'access':'rx'"),
	  "linux.resources.devices[0].access: \"rx\" is not made of r, w, m" },
	{ RULE("'allow':true,'major':-2"), "linux.resources.devices[0].major: -2" },
	{ RULE("'allow':true,'major':5000"), "linux.resources.devices[0].major: 5000" },
	{ RULE("'allow':true,'minor':-2"), "linux.resources.devices[0].minor: -2" },
	{ RESOURCES, "'memory':5", "linux.resources.memory: wrong type" },
	{ RESOURCES, "'memory':{'limit':-2}", "linux.resources.memory.limit: -2" },
	{ RESOURCES, "'memory':{'limit':'64M'}", "linux.resources.memory.limit: wrong type" },
	{ RESOURCES, "'memory':{'limit':9223372036854775808}",
	  "linux.resources.memory.limit: 9223372036854775808 is out of range" },
	{ RESOURCES, "'memory':{'reservation':-9}", "linux.resources.memory.reservation: -9" },
	{ RESOURCES, "'memory':{'swap':-2}", "linux.resources.memory.swap: -2" },
	{ RESOURCES, "'memory':{'limit':10,'swap':9}", "linux.resources.memory.swap: below memory.limit" },
	{ RESOURCES, "'memory':{'kernel':-2}", "linux.resources.memory.kernel: -2" },
	{ RESOURCES, "'memory':{'kernelTCP':-2}", "linux.resources.memory.kernelTCP: -2" },
	{ RESOURCES, "'memory':{'swappiness':101}",
	  "linux.resources.memory.swappiness: 101 is not within 0 to 100" },
	{ RESOURCES, "'memory':{'swappiness':-1}", "linux.resources.memory.swappiness: -1" },
	{ RESOURCES, "'memory':{'disableOOMKiller':1}",
	  "linux.resources.memory.disableOOMKiller: wrong type" },
	{ RESOURCES, "'cpu':{'shares':-1}", "linux.resources.cpu.shares: -1" },
	{ RESOURCES, "'cpu':{'quota':-2}", "linux.resources.cpu.quota: -2" },
	{ RESOURCES, "'cpu':{'quota':999}", "linux.resources.cpu.quota: 999 is less than 1000" },
	{ RESOURCES, "'cpu':{'period':999}",
	  "linux.resources.cpu.period: 999 is not within 1000 to 1000000" },
	{ RESOURCES, "'cpu':{'period':1000001}", "linux.resources.cpu.period: 1000001" },
	{ RESOURCES, "'cpu':{'period':1e5}", "linux.resources.cpu.period: 1e5: a whole number is wanted" },
	{ RESOURCES, "'cpu':{'quota':1000,'burst':1001}", "linux.resources.cpu.burst: above the quota" },
	{ RESOURCES, "'cpu':{'burst':-1}", "linux.resources.cpu.burst: -1" },
	{ RESOURCES, "'cpu':{'realtimeRuntime':-2}", "linux.resources.cpu.realtimeRuntime: -2" },
	{ RESOURCES, "'cpu':{'realtimePeriod':-1}", "linux.resources.cpu.realtimePeriod: -1" },
	{ RESOURCES, "'cpu':{'idle':2}", "linux.resources.cpu.idle: 2 is not within 0 to 1" },
	{ RESOURCES, "'cpu':{'cpus':'a'}", "linux.resources.cpu.cpus: \"a\" is not a list" },
	{ RESOURCES, "'cpu':{'mems':'0;1'}", "linux.resources.cpu.mems: \"0;1\" is not a list" },
	{ RESOURCES, "'cpu':{'cpus':3}", "linux.resources.cpu.cpus: wrong type" },
	{ RESOURCES, "'pids':{'limit':-2}", "linux.resources.pids.limit: -2" },
	{ RESOURCES, "'pids':50", "linux.resources.pids: wrong type" },
	{ RESOURCES, "'blockIO':{'weight':9}", "linux.resources.blockIO.weight: 9 is not within 10 to 1000" },
	{ RESOURCES, "'blockIO':{'weight':1001}", "linux.resources.blockIO.weight: 1001" },
	{ RESOURCES, "'blockIO':{'leafWeight':5}", "linux.resources.blockIO.leafWeight: 5" },
	{ RESOURCES, "'blockIO':{'weightDevice':[{'minor':0,'weight':10}]}",
	  "linux.resources.blockIO.weightDevice[0].major: missing" },
	{ RESOURCES, "'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':5}]}",
	  "linux.resources.blockIO.weightDevice[0].weight: 5" },
	{ RESOURCES, "'blockIO':{'weightDevice':[{'major':8,'minor':0,'leafWeight':5}]}",
	  "linux.resources.blockIO.weightDevice[0].leafWeight: 5" },
	{ RESOURCES, "'blockIO':{'weightDevice':[{'major':8,'minor':0}]}",
	  "linux.resources.blockIO.weightDevice[0].weight: missing" },
	{ RESOURCES, "'blockIO':{'weightDevice':[{'major':-8,'minor':0}]}",
	  "linux.resources.blockIO.weightDevice[0].major: -8" },
	{ RESOURCES, "'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0}]}",
	  "linux.resources.blockIO.throttleReadBpsDevice[0].rate: missing" },
	{ RESOURCES, "'blockIO':{'throttleWriteBpsDevice':[{'major':8,'minor':-1,'rate':1}]}",
	  "linux.resources.blockIO.throttleWriteBpsDevice[0].minor: -1" },
	{ RESOURCES, "'blockIO':{'throttleReadIOPSDevice':[{'major':8000,'minor':0,'rate':1}]}",
	  "linux.resources.blockIO.throttleReadIOPSDevice[0].major: 8000" },
	{ RESOURCES, "'blockIO':{'throttleWriteIOPSDevice':[{'major':8,'minor':0,'rate':-1}]}",
	  "linux.resources.blockIO.throttleWriteIOPSDevice[0].rate: -1" },
	{ RESOURCES, "'hugepageLimits':[{'limit':1}]",
	  "linux.resources.hugepageLimits[0].pageSize: missing" },
	{ RESOURCES, "'hugepageLimits':[{'pageSize':'2MB'}]",
	  "linux.resources.hugepageLimits[0].limit: missing" },
	{ RESOURCES, "'hugepageLimits':[{'pageSize':'3MB','limit':1}]",
	  "linux.resources.hugepageLimits[0].pageSize: \"3MB\" is not a size" },
	{ RESOURCES, "'hugepageLimits':[{'pageSize':'2M','limit':1}]",
	  "linux.resources.hugepageLimits[0].pageSize: " },
	{ RESOURCES, "'hugepageLimits':[{'pageSize':'MB','limit':1}]",
	  "linux.resources.hugepageLimits[0].pageSize: " },
	{ RESOURCES, "'hugepageLimits':[{'pageSize':'../2MB','limit':1}]",
	  "linux.resources.hugepageLimits[0].pageSize: " },
	{ RESOURCES, "'network':{'classID':4294967296}", "linux.resources.network.classID: 4294967296" },
	{ RESOURCES, "'network':{'classID':'0x100001'}", "linux.resources.network.classID: wrong type" },
	{ RESOURCES, "'network':{'priorities':[{'name':'eth0'}]}",
	  "linux.resources.network.priorities[0].priority: missing" },
	{ RESOURCES, "'network':{'priorities':[{'name':'','priority':1}]}",
	  "linux.resources.network.priorities[0].name: " },
	{ RESOURCES, "'network':{'priorities':[{'name':'a b','priority':1}]}",
	  "linux.resources.network.priorities[0].name: " },
	{ RESOURCES, "'network':{'priorities':[{'name':'a','priority':-1}]}",
	  "linux.resources.network.priorities[0].priority: -1" },
	{ RESOURCES, "'rdma':[]", "linux.resources.rdma: wrong type" },
	{ RESOURCES, "'rdma':{'mlx':{}}", "linux.resources.rdma.mlx.hcaHandles: missing" },
	{ RESOURCES, "'rdma':{'mlx':1}", "linux.resources.rdma.mlx: wrong type" },
	{ RESOURCES, "'rdma':{'mlx':{'hcaObjects':-1}}", "linux.resources.rdma.mlx.hcaObjects: -1" },
	{ RESOURCES, "'rdma':{'a b':{'hcaObjects':1}}", "linux.resources.rdma[\"a b\"]: not a device" },
	{ RESOURCES, "'unified':{'memory/high':'1'}",
	  "linux.resources.unified[\"memory/high\"]: not a file" },
	{ RESOURCES, "'unified':{'../memory.high':'1'}",
	  "linux.resources.unified[\"../memory.high\"]: not a file" },
	{ RESOURCES, "'unified':{'..':'1'}", "linux.resources.unified[\"..\"]: not a file" },
	{ RESOURCES, "'unified':{'memory':'1'}", "linux.resources.unified[\"memory\"]: not a file" },
	{ RESOURCES, "'unified':{'':'1'}", "linux.resources.unified[\"\"]: not a file" },
	{ RESOURCES, "'unified':{'memory.':'1'}", "linux.resources.unified[\"memory.\"]: not a file" },
	{ RESOURCES, "'unified':{'memory.high':1}", "linux.resources.unified[\"memory.high\"]: wrong type" },
};

static void a_mistake_is_told_by_its_place(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_text(&bad[i]);
}

static void what_is_too_large_is_refused_and_what_is_long_is_not(void **state)
{
	size_t n = 10 * 1024 * 1024;
	char *text = malloc(OCI_CONFIG_MAX + 2);
	struct oci_process p;
	struct err e = { 0 };
	int head = snprintf(text, 100, "{\"cwd\":\"/\",\"args\":[\"");

	memset(text + head, 'a', n);
	memcpy(text + head + n, "\"]}", 3);
	assert_int_equal(oci_process_parse(text, (size_t)head + n + 3, &p, &e), 0);
	assert_int_equal(strlen(p.args.v[0]), n);
	oci_process_done(&p);
	memset(text, ' ', OCI_CONFIG_MAX + 1);
	assert_int_equal(oci_process_parse(text, OCI_CONFIG_MAX + 1, &p, &e), -EFBIG);
	memset(text, '[', OCI_CONFIG_MAX);
	memcpy(text, "{\"x\":", 5);
	assert_int_equal(oci_process_parse(text, OCI_CONFIG_MAX, &p, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "nested more than 64 deep"));
	free(text);
}

static void the_process_alone_is_read(void **state)
{
	static const char config[] =
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"cwd\":\"/"
		"x\",\"args\":[\"a\",\"b\"],\"env\":[\"K=V\"]},"
		"\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":{\"syscalls\":[{\"names\":[\"read\"]}]}}}";
	static const char wrong[] = "{\"process\":{\"cwd\":\"/x\",\"args\":[1]}}";
	struct oci_process p;
	struct err e = { 0 };

	assert_int_equal(oci_spec_parse_process(config, strlen(config), &p, &e), 0);
	assert_string_equal(p.cwd, "/x");
	assert_int_equal(p.args.n, 2);
	assert_string_equal(p.env.v[0], "K=V");
	oci_process_done(&p);
	assert_int_equal(oci_spec_parse_process(wrong, strlen(wrong), &p, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "process.args[0]"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_of_a_process_is_read),
		cmocka_unit_test(the_process_alone_is_read),
		cmocka_unit_test(every_member_outside_process_and_linux_is_read),
		cmocka_unit_test(every_member_of_linux_is_read),
		cmocka_unit_test(every_resource_is_read),
		cmocka_unit_test(what_real_callers_write_is_accepted),
		cmocka_unit_test(strange_but_valid_texts_are_accepted),
		cmocka_unit_test(a_mistake_is_told_by_its_place),
		cmocka_unit_test(what_is_too_large_is_refused_and_what_is_long_is_not),
	};

	configs = argc > 1 ? argv[1] : "tests/unit/oci/configs";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
