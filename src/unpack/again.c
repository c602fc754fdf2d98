/* again.c - the archive of a layer is made again, the same bytes as it came, from the layer and its skeleton */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "unpack/job.h"
#include "unpack/skeleton.h"

/* The chain, and the hashes in it. */
struct again {
	struct hash *tar, *blob;
	struct source *top;
};

static void again_done(struct again *a)
{
	source_free(a->top); /* ends the thread that uses the hash */
	hash_free(a->tar);
	hash_free(a->blob);
}

static int build_chain(struct again *a, const struct job *job, int skeleton_fd, struct err *e)
{
	struct source *s = source_decode(source_file(skeleton_fd, 0, -1));

	a->tar = hash_new();
	a->blob = hash_new();
	s = source_thread(source_hash(source_skeleton(s, job->input_fd), a->tar));
	if (job->request->gzip)
		s = source_hash(source_gzip(s), a->blob);
	a->top = s;
	return s ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int send(struct again *a, uint64_t *ret_bytes, struct err *e)
{
	const void *data;
	ssize_t n;

	*ret_bytes = 0;
	while ((n = source_read(a->top, &data, e)) > 0) {
		int r = write_full(JOB_FD_OUTPUT, data, (size_t)n);

		if (r < 0)
			return err_sys(e, -r, "hand the archive of the layer over");
		*ret_bytes += (uint64_t)n;
	}
	return (int)n;
}

static int check(struct again *a, const struct digest *want, bool gzip, struct digest *ret_blob,
		 struct err *e)
{
	struct digest is;

	hash_end(a->tar, &is);
	if (!digest_equal(&is, want))
		return err_set(e, EBADMSG,
			       "its archive cannot be made again: the layer has changed in the store");
	*ret_blob = is;
	if (gzip)
		hash_end(a->blob, ret_blob);
	return 0;
}

int job_archive(struct job *job, struct err *e)
{
	AUTO(again_done) struct again a = { 0 };
	autoclose int fd = openat(job->stage_fd, JOB_SKELETON, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct layer_facts facts = { 0 };
	struct digest blob;
	char text[DIGEST_TEXT];
	int r;

	if (!job->request->diff_id || digest_parse(job->request->diff_id, &facts.diff_id) < 0)
		return err_set(e, EINVAL, "no layer is named");
	if (fd < 0)
		return err_sys(e, errno, "open what is kept of the archive");
	r = build_chain(&a, job, fd, e);
	if (r == 0)
		r = send(&a, &facts.bytes, e);
	if (r == 0)
		r = check(&a, &facts.diff_id, job->request->gzip, &blob, e);
	if (r == 0)
		r = job_add_layer(job, &facts, e);
	if (r < 0)
		return r;
	digest_text(&blob, text);
	job->answer->layers[0].blob = strdup(text);
	return job->answer->layers[0].blob ? 0 : err_set(e, ENOMEM, "out of memory");
}
