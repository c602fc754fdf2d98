/* test_checkpoint.c - which containers' processes can be kept, and what the others are told */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "container/checkpoint.h"

static void check(const struct instance_spec *s, const char *flag)
{
	struct err e = { 0 };
	int r = container_checkpoint_check(s, &e);

	assert_int_equal(r, flag ? -ENOTSUP : 0);
	if (flag)
		assert_non_null(strstr(e.msg, flag));
}

static void plain_ones_can(void **state)
{
	struct mount_spec m[] = { { .type = MOUNT_VOLUME, .propagation = NULL },
				  { .type = MOUNT_BIND, .propagation = (char[]){ "rprivate" } },
				  { .type = MOUNT_TMPFS } };

	check(&(struct instance_spec){ .network = NETWORK_NONE }, NULL);
	check(&(struct instance_spec){ .network = NETWORK_ATTACHED, .read_only = true, .open_stdin = true },
	      NULL);
	check(&(struct instance_spec){ .network = NETWORK_ATTACHED, .mounts = m, .n_mounts = ARRAY_LEN(m) },
	      NULL);
}

static void others_are_told_by_which_flag(void **state)
{
	struct mount_spec shared = { .type = MOUNT_BIND, .propagation = (char[]){ "rshared" } };

	check(&(struct instance_spec){ .process.tty = true }, "-t");
	check(&(struct instance_spec){ .init = true }, "--init");
	check(&(struct instance_spec){ .userns = true }, "--userns");
	check(&(struct instance_spec){ .privileged = true }, "--privileged");
	check(&(struct instance_spec){ .sandbox.system = true, .process.tty = true }, "--system");
	check(&(struct instance_spec){ .network = NETWORK_HOST }, "--network host");
	check(&(struct instance_spec){ .network = NETWORK_CONTAINER }, "--network container:");
	check(&(struct instance_spec){ .sandbox.pid.mode = NS_HOST }, "--pid");
	check(&(struct instance_spec){ .sandbox.ipc.mode = NS_CONTAINER }, "--ipc");
	check(&(struct instance_spec){ .sandbox.uts.mode = NS_HOST }, "--uts");
	check(&(struct instance_spec){ .sandbox.cgroup.mode = NS_HOST }, "--cgroupns");
	check(&(struct instance_spec){ .mounts = &shared, .n_mounts = 1 }, "shared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_ones_can),
		cmocka_unit_test(others_are_told_by_which_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
