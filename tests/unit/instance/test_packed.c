/* test_packed.c - the memory of a machine in an image as a document: what is taken, and what is refused */
#include <string.h>

#include "../cm.h"
#include "base/auto.h"
#include "instance/packed.h"

#define ID	 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SHA	 "sha256:" ID
#define VM	 "\"driver\":\"kvm\",\"kernel\":\"6.1\",\"ram\":8388608,\"vcpus\":1,\"layerDisks\":1"
#define ONE_DISK "\"driver\":\"kvm\",\"kernel\":\"6.1\",\"ram\":8388608,\"vcpus\":1"
#define SPEC(vm, layers)                                                                                     \
	"{\"id\":\"" ID                                                                                      \
	"\",\"name\":\"web\",\"isolation\":\"vm\",\"process\":{\"args\":[\"sh\"]},\"layers\":[" layers       \
	"],\"vm\":{" vm "}}"
#define FITS "\"format\":\"ketch-vmm/1\",\"processor\":\"this\",\"kernel\":\"" SHA "\""
#define DOC(fits, verities, spec, files)                                                                     \
	"{\"version\":1," fits ",\"verities\":[" verities "],\"spec\":" spec ",\"files\":{" files "}}"
#define SIZES	  "\"disk\":5000000,\"state\":100,\"ram\":8388608"
#define FILES(c)  SIZES ",\"chunks\":[" c "]"
#define WHOLE(c)  DOC(FITS, "\"" SHA "\"", SPEC(VM, "\"" SHA "\""), FILES(c))
#define CHUNK(at) "\"" at " " SHA " 10 " SHA "\""

static int parse(const char *text, struct packed *ret, struct err *e)
{
	*e = (struct err){ 0 };
	return packed_parse(text, strlen(text), ret, e);
}

static void a_machine_is_taken(void **state)
{
	struct packed p;
	struct err e;
	struct chunk k;

	(void)state;
	assert_int_equal(
		parse(WHOLE(CHUNK("disk 4194304") "," CHUNK("state 0") "," CHUNK("ram 4194304")), &p, &e), 0);
	assert_int_equal(p.chunked.chunks.n, 3);
	assert_int_equal(chunk_parse(p.chunked.chunks.v[0], &k), 0);
	assert_int_equal(k.file, CHUNKED_DISK);
	assert_int_equal(k.size, 10);
	assert_int_equal(chunk_plain_bytes(&p.chunked, &k), 5000000 - 4194304);
	assert_int_equal(chunk_parse(p.chunked.chunks.v[2], &k), 0);
	assert_int_equal(chunk_plain_bytes(&p.chunked, &k), CHUNK_BYTES);
	packed_done(&p);
}

static void what_cannot_be_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "" },
		{ "{}", "version" },
		{ "{\"version\":2}", "it is of version 2" },
		{ "{\"version\":1}", "what it fits" },
		{ DOC("\"format\":\"x\",\"processor\":\"y\",\"kernel\":\"z\"", "\"" SHA "\"",
		      SPEC(VM, "\"" SHA "\""), FILES("")),
		  "what it fits" },
		{ DOC(FITS, "\"" SHA "\"", SPEC("", "\"" SHA "\""), FILES("")), "not of a virtual machine" },
		{ DOC(FITS, "", SPEC(VM, "\"" SHA "\""), FILES("")), "layers are not its disks" },
		{ DOC(FITS, "\"" SHA "\",\"" SHA "\"", SPEC(ONE_DISK, "\"" SHA "\",\"" SHA "\""), FILES("")),
		  "layers are not its disks" },
		{ DOC(FITS, "\"x\"", SPEC(VM, "\"" SHA "\""), FILES("")), "layers are not its disks" },
		{ DOC(FITS, "", SPEC(VM, ""), FILES("")), "layers are not its disks" },
		{ DOC(FITS, "\"" SHA "\"", SPEC(VM, "\"" SHA "\""), "\"state\":1"), "no disk" },
		{ DOC(FITS, "\"" SHA "\"", SPEC(VM, "\"" SHA "\""), "\"disk\":1,\"state\":1,\"ram\":1"),
		  "not as large" },
		{ DOC(FITS, "\"" SHA "\"", SPEC(VM, "\"" SHA "\""), "\"disk\":99999999999999"),
		  "larger than 64 GiB" },
		{ WHOLE("\"disk 0\""), "is none" },
		{ WHOLE("\"swap 0 " SHA " 10 " SHA "\""), "is none" },
		{ WHOLE("\"disk -1 " SHA " 10 " SHA "\""), "is none" },
		{ WHOLE("\"disk 0 md5:1 10 " SHA "\""), "is none" },
		{ WHOLE("\"disk 0 " SHA " 0 " SHA "\""), "has 0 bytes" },
		{ WHOLE("\"disk 0 " SHA " 9999999 " SHA "\""), "has 9999999 bytes" },
		{ WHOLE(CHUNK("disk 1")), "outside" },
		{ WHOLE(CHUNK("disk 8388608")), "outside" },
		{ WHOLE(CHUNK("disk 18446744073705357312")), "outside" },
		{ WHOLE(CHUNK("disk 0") "," CHUNK("disk 0")), "twice" },
		{ WHOLE(CHUNK("ram 0") "," CHUNK("disk 0")), "order" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packed p;
		struct err e;

		assert_true(parse(cases[i].text, &p, &e) < 0);
		if (!strstr(e.msg, cases[i].why))
			fail_msg("case %zu: \"%s\" has no \"%s\"", i, e.msg, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_is_taken),
		cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
