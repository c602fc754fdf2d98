/* request.c - what the store asks of ketch-image and what it hears back: JSON over descriptors of fixed numbers */
#include "unpack/request.h"

const char *const job_verb_names[] = { "import", "load", "merge", "archive", "expand", "cut", "join", NULL };

static const struct jfield signer_fields[] = {
	J(J_STRV, struct job_signer, keys),	  J(J_BOOL, struct job_signer, gpg),
	J(J_STRV, struct job_signer, payloads),	  J(J_STR, struct job_signer, reference),
	J(J_BOOL, struct job_signer, repository), { 0 },
};
static const struct jtable signer_table = { sizeof(struct job_signer), signer_fields };

static const struct jfield request_fields[] = {
	JE(struct job_request, verb, "verb", job_verb_names),
	J(J_BOOL, struct job_request, erofs),
	JO(struct job_request, config, "config", &image_run_config_table),
	J(J_STRV, struct job_request, base),
	J(J_STR, struct job_request, author),
	J(J_STR, struct job_request, comment),
	J(J_STR, struct job_request, created_by),
	J(J_RAW, struct job_request, history),
	J(J_RAW, struct job_request, memory),
	J(J_STRV, struct job_request, known),
	J(J_STRV, struct job_request, have),
	J(J_BOOL, struct job_request, arrives),
	JA(struct job_request, signers, n_signers, "signers", &signer_table),
	J(J_STRV, struct job_request, signatures),
	J(J_STR, struct job_request, name_hint),
	J(J_STR, struct job_request, diff_id),
	J(J_BOOL, struct job_request, gzip),
	JO(struct job_request, chunked, "chunked", &chunked_table),
	{ 0 },
};
const struct jtable job_request_table = { sizeof(struct job_request), request_fields };

static const struct jfield layer_fields[] = {
	J(J_STR, struct job_layer, diff_id), J(J_U64, struct job_layer, size_bytes),
	J(J_STR, struct job_layer, verity),  J(J_U64, struct job_layer, tar_bytes),
	J(J_STR, struct job_layer, blob),    { 0 },
};
static const struct jtable layer_table = { sizeof(struct job_layer), layer_fields };

static const struct jfield image_fields[] = {
	J(J_STR, struct job_image, id),
	J(J_STR, struct job_image, manifest),
	J(J_STR, struct job_image, created),
	J(J_STRV, struct job_image, refs),
	J(J_STRV, struct job_image, diff_ids),
	J(J_STRV, struct job_image, blobs),
	{ 0 },
};
static const struct jtable image_table = { sizeof(struct job_image), image_fields };

static const struct jfield message_fields[] = {
	J(J_STR, struct job_message, progress),
	J(J_BOOL, struct job_message, done),
	J(J_INT, struct job_message, error_no),
	J(J_STR, struct job_message, error),
	JA(struct job_message, images, n_images, "images", &image_table),
	JA(struct job_message, layers, n_layers, "layers", &layer_table),
	JO(struct job_message, chunked, "chunked", &chunked_table),
	{ 0 },
};
const struct jtable job_message_table = { sizeof(struct job_message), message_fields };
