/* packed.c - the memory of a machine in an image as a document */
#include "instance/packed.h"

#include <errno.h>

#include "instance/exported.h"

static const struct jfield packed_fields[] = {
	JR(J_INT, struct packed, version, "version"),
	J(J_STR, struct packed, format),
	J(J_STR, struct packed, program),
	J(J_STR, struct packed, host),
	JK(J_U64, struct packed, tsc_khz, "tscKHz"),
	J(J_STR, struct packed, processor),
	J(J_STR, struct packed, kernel),
	J(J_STRV, struct packed, verities),
	JO(struct packed, spec, "spec", &instance_spec_table),
	JO(struct packed, chunked, "files", &chunked_table),
	{ 0 },
};
const struct jtable packed_table = { sizeof(struct packed), packed_fields };

void packed_done(struct packed *p)
{
	json_done(&packed_table, p);
}

static bool are_digests(const struct strv *list)
{
	struct digest d;

	for (size_t i = 0; i < list->n; i++)
		if (digest_parse(list->v[i], &d) < 0)
			return false;
	return true;
}

/* The image is disks, each layer one or all together, of which it is known what they hold. */
static int check_machine(const struct packed *p, struct err *e)
{
	const struct vm_spec *vm = &p->spec.vm;
	size_t disks = vm->layer_disks ? p->spec.layers.n : 1;

	if (p->spec.isolation != ISOLATION_VM || !vm->kernel || vm->vcpus < 1 || !vm->ram_bytes)
		return err_set(e, EINVAL, "its configuration is not of a virtual machine");
	if (!p->spec.layers.n || p->verities.n != disks ||
	    (vm->layer_disks && vm->layer_disks != (int)p->spec.layers.n) || !are_digests(&p->spec.layers) ||
	    !are_digests(&p->verities))
		return err_set(e, EINVAL, "its layers are not its disks");
	return 0;
}

static int check(const struct packed *p, struct err *e)
{
	struct digest kernel;
	int r;

	if (!p->format || !p->processor || !p->kernel || digest_parse(p->kernel, &kernel) < 0)
		return err_set(e, EINVAL, "it does not say what it fits");
	r = exported_check_spec(&p->spec, e);
	if (r == 0)
		r = check_machine(p, e);
	if (r == 0)
		r = chunked_check(&p->chunked, e);
	if (r == 0 && (!p->chunked.bytes[CHUNKED_DISK] || !p->chunked.bytes[CHUNKED_STATE]))
		r = err_set(e, EINVAL, "it has no disk, or no state");
	if (r == 0 && p->chunked.bytes[CHUNKED_RAM] && p->chunked.bytes[CHUNKED_RAM] != p->spec.vm.ram_bytes)
		r = err_set(e, EINVAL, "its RAM is not as large as its machine's");
	return r;
}

int packed_parse(const char *text, size_t n, struct packed *ret, struct err *e)
{
	struct packed p = { 0 };
	int r = json_parse(&packed_table, text, n, JSON_UNIQUE, &p, e);

	if (r == 0 && p.version != PACKED_VERSION)
		r = err_set(e, EINVAL, "it is of version %d, and this ketch knows version %d", p.version,
			    PACKED_VERSION);
	if (r == 0)
		r = check(&p, e);
	if (r < 0)
		packed_done(&p);
	else
		*ret = p;
	return r;
}
