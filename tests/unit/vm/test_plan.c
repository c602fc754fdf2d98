/* test_plan.c - plans of VMs as --dry-run prints them, against tests/golden/vm-*.plan
 *
 * KETCH_GOLDEN_UPDATE=1 writes the files anew; look at the difference before committing it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "vm/image_disks.h"
#include "vm/vm.h"

#define MIB (UINT64_C(1) << 20)

static struct host_facts v1_host(void)
{
	struct host_facts h = { .cgroup_mode = CGROUP_V1, .cpus = 4, .ram_bytes = 8192 * MIB };

	h.arch = strdup("amd64");
	h.qemu = strdup("/usr/bin/qemu-system-x86_64");
	h.virtiofsd = strdup("/usr/lib/qemu/virtiofsd");
	h.vmm = strdup("/usr/libexec/ketch/ketch-vmm");
	strv_add(&h.cgroups, "memory=/sys/fs/cgroup/memory");
	strv_add(&h.cgroups, "cpu=/sys/fs/cgroup/cpu,cpuacct");
	strv_add(&h.cgroups, "cpuacct=/sys/fs/cgroup/cpu,cpuacct");
	strv_add(&h.cgroups, "pids=/sys/fs/cgroup/pids");
	return h;
}

static struct host_facts v2_host(void)
{
	static const char *const controllers[] = { "unified", "memory", "cpu", "pids" };
	struct host_facts h = v1_host();

	strv_done(&h.cgroups);
	h.cgroup_mode = CGROUP_V2;
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
		strv_addf(&h.cgroups, "%s=/sys/fs/cgroup", controllers[i]);
	return h;
}

static struct instance_spec plain_spec(void)
{
	struct instance_spec s = { .isolation = ISOLATION_VM };

	s.id = strdup("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	s.name = strdup("web");
	s.vm.kernel = strdup("6.1.0-25-cloud-amd64");
	s.vm.ram_bytes = 2048 * MIB;
	s.vm.vcpus = 2;
	strv_add(&s.process.args, "/bin/true");
	return s;
}

static void add_mount(struct instance_spec *s, const struct mount_spec *m)
{
	s->mounts = reallocarray(s->mounts, s->n_mounts + 1, sizeof(*m));
	s->mounts[s->n_mounts++] = *m;
}

static struct instance_spec full_spec(void)
{
	struct instance_spec s = plain_spec();

	s.resources = (struct resources){ .memory_bytes = 512 * MIB, .cpu_milli = 1500, .pids = 100 };
	s.vm.ram_bytes = vm_ram_bytes(512 * MIB, 8192 * MIB);
	s.vm.accel_kvm = true;
	s.read_only = true;
	add_mount(&s, &(struct mount_spec){ MOUNT_BIND, strdup("/srv/data"), strdup("/data"),
					    .read_only = true });
	add_mount(&s, &(struct mount_spec){ MOUNT_TMPFS, NULL, strdup("/tmp"), strdup("size=64m") });
	add_mount(&s,
		  &(struct mount_spec){ MOUNT_BIND, strdup("/etc/a"), strdup("/etc/a"), .is_file = true });
	add_mount(&s, &(struct mount_spec){ MOUNT_VOLUME, strdup("v"), strdup("/var/lib"), .copy_up = true });
	return s;
}

static int plan(struct instance_spec *s, struct host_facts *h, struct buf *text, struct err *e)
{
	struct plan p = { 0 };
	int r = vm_backend.plan(s, h, &p, e);

	if (r == 0)
		plan_print(&p, text);
	plan_done(&p);
	json_done(&instance_spec_table, s);
	json_done(&host_facts_table, h);
	return r;
}

static void assert_golden(const char *name, struct instance_spec s, struct host_facts h)
{
	AUTO(buf_done) struct buf got = { 0 }, want = { 0 };
	autofree char *path = str_printf("%s/%s", GOLDEN_DIR, name);
	struct err e = { 0 };

	if (plan(&s, &h, &got, &e) < 0)
		fail_msg("%s", e.msg);
	if (getenv("KETCH_GOLDEN_UPDATE"))
		assert_int_equal(write_file_atomic(AT_FDCWD, path, 0644, got.data, got.len), 0);
	assert_int_equal(read_file(AT_FDCWD, path, 65536, &want), 0);
	assert_string_equal(got.data, want.data);
}

static void a_plain_machine_on_cgroup_v1(void **state)
{
	assert_golden("vm-plain-v1.plan", plain_spec(), v1_host());
}

static void a_machine_with_everything_on_cgroup_v2(void **state)
{
	assert_golden("vm-full-v2.plan", full_spec(), v2_host());
}

static void a_machine_under_our_own_hypervisor(void **state)
{
	struct instance_spec s = full_spec();

	s.vm.driver = VM_DRIVER_KVM;
	s.vm.layer_disks = 2;
	assert_golden("vm-kvm-v2.plan", s, v2_host());
}

static struct instance_spec spec_on_networks(int driver)
{
	struct instance_spec s = plain_spec();

	s.network = NETWORK_ATTACHED;
	s.vm.driver = driver;
	s.vm.accel_kvm = true;
	s.net.n_attachments = 2;
	s.net.attachments = calloc(2, sizeof(*s.net.attachments));
	s.net.attachments[0].given.mac = strdup("02:42:0a:58:00:05");
	s.net.attachments[1].mac = strdup("02:42:0a:59:00:05");
	s.net.spare.mac = strdup("02:4b:01:23:45:67");
	add_mount(&s, &(struct mount_spec){ MOUNT_BIND, strdup("/srv/data"), strdup("/data") });
	return s;
}

static void a_machine_has_a_card_for_each_network_and_one_to_spare(void **state)
{
	assert_golden("vm-networks-qemu.plan", spec_on_networks(VM_DRIVER_QEMU), v2_host());
	assert_golden("vm-networks-kvm.plan", spec_on_networks(VM_DRIVER_KVM), v2_host());
}

/* --- what cannot be done */

static void assert_refused(struct instance_spec s, struct host_facts h, const char *why)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct err e = { 0 };

	assert_true(plan(&s, &h, &text, &e) < 0);
	if (!strstr(e.msg, why))
		fail_msg("\"%s\" does not name \"%s\"", e.msg, why);
}

static void the_network_of_the_host_is_refused(void **state)
{
	struct instance_spec s = plain_spec();

	s.network = NETWORK_HOST;
	assert_refused(s, v1_host(), "--network host");
}

static void more_cards_and_mounts_than_the_bus_has_places_are_refused(void **state)
{
	struct instance_spec s = spec_on_networks(VM_DRIVER_QEMU);

	for (int i = 0; i < 17; i++)
		add_mount(&s, &(struct mount_spec){ MOUNT_BIND, strdup("/srv/data"), strdup("/data") });
	assert_refused(s, v2_host(), "18 mounts, 3 networks and 0 layers; a virtual machine can have 20");
}

static void layers_are_disks_as_long_as_there_is_room(void **state)
{
	struct instance_spec s = plain_spec();

	for (int i = 0; i < GUEST_LAYERS_MAX; i++) {
		strv_add(&s.layers, "sha256:00");
		assert_int_equal(image_disks_choose(&s), i + 1);
	}
	for (int i = 0; i < 13; i++) /* with them the bus has no place more */
		add_mount(&s, &(struct mount_spec){ MOUNT_BIND, strdup("/srv/data"), strdup("/data") });
	assert_int_equal(image_disks_choose(&s), 0);
	s.n_mounts = 12;
	assert_int_equal(image_disks_choose(&s), GUEST_LAYERS_MAX);
	strv_add(&s.layers, "sha256:00");
	assert_int_equal(image_disks_choose(&s), 0);
	s.n_mounts = 13;
	json_done(&instance_spec_table, &s);
}

static void a_user_namespace_is_refused(void **state)
{
	struct instance_spec s = plain_spec();

	s.userns = true;
	assert_refused(s, v1_host(), "--userns");
}

static void missing_programs_are_named_with_their_package(void **state)
{
	struct host_facts h = v1_host();

	free(h.qemu);
	h.qemu = NULL;
	assert_refused(plain_spec(), h, "qemu-system-x86");
	h = v1_host();
	free(h.virtiofsd);
	h.virtiofsd = NULL;
	assert_refused(full_spec(), h, "qemu-system-common");
}

static void our_hypervisor_without_kvm_is_refused_with_the_reason(void **state)
{
	struct instance_spec s = plain_spec();
	struct host_facts h = v1_host();

	s.vm.driver = VM_DRIVER_KVM;
	h.kvm_reason = strdup("there is no /dev/kvm");
	assert_refused(s, h, "--driver kvm: there is no /dev/kvm");
}

static void more_processors_than_a_machine_has_are_refused(void **state)
{
	struct instance_spec s = plain_spec();

	s.vm.driver = VM_DRIVER_KVM;
	s.vm.accel_kvm = true;
	s.vm.vcpus = 33;
	assert_refused(s, v1_host(), "33 CPUs");
}

static void a_ceiling_without_its_controller_is_refused(void **state)
{
	struct host_facts h = v1_host();

	strv_env_unset(&h.cgroups, "memory");
	assert_refused(full_spec(), h, "--memory");
	h = v1_host();
	strv_env_unset(&h.cgroups, "cpu");
	assert_refused(full_spec(), h, "--cpus");
}

static void limits_of_the_machine_are_set_on_the_host(void **state)
{
	struct instance_spec s = full_spec();
	struct host_facts h = v1_host();

	strv_add(&h.cgroups, "cpuset=/sys/fs/cgroup/cpuset");
	s.resources.memory_reservation_bytes = 64 * MIB;
	s.resources.memory_swappiness = (struct opt_i64){ true, 0 };
	s.resources.cpu_shares = 512;
	s.resources.cpuset_cpus = strdup("0");
	assert_golden("vm-limits-v1.plan", s, h);
}

static void what_the_kernel_of_a_guest_cannot_do_is_refused(void **state)
{
	struct instance_spec s = full_spec();

	s.resources.memory_swap_bytes = 1024 * MIB;
	assert_refused(s, v1_host(), "--memory-swap");
	s = full_spec();
	s.resources.memory_swap_bytes = -1;
	assert_refused(s, v1_host(), "--memory-swap");
	s = full_spec();
	s.resources.oom_kill_disable = true;
	assert_refused(s, v1_host(), "--oom-kill-disable");
}

static void more_mounts_than_the_machine_has_places_are_refused(void **state)
{
	struct instance_spec s = plain_spec();

	for (int i = 0; i < 20; i++)
		add_mount(&s, &(struct mount_spec){ MOUNT_BIND, strdup("/a"), strdup("/a") });
	assert_refused(s, v1_host(), "20 mounts");
}

/* --- RAM */

static void ram_is_the_ceiling_and_what_the_kernel_needs(void **state)
{
	static const struct {
		uint64_t ceiling, host, min, max;
	} cases[] = {
		{ 0, 16384 * MIB, 2048 * MIB, 2048 * MIB },
		{ 0, 1024 * MIB, 512 * MIB, 512 * MIB },
		{ 0, 128 * MIB, 256 * MIB, 256 * MIB },
		{ 64 * MIB, 16384 * MIB, 150 * MIB, 180 * MIB },
		{ 8192 * MIB, 4096 * MIB, 8192 * MIB + 128 * MIB, 8192 * MIB + 300 * MIB },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t ram = vm_ram_bytes(cases[i].ceiling, cases[i].host);

		assert_in_range(ram, cases[i].min, cases[i].max);
		assert_int_equal(ram % (2 * MIB), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_machine_on_cgroup_v1),
		cmocka_unit_test(a_machine_with_everything_on_cgroup_v2),
		cmocka_unit_test(a_machine_under_our_own_hypervisor),
		cmocka_unit_test(a_machine_has_a_card_for_each_network_and_one_to_spare),
		cmocka_unit_test(more_cards_and_mounts_than_the_bus_has_places_are_refused),
		cmocka_unit_test(the_network_of_the_host_is_refused),
		cmocka_unit_test(our_hypervisor_without_kvm_is_refused_with_the_reason),
		cmocka_unit_test(more_processors_than_a_machine_has_are_refused),
		cmocka_unit_test(layers_are_disks_as_long_as_there_is_room),
		cmocka_unit_test(a_user_namespace_is_refused),
		cmocka_unit_test(missing_programs_are_named_with_their_package),
		cmocka_unit_test(a_ceiling_without_its_controller_is_refused),
		cmocka_unit_test(limits_of_the_machine_are_set_on_the_host),
		cmocka_unit_test(what_the_kernel_of_a_guest_cannot_do_is_refused),
		cmocka_unit_test(more_mounts_than_the_machine_has_places_are_refused),
		cmocka_unit_test(ram_is_the_ceiling_and_what_the_kernel_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
