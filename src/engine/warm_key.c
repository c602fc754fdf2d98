/* warm_key.c - what decides whether the memory of a machine that has booted fits another instance */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "engine/warm.h"

#define FORM	    "1" /* of what is saved and how it is gone on from: another one makes all others useless */
#define NAME_DIGITS 12

static void add_text(struct sha256 *h, const char *text)
{
	if (text)
		sha256_add(h, text, strlen(text));
	sha256_add(h, text ? "\n" : "-\n", text ? 1 : 2);
}

static void add_number(struct sha256 *h, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	add_text(h, text);
}

/* The size of the machine, with its devices: an empty slot on its bus is one, too. */
static void add_size(struct sha256 *h, const struct instance_spec *s)
{
	add_number(h, (uint64_t)s->vm.vcpus);
	add_number(h, s->vm.ram_bytes);
	add_number(h, s->storage_bytes);
	add_number(h, s->network == NETWORK_ATTACHED ? s->net.n_attachments + 1 : 0);
}

static void finish(struct sha256 *h, char ret[SHA256_HEX])
{
	uint8_t bytes[SHA256_BYTES];

	sha256_end(h, bytes);
	hex_encode(bytes, sizeof(bytes), ret);
}

void warm_key(const struct instance_spec *s, const struct warm_host *h, char ret[SHA256_HEX])
{
	struct sha256 sum;

	sha256_init(&sum);
	add_text(&sum, FORM);
	add_text(&sum, s->image_id);
	add_number(&sum, (uint64_t)s->vm.layer_disks);
	add_text(&sum, s->vm.kernel);
	add_text(&sum, vm_driver_names[s->vm.driver]);
	add_number(&sum, s->vm.accel_kvm);
	add_size(&sum, s);
	add_text(&sum, h->cpu);
	add_text(&sum, h->release);
	add_text(&sum, h->hypervisor);
	add_text(&sum, h->monitor); /* it says which devices there are */
	add_text(&sum, h->guest);
	add_text(&sum, h->kernel);
	finish(&sum, ret);
}

void warm_name(const struct instance_spec *s, const char *kernel, const char *driver, char ret[WARM_NAME_MAX])
{
	char digits[SHA256_HEX];
	struct sha256 sum;

	sha256_init(&sum);
	add_text(&sum, s->image);
	add_text(&sum, kernel);
	add_text(&sum, driver);
	add_size(&sum, s);
	finish(&sum, digits);
	snprintf(ret, WARM_NAME_MAX, "warm-%.*s", NAME_DIGITS, digits);
}
