/* fuzz_vmm_config.c - the command line of ketch-vmm: taken as it is written, or refused with a sentence */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "vmm/config.h"
#include "vmm/layout.h"

#define MOST_WORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_device(const char *text)
{
	struct device_config d;
	struct err e = { 0 };

	if (vmm_device_parse(text, &d, &e) < 0) {
		assert(e.msg[0] && !d.name);
		return;
	}
	assert(d.fd >= 0 && !(d.mac[0] & 1));
	vmm_device_done(&d);
}

static void check_machine(char *const *argv)
{
	struct vmm_config c;
	struct err e = { 0 };
	int r = vmm_config_parse(argv, &c, &e);

	if (r < 0)
		assert(e.msg[0]);
	if (r == 0) {
		assert(c.kvm_fd >= 0 && c.kernel_fd >= 0 && c.vcpus >= 1 && c.vcpus <= MAX_VCPUS);
		assert(c.unjailed || c.uid > 0);
		assert(c.blocks.n + c.nets.n + c.shares.n + c.vsocks.n + 6 <= CONFIG_MAX_FDS);
	}
	for (size_t i = 0; i < c.blocks.n; i++)
		check_device(c.blocks.v[i]);
	vmm_config_done(&c);
}

/* Lines: the words of a command line; each is tried as a device's words too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096], *argv[MOST_WORDS + 1] = { NULL };
	unsigned n = 0;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *at = text, *end; n < MOST_WORDS && *at; at = end) {
		end = at + strcspn(at, "\n");
		if (*end)
			*end++ = '\0';
		argv[n++] = at;
		check_device(at);
	}
	check_machine(argv);
	return 0;
}
