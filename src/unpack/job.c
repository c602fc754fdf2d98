/* job.c - what import and load share: the answer as it grows */
#include "unpack/job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/io.h"
#include "unpack/hash.h"

int job_send(int answer_fd, const struct job_message *m)
{
	AUTO(buf_done) struct buf line = { 0 };

	json_print(&job_message_table, m, 0, &line);
	buf_addc(&line, '\n');
	return buf_ok(&line) ? write_full(answer_fd, line.data, line.len) : -ENOMEM;
}

void job_progress(const struct job *job, const char *fmt, ...)
{
	char line[256];
	struct job_message m = { .progress = line };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* nobody listens any more: the answer will tell */
	job_send(job->answer_fd, &m);
}

/* Room for one more element of `size` bytes behind n; zeroed. */
static void *grow(void *list, size_t n, size_t size)
{
	char *p = reallocarray(list, n + 1, size);

	if (p)
		memset(p + n * size, 0, size);
	return p;
}

int job_add_image(struct job *job, const struct job_image *im, struct err *e)
{
	struct job_message *m = job->answer;
	struct job_image *list = grow(m->images, m->n_images, sizeof(*list)), *to;

	if (!list)
		return err_set(e, ENOMEM, "out of memory");
	m->images = list;
	to = &list[m->n_images++];
	to->id = strdup(im->id);
	to->manifest = im->manifest ? strdup(im->manifest) : NULL;
	to->created = im->created ? strdup(im->created) : NULL;
	if (!to->id || (im->manifest && !to->manifest) || (im->created && !to->created) ||
	    strv_copy(&to->refs, &im->refs) < 0 || strv_copy(&to->diff_ids, &im->diff_ids) < 0 ||
	    strv_copy(&to->blobs, &im->blobs) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

int job_add_layer(struct job *job, const struct layer_facts *layer, struct err *e)
{
	struct job_message *m = job->answer;
	struct job_layer *list = grow(m->layers, m->n_layers, sizeof(*list)), *to;
	char text[DIGEST_TEXT];

	if (!list)
		return err_set(e, ENOMEM, "out of memory");
	m->layers = list;
	to = &list[m->n_layers++];
	digest_text(&layer->diff_id, text);
	to->diff_id = strdup(text);
	to->size_bytes = layer->bytes;
	to->tar_bytes = layer->tar_bytes;
	digest_text(&layer->verity, text);
	to->verity = layer->has_verity ? strdup(text) : NULL;
	return to->diff_id && (to->verity || !layer->has_verity) ? 0 : err_set(e, ENOMEM, "out of memory");
}

int job_write_config(struct job *job, const char *text, size_t n, struct digest *ret, struct err *e)
{
	char name[sizeof("configs/") + DIGEST_HEX] = "configs/";
	int r;

	if (mkdirat(job->stage_fd, "configs", 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make a directory");
	hash_bytes(text, n, ret);
	digest_hex(ret, name + sizeof("configs/") - 1);
	r = write_file_atomic(job->stage_fd, name, 0600, text, n);
	return r < 0 ? err_sys(e, -r, "write the config") : 0;
}
