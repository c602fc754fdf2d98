/* request.h - what the store asks of ketch-image and what it hears back: JSON over descriptors of fixed numbers
 *
 * The answer is lines of JSON, each a job_message: any number that say how far it is, then one with `done`.  It
 * comes from a process that has read foreign bytes: whoever reads it checks it as such.
 */
#ifndef UNPACK_REQUEST_H
#define UNPACK_REQUEST_H

#include "oci/chunk.h"
#include "oci/image.h"

enum {
	JOB_FD_REQUEST = 3, /* read to its end */
	JOB_FD_ANSWER = 4,
	JOB_FD_STAGE = 5, /* a detached mount of an empty directory: it becomes the whole world of the job */
	JOB_FD_INPUT = 6, /* a file or a pipe to read, or a detached read-only mount of a directory */
	JOB_FD_OUTPUT, /* JOB_ARCHIVE, JOB_EXPAND: a pipe for what it makes */
	JOB_FD_END,
};
#define JOB_REQUEST_MAX (16 << 20)
#define JOB_ANSWER_MAX	(16 << 20) /* of one line */

enum job_verb { JOB_IMPORT, JOB_LOAD, JOB_MERGE, JOB_ARCHIVE, JOB_EXPAND, JOB_CUT, JOB_JOIN };
extern const char *const job_verb_names[];

/* Who must have signed what is loaded. */
struct job_signer {
	struct strv keys; /* PEM; one of them */
	bool gpg; /* instead of keys: `payloads` were signed by one that counts; one of them must be for this image */
	struct strv payloads;
	char *reference; /* as what: "docker.io/library/x:1", or */
	bool repository; /* its name alone */
};

struct job_request {
	int verb; /* enum job_verb */
	bool erofs; /* layers are made as EROFS files, else as directories */
	struct image_run_config config; /* import */
	struct strv base; /* import: diff ids of the layers below the new one */
	char *author, *comment, *created_by; /* import: NULL: not said */
	char *history; /* import: JSON, of the layers below; NULL: none */
	char *memory; /* import: JSON: what the config says under IMAGE_MEMORY_KEY; NULL: nothing */
	struct strv known; /* load: diff ids that need not be unpacked */
	struct strv
		have; /* load: "BLOB DIFF_ID": this blob was that layer, which is known; it need not be there */
	bool arrives; /* load: blobs of the layout may be on the way yet (unpack/arrive.h) */
	struct job_signer *signers; /* load: all of them must have signed */
	size_t n_signers;
	struct strv signatures; /* load: "DIGEST SIGNATURE": a payload, which is a blob, and its signature */
	char *name_hint; /* load: names the images of a layout that has only tags; NULL: none */
	char *diff_id; /* archive: what it must be; the input is the layer, JOB_SKELETON is in the stage */
	bool gzip; /* archive: compressed */
	struct chunked
		chunked; /* join: what the files are to be; chunks that are in them already are not named */
};
extern const struct jtable job_request_table;

#define JOB_SKELETON "skeleton"

/* In the stage afterwards: layers/HEX or layers/HEX.erofs for each layer, configs/HEX for each image; skeletons/HEX (unpack/skeleton.h)
 * for each layer that has tar_bytes. */
struct job_layer {
	char *diff_id;
	uint64_t size_bytes;
	char *verity; /* the fs-verity digest of the file; NULL: it is a directory */
	uint64_t tar_bytes; /* of its archive, if that can be made again, else 0 */
	char *blob; /* archive: the digest of what was made, the size of which is size_bytes */
};

struct job_image {
	char *id;
	char *manifest; /* its digest; NULL: none */
	char *created; /* of the config; NULL: not said */
	struct strv refs; /* reference_text of each */
	struct strv diff_ids;
	struct strv blobs; /* of an OCI layout: the digests of their blobs, which were checked */
};

struct job_message {
	char *progress; /* a line for the user */
	bool done;
	int error_no; /* of the errors of done: positive errno */
	char *error;
	struct job_image *images;
	size_t n_images;
	struct job_layer *layers; /* the newly unpacked ones */
	size_t n_layers;
	struct chunked chunked; /* cut: the blobs are in the stage, named by their hex digits */
};
extern const struct jtable job_message_table;

#endif
