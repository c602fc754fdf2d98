/* import.c - a directory or a tar file becomes an image of one layer, or the upper layer of one */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/clock.h"
#include "oci/manifest.h"
#include "unpack/copy.h"
#include "unpack/job.h"
#include "unpack/layer.h"

static int import_directory(struct job *job, struct layer_facts *ret, struct err *e)
{
	AUTO(layer_done)
	struct layer_making m = { .stage_fd = job->stage_fd, .erofs = job->request->erofs, .fd = -1 };
	struct digest diff_id;
	int r = layer_begin(&m, e);

	if (r == 0)
		r = copy_directory(job->input_fd, m.tree, &diff_id, e);
	return r < 0 ? r : layer_keep(&m, &diff_id, ret, e);
}

static int import_tar(struct job *job, struct layer_facts *ret, struct err *e)
{
	const struct layer_job lj = { .blob = source_file(job->input_fd, 0, -1),
				      .stage_fd = job->stage_fd,
				      .unpack = true,
				      .erofs = job->request->erofs };

	return layer_run(&lj, ret, e);
}

/* A step of the history (OCI image-spec, config.md). */
struct step {
	char *created, *created_by, *author, *comment;
};

static const struct jfield step_fields[] = {
	J(J_STR, struct step, created),
	JK(J_STR, struct step, created_by, "created_by"),
	J(J_STR, struct step, author),
	J(J_STR, struct step, comment),
	{ 0 },
};
static const struct jtable step_table = { sizeof(struct step), step_fields };

/* That of the layers below and the step of the new one; a layer of which nothing is known has a step that says nothing. */
static char *make_history(const struct job_request *rq, char *created)
{
	/* borrowed: only printed */
	const struct step step = { created, rq->created_by, rq->author, rq->comment };
	size_t n = rq->history ? strlen(rq->history) : 0;
	struct buf b = { 0 };

	if (n > 2 && rq->history[0] == '[') {
		buf_add(&b, rq->history, n - 1);
		buf_addc(&b, ',');
	} else {
		buf_addc(&b, '[');
		for (size_t i = 0; i < rq->base.n; i++)
			buf_adds(&b, "{},");
	}
	if (json_print(&step_table, &step, 0, &b) < 0)
		b.failed = true;
	buf_addc(&b, ']');
	return buf_take(&b);
}

/* The member that other programs do not know comes last. */
static void add_memory(const struct job_request *rq, struct buf *config)
{
	if (!rq->memory || !buf_ok(config) || !config->len)
		return;
	config->len--; /* the closing brace */
	buf_addf(config, ",\"%s\":%s}", IMAGE_MEMORY_KEY, rq->memory);
}

static int write_image(struct job *job, const struct strv *diffs, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	autofree char *history = NULL;
	char created[RFC3339_LEN], id[DIGEST_TEXT];
	/* borrowed: only printed, never freed */
	struct image_config config = { .created = created,
				       .author = job->request->author,
				       .architecture = (char *)(uintptr_t)platform_host(),
				       .os = (char[]){ "linux" },
				       .config = job->request->config,
				       .rootfs = { (char[]){ "layers" }, *diffs } };
	struct job_image im = { .id = id, .created = created, .diff_ids = *diffs };
	struct digest d;
	int r;

	rfc3339_format(clock_real_ns(), created);
	config.history = history = make_history(job->request, created);
	if (!history || json_print(&image_config_table, &config, 0, &text) < 0)
		return err_set(e, ENOMEM, "out of memory");
	add_memory(job->request, &text);
	if (!buf_ok(&text))
		return err_set(e, ENOMEM, "out of memory");
	if (text.len > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "the configuration of the image is larger than %d MiB",
			       IMAGE_DOCUMENT_MAX >> 20);
	r = job_write_config(job, text.data, text.len, &d, e);
	if (r < 0)
		return r;
	digest_text(&d, id);
	return job_add_image(job, &im, e);
}

static int make_image(struct job *job, const struct digest *diff_id, struct err *e)
{
	AUTO(strv_done) struct strv diffs = { 0 };
	char diff[DIGEST_TEXT];

	digest_text(diff_id, diff);
	if (strv_copy(&diffs, &job->request->base) < 0 || strv_add(&diffs, diff) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (diffs.n > IMAGE_LAYERS_MAX)
		return err_set(e, E2BIG, "the image would have more than %d layers", IMAGE_LAYERS_MAX);
	return write_image(job, &diffs, e);
}

int job_import(struct job *job, struct err *e)
{
	struct layer_facts layer;
	struct stat st;
	int r;

	if (fstat(job->input_fd, &st) < 0)
		return err_sys(e, errno, "look at the input");
	r = S_ISDIR(st.st_mode) ? import_directory(job, &layer, e) : import_tar(job, &layer, e);
	if (r == 0)
		r = job_add_layer(job, &layer, e);
	return r < 0 ? r : make_image(job, &layer.diff_id, e);
}

int job_merge(struct job *job, struct err *e)
{
	struct layer_facts layer;
	int r = import_directory(job, &layer, e);

	return r < 0 ? r : job_add_layer(job, &layer, e);
}
