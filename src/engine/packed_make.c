/* packed_make.c - what of a snapshot with memory goes with an image: its chunks, and the document about them */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "engine/machine_memory.h"
#include "engine/memory_fit.h"
#include "engine/packed_int.h"
#include "storage/merge.h"
#include "sys/cpu_id.h"

void packing_done(struct packing *p)
{
	image_chunks_free(p->chunks);
	free(p->document);
	*p = (struct packing){ 0 };
}

/* --- the files, in one directory */

static int link_file(int from_dir, const char *from, int to_dir, enum chunked_file file, struct err *e)
{
	const char *name = chunked_file_names[file];

	return linkat(from_dir, from, to_dir, name, 0) < 0 ? err_sys(e, errno, "the %s of the snapshot", name)
							   : 0;
}

/* A raw copy of the lowest image, into which those above it go, the lower ones first. */
static int flatten(struct engine *en, const struct instance_spec *spec, const struct strv *chain, int to_dir,
		   struct err *e)
{
	autoclose int lowest = layer_open(en, spec, chain->v[0], true, e);
	autoclose int to = lowest < 0 ? -1
				      : openat(to_dir, chunked_file_names[CHUNKED_DISK],
					       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = lowest < 0 ? lowest : to < 0 ? err_sys(e, errno, "copy the disk") : 0;

	if (r == 0) {
		r = snapshot_copy_sparse(lowest, to);
		if (r < 0)
			err_sys(e, -r, "copy the disk");
	}
	for (size_t i = 1; i < chain->n && r == 0; i++) {
		autoclose int fd = layer_open(en, spec, chain->v[i], false, e);

		r = fd < 0 ? fd : merge_disks(to, true, fd);
		if (fd >= 0 && r < 0)
			err_sys(e, -r, "writable layer %.12s", chain->v[i]);
	}
	return r;
}

static int put_disk(struct engine *en, const struct instance_spec *spec, const struct snapshot *s, int to_dir,
		    struct err *e)
{
	AUTO(strv_done) struct strv chain = { 0 };
	autoclose int dir = -1;
	int r = layer_chain(en->db, s->layer, &chain, e);

	if (r < 0)
		return r;
	if (!chain.n)
		return err_set(e, ENOTSUP, "snapshot %s: it has no disk", s->name);
	if (chain.n > 1)
		return flatten(en, spec, &chain, to_dir, e);
	dir = layer_dir_open(en, chain.v[0]);
	return dir < 0 ? err_sys(e, -dir, "writable layer %.12s", chain.v[0])
		       : link_file(dir, "disk.ext4", to_dir, CHUNKED_DISK, e);
}

/* Only what this store has written, whole, goes anywhere. */
static int put_memory(struct engine *en, const struct snapshot *s, int to_dir, struct err *e)
{
	autoclose int state = -1, ram = -1, dir = -1;
	int r = memory_open(en, s, &state, &ram, e);

	if (r < 0)
		return r;
	dir = snapshot_dir_open(en, s, e);
	r = dir < 0 ? dir : link_file(dir, "state", to_dir, CHUNKED_STATE, e);
	return r == 0 && ram >= 0 ? link_file(dir, "ram", to_dir, CHUNKED_RAM, e) : r;
}

static int cut(struct engine *en, const struct instance_spec *spec, const struct snapshot *s,
	       struct packing *ret, struct err *e)
{
	AUTO(layer_stage_done) struct layer_stage st = { .dir = -1 };
	int r = layer_stage_open(en, &st, e);

	if (r == 0)
		r = put_memory(en, s, st.dir, e);
	if (r == 0)
		r = put_disk(en, spec, s, st.dir, e);
	if (r == 0)
		r = image_chunks_cut(en->images, st.dir, en->progress, &ret->chunks, e);
	layer_stage_done(&st);
	st = (struct layer_stage){ .dir = -1 };
	layers_sweep(en, NULL, NULL); /* with the stage */
	return r;
}

/* --- the document */

static int describe(struct engine *en, const struct instance_spec *spec, const struct snapshot *s,
		    struct packing *ret, struct err *e)
{
	AUTO(strv_done) struct strv verities = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	char cpu[CPU_ID_MAX], kernel[DIGEST_TEXT];
	int r = packed_verities(en, spec, spec->image_id, &verities, e);

	cpu_id(cpu);
	if (r == 0)
		r = packed_kernel_digest(en, spec->vm.kernel, kernel, e);
	if (r < 0)
		return r;
	if (json_print(&packed_table,
		       &(const struct packed){ .version = PACKED_VERSION, /* borrows */
					       .format = s->memory.format,
					       .program = s->memory.program,
					       .host = s->memory.host,
					       .tsc_khz = s->memory.tsc_khz,
					       .processor = cpu,
					       .kernel = kernel,
					       .verities = verities,
					       .spec = *spec,
					       .chunked = *image_chunks_list(ret->chunks) },
		       0, &text) < 0)
		return err_set(e, ENOMEM, "out of memory");
	ret->document = buf_take(&text);
	return ret->document ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int check(const struct instance_spec *spec, const struct snapshot *s, struct err *e)
{
	if (!s->memory.format)
		return err_set(e, ENOENT, "snapshot %s holds no memory (snapshot create --memory)", s->name);
	if (!strcmp(s->memory.format, MEMORY_FORMAT_CRIU))
		return err_set(e, ENOTSUP,
			       "snapshot %s: the processes of a container cannot go to a registry, only the "
			       "memory of a virtual machine",
			       s->name);
	if (s->memory.based_on)
		return err_set(e, ENOTSUP, "snapshot %s: its memory is the difference of another's", s->name);
	return 0;
}

int packed_make(struct engine *en, const struct instance *in, const char *name, struct packing *ret,
		struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	struct instance_spec spec = { 0 };
	struct packing p = { 0 };
	autoclose int all = -1;
	int r = snapshots_lock(en, &in->spec, &all, e);

	if (r == 0)
		r = snapshot_find(en, in, name, &s, e);
	if (r == 0)
		r = snapshot_spec(&s, &spec, e);
	if (r == 0)
		r = check(&spec, &s, e);
	if (r == 0)
		r = cut(en, &spec, &s, &p, e);
	if (r == 0)
		r = describe(en, &spec, &s, &p, e);
	json_done(&instance_spec_table, &spec);
	if (r < 0)
		packing_done(&p);
	else
		*ret = p;
	return r;
}
