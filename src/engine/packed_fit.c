/* packed_fit.c - can the memory in an image be gone on from here?  Before anything of it is fetched */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/sha256.h"
#include "base/verity.h"
#include "engine/foreign.h"
#include "engine/memory_fit.h"
#include "engine/packed_int.h"
#include "engine/warm.h"
#include "kernel/kernel.h"
#include "sys/cpu_id.h"
#include "vm/saving.h"

#define PIECE_BYTES (256 << 10)

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- the guest's kernel */

static int hash_file(const char *path, char ret[DIGEST_TEXT])
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	autofree char *piece = malloc(PIECE_BYTES);
	struct sha256 h;
	struct digest d;
	ssize_t n;

	if (fd < 0 || !piece)
		return fd < 0 ? -errno : -ENOMEM;
	sha256_init(&h);
	while ((n = read_full(fd, piece, PIECE_BYTES)) > 0)
		sha256_add(&h, piece, (size_t)n);
	sha256_end(&h, d.sha256);
	digest_text(&d, ret);
	return n < 0 ? (int)n : 0;
}

int packed_kernel_digest(struct engine *en, const char *version, char ret[DIGEST_TEXT], struct err *e)
{
	struct kernel k = { 0 };
	int r = kernel_find(en->root, version, &k, e);

	if (r < 0)
		return r;
	r = hash_file(k.image, ret);
	if (r < 0)
		err_sys(e, -r, "guest kernel %s", k.version);
	kernel_done(&k);
	return r;
}

static int fit_kernel(struct engine *en, const struct packed *p, struct err *e)
{
	char here[DIGEST_TEXT];
	int r = packed_kernel_digest(en, p->spec.vm.kernel, here, e);

	if (r < 0)
		return err_wrap(e, r, "its machine has the guest kernel %.60s", p->spec.vm.kernel);
	return strcmp(here, p->kernel)
		       ? err_set(e, EPROTO,
				 "its machine has a guest kernel %.60s (%.19s) that is another here (%.19s)",
				 p->spec.vm.kernel, p->kernel, here)
		       : 0;
}

/* --- the host */

static int fit_processor(const struct packed *p, struct err *e)
{
	char here[CPU_ID_MAX];

	cpu_id(here);
	return strcmp(here, p->processor)
		       ? err_set(e, EPROTO,
				 "its machine ran on another processor (%.150s) than this (%.150s)",
				 p->processor, here)
		       : 0;
}

/* In software emulation the guest's processor is QEMU's. */
static int fit_host(struct engine *en, const char *image, struct packed *p, struct err *e)
{
	const struct host_facts *h = engine_facts_kvm(en);
	const struct vm_spec *vm = &p->spec.vm;
	const struct snapshot as_if = { .name = (char *)(uintptr_t)image, /* borrows */
					.memory = { .format = p->format,
						    .program = p->program,
						    .host = p->host,
						    .tsc_khz = p->tsc_khz } };
	bool qemu = memory_fit_is_qemu(&as_if.memory);

	if (qemu != (vm->driver == VM_DRIVER_QEMU) || qemu == (p->chunked.bytes[CHUNKED_RAM] > 0))
		return err_set(e, EINVAL, "its memory is not of its driver, %s", vm_driver_names[vm->driver]);
	if (vm->accel_kvm && !h->kvm)
		return err_set(e, EPROTO, "its machine ran with KVM (--driver %s); here: %s",
			       vm_driver_names[vm->driver],
			       h->kvm_reason ? h->kvm_reason : "KVM cannot be used");
	if (vm->ram_bytes > h->ram_bytes)
		return err_set(e, EPROTO, "its machine has %llu MiB of RAM, this host %llu",
			       (unsigned long long)vm->ram_bytes >> 20,
			       (unsigned long long)h->ram_bytes >> 20);
	if (vm->accel_kvm && fit_processor(p, e) < 0)
		return -e->no;
	return memory_fit_check(en, &as_if, e);
}

/* --- the image */

/* All of it as one disk, which is made where there is none yet. */
static int verity_of_root(struct engine *en, const char *image_id, char ret[DIGEST_TEXT], struct err *e)
{
	AUTO(image_done) struct image im = { 0 };
	autoclose int fd = -1;
	struct digest d;
	int r = image_find(en->images, image_id, &im, e);

	if (r < 0)
		return r;
	fd = image_erofs_open(en->images, &im, en->progress, en->progress_arg, e);
	r = fd < 0 ? fd : verity_of_file(fd, d.sha256);
	if (r < 0)
		return fd < 0 ? r : err_sys(e, -r, "the disk of image %.19s", image_id);
	digest_text(&d, ret);
	return 0;
}

int packed_verities(struct engine *en, const struct instance_spec *s, const char *image_id, struct strv *ret,
		    struct err *e)
{
	char verity[DIGEST_TEXT];
	int r = s->vm.layer_disks ? 0 : verity_of_root(en, image_id, verity, e);

	if (r == 0 && !s->vm.layer_disks)
		return strv_add(ret, verity) < 0 ? no_memory(e) : 0;
	for (size_t i = 0; i < s->layers.n && r == 0; i++) {
		r = image_layer_verity(en->images, s->layers.v[i], verity, e);
		if (r == 0 && strv_add(ret, verity) < 0)
			r = no_memory(e);
	}
	return r;
}

static int check_stack(const struct image *im, const struct strv *layers, struct err *e)
{
	const struct strv *ids = &im->config.rootfs.diff_ids;
	const struct image_config below = { .rootfs.diff_ids = { ids->v, ids->n ? ids->n - 1 : 0 } };
	AUTO(strv_done) struct strv stack = { 0 };
	bool same;

	if (image_config_stack(&below, &stack) < 0)
		return no_memory(e);
	same = stack.n == layers->n;
	for (size_t i = 0; i < layers->n && same; i++)
		same = !strcmp(stack.v[i], layers->v[i]);
	return same ? 0 : err_set(e, EINVAL, "its disks are not the layers of its image");
}

/* The layers below the one of its files, which become an image: each the same disk here? */
static int fit_layers(struct engine *en, const struct image *im, const struct packed *p, char **ret_below,
		      struct err *e)
{
	AUTO(strv_done) struct strv here = { 0 };
	int r = check_stack(im, &p->spec.layers, e);

	if (r == 0)
		r = image_below(en->images, im, im->config.rootfs.diff_ids.n - 1, ret_below, e);
	if (r == 0)
		r = packed_verities(en, &p->spec, *ret_below, &here, e);
	for (size_t i = 0; i < here.n && r == 0; i++)
		if (strcmp(here.v[i], p->verities.v[i]) != 0)
			r = err_set(e, EPROTO,
				    "disk %zu of its image is another there (%.19s) than here (%.19s)", i,
				    p->verities.v[i], *here.v[i] ? here.v[i] : "a directory");
	return r;
}

/* --- the configuration */

static int become(struct engine *en, const char *id, const char *name, struct instance_spec *s, struct err *e)
{
	const struct foreign_as as = { id, name, NULL };
	struct vm_spec vm = s->vm; /* which foreign_take would choose anew */
	autofree char *kernel = take_ptr(s->vm.kernel);
	int r = foreign_take(en, &as, s, e);

	free(s->vm.kernel);
	vm.kernel = take_ptr(kernel);
	s->vm = vm;
	if (r == 0)
		r = vm_saving_check(s, e);
	return r;
}

/* As a template, it neither goes with its end nor begins by itself. */
static int label(const char *image_id, const char *name, struct instance_spec *s, struct err *e)
{
	autofree char *template = str_printf(TEMPLATE_LABEL "=%s", name);
	autofree char *packed = str_printf(PACKED_LABEL "=%s", image_id);

	s->auto_remove = false;
	return !template || !packed || strv_env_set(&s->labels, template) < 0 ||
			       strv_env_set(&s->labels, packed) < 0
		       ? no_memory(e)
		       : 0;
}

int packed_fit(struct engine *en, const struct image *im, const struct packed_as *as, struct packed *p,
	       char **ret_below, struct err *e)
{
	int r = fit_host(en, im->refs.n ? im->refs.v[0] : im->id, p, e);

	if (r == 0)
		r = fit_kernel(en, p, e);
	if (r == 0)
		r = fit_layers(en, im, p, ret_below, e);
	if (r == 0)
		r = become(en, as->id, as->name, &p->spec, e);
	if (r == 0)
		r = label(im->id, as->name, &p->spec, e);
	return r == 0 ? engine_check_plan(en, &p->spec, e) : r;
}
