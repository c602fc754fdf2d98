/* test_warm.c - which saved machine fits which instance: what changes its key, what its name, and what neither */
#include "../cm.h"

#include "base/auto.h"
#include "engine/warm.h"

static const struct warm_host host = { .cpu = "A cpu",
				       .release = "6.1",
				       .hypervisor = "/qemu 1 2",
				       .monitor = "/monitor 7 8",
				       .guest = "/guest 3 4",
				       .kernel = "/vmlinuz 5 6" };

static void parse(const char *json, struct instance_spec *ret)
{
	struct err e = { 0 };

	*ret = (struct instance_spec){ 0 };
	if (json_parse(&instance_spec_table, json, strlen(json), JSON_STRICT, ret, &e) < 0)
		fail_msg("%s: %s", json, e.msg);
}

#define SPEC(image, vm, more)                                                                                \
	"{\"process\":{\"args\":[\"a\"]},\"image\":\"app\",\"imageId\":\"" image                             \
	"\",\"isolation\":\"vm\",\"vm\":{" vm "}" more "}"
#define MACHINE "\"driver\":\"qemu\",\"kernel\":\"6.1\",\"ram\":64,\"vcpus\":2"
#define USUAL	SPEC("sha256:1", MACHINE, "")

struct names {
	char key[SHA256_HEX], name[WARM_NAME_MAX];
};

static struct names names_of(const char *json, const struct warm_host *h, const char *kernel)
{
	struct instance_spec s;
	struct names n;

	parse(json, &s);
	warm_key(&s, h, n.key);
	warm_name(&s, kernel, NULL, n.name);
	json_done(&instance_spec_table, &s);
	return n;
}

static void expect(const char *json, const struct warm_host *h, bool same_key, bool same_name)
{
	const struct names usual = names_of(USUAL, &host, NULL), n = names_of(json, h, NULL);

	if (same_key != !strcmp(n.key, usual.key) || same_name != !strcmp(n.name, usual.name))
		fail_msg("%s: key %s, name %s", json, n.key, n.name);
}

static void what_an_instance_does_in_it_changes_neither(void **state)
{
	expect(USUAL, &host, true, true);
	expect(SPEC("sha256:1", MACHINE,
		    ",\"name\":\"web\",\"hostname\":\"h\",\"readOnly\":true,\"labels\":{\"a\":\"b\"},"
		    "\"resources\":{\"memory\":10,\"pids\":5}"),
	       &host, true, true);
	expect(SPEC("sha256:1", MACHINE, ",\"mounts\":[{\"type\":\"tmpfs\",\"target\":\"/t\"}]"), &host, true,
	       true);
}

static void another_size_is_another_machine_beside_it(void **state)
{
	expect(SPEC("sha256:1", "\"driver\":\"qemu\",\"kernel\":\"6.1\",\"ram\":65,\"vcpus\":2", ""), &host,
	       false, false);
	expect(SPEC("sha256:1", "\"driver\":\"qemu\",\"kernel\":\"6.1\",\"ram\":64,\"vcpus\":1", ""), &host,
	       false, false);
	expect(SPEC("sha256:1", MACHINE, ",\"storage\":1000"), &host, false, false);
	expect(SPEC("sha256:1", MACHINE,
		    ",\"network\":\"attached\",\"net\":{\"attachments\":[{\"network\":\"n\"}]}"),
	       &host, false, false);
	/* on no network is not: on none that it could come to, with its spare card */
	expect(SPEC("sha256:1", MACHINE, ",\"network\":\"attached\""), &host, false, false);
}

static void what_an_update_brings_takes_the_place_of_the_old(void **state)
{
	struct warm_host h;

	expect(SPEC("sha256:2", MACHINE, ""), &host, false, true);
	expect(SPEC("sha256:1", "\"driver\":\"qemu\",\"kernel\":\"6.2\",\"ram\":64,\"vcpus\":2", ""), &host,
	       false, true);
	expect(SPEC("sha256:1", "\"driver\":\"kvm\",\"kernel\":\"6.1\",\"ram\":64,\"vcpus\":2", ""), &host,
	       false, true);
	expect(SPEC("sha256:1", MACHINE ",\"layerDisks\":2", ""), &host, false, true);
	h = host, h.cpu = "Another";
	expect(USUAL, &h, false, true);
	h = host, h.release = "6.2";
	expect(USUAL, &h, false, true);
	h = host, h.hypervisor = "/qemu 1 3";
	expect(USUAL, &h, false, true);
	h = host, h.monitor = "/monitor 7 9";
	expect(USUAL, &h, false, true);
	h = host, h.guest = "/guest 3 5";
	expect(USUAL, &h, false, true);
	h = host, h.kernel = "/vmlinuz 5 7";
	expect(USUAL, &h, false, true);
}

static void one_that_was_asked_for_by_its_kernel_is_beside_the_usual_one(void **state)
{
	const struct names usual = names_of(USUAL, &host, NULL), n = names_of(USUAL, &host, "6.1");

	assert_string_equal(n.key, usual.key);
	assert_string_not_equal(n.name, usual.name);
	assert_memory_equal(n.name, "warm-", 5);
}

static void a_clone_of_one_is_none(void **state)
{
#define LABELS                                                                                               \
	"{\"process\":{\"args\":[\"a\"]},\"labels\":{\"ketch.template\":\"w\",\"ketch.warm\":\"0\"},"        \
	"\"name\":"
	struct instance_spec s;

	parse(LABELS "\"w\"}", &s);
	assert_true(template_is_named(&s) && warm_is(&s));
	json_done(&instance_spec_table, &s);
	parse(LABELS "\"w-1\"}", &s);
	assert_false(template_is_named(&s) || warm_is(&s));
	json_done(&instance_spec_table, &s);
	parse(USUAL, &s);
	assert_false(template_is_named(&s) || warm_is(&s));
	json_done(&instance_spec_table, &s);
}

/* What is there where another thing is missing is not the same. */
static void fields_do_not_run_into_each_other(void **state)
{
	struct warm_host a = host, b = host;
	struct names x, y;

	a.cpu = "A", a.release = "B C";
	b.cpu = "A B", b.release = "C";
	x = names_of(USUAL, &a, NULL), y = names_of(USUAL, &b, NULL);
	assert_string_not_equal(x.key, y.key);
	a.cpu = NULL, a.release = "";
	b.cpu = "", b.release = NULL;
	x = names_of(USUAL, &a, NULL), y = names_of(USUAL, &b, NULL);
	assert_string_not_equal(x.key, y.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_instance_does_in_it_changes_neither),
		cmocka_unit_test(another_size_is_another_machine_beside_it),
		cmocka_unit_test(what_an_update_brings_takes_the_place_of_the_old),
		cmocka_unit_test(one_that_was_asked_for_by_its_kernel_is_beside_the_usual_one),
		cmocka_unit_test(a_clone_of_one_is_none),
		cmocka_unit_test(fields_do_not_run_into_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
