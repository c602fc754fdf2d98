/* request.c - what the store asks of ketch-registry and what it hears back: JSON over descriptors of fixed numbers */
#include "registry/request.h"

static const char *const verb_names[] = { "pull", "tags", "push", "login", "search", "blobs", NULL };
const char *const blob_state_names[] = { "", "exists", "waits", "moves", "retry", "done", "mounted", NULL };

static const struct jfield endpoint_fields[] = {
	J(J_STR, struct registry_endpoint, server),   J(J_STR, struct registry_endpoint, repository),
	J(J_BOOL, struct registry_endpoint, plain),   J(J_STR, struct registry_endpoint, user),
	J(J_STR, struct registry_endpoint, password), J(J_STR, struct registry_endpoint, identity_token),
	J(J_STR, struct registry_endpoint, ca),	      J(J_STR, struct registry_endpoint, cert),
	J(J_STR, struct registry_endpoint, key),      { 0 },
};
static const struct jtable endpoint_table = { sizeof(struct registry_endpoint), endpoint_fields };

static const struct jfield request_fields[] = {
	JE(struct registry_request, verb, "verb", verb_names),
	JA(struct registry_request, endpoints, n_endpoints, "endpoints", &endpoint_table),
	J(J_STR, struct registry_request, reference),
	J(J_STR, struct registry_request, platform),
	J(J_STR, struct registry_request, current),
	J(J_STRV, struct registry_request, have),
	J(J_BOOL, struct registry_request, signatures),
	J(J_STR, struct registry_request, lookaside),
	J(J_STR, struct registry_request, manifest),
	J(J_STR, struct registry_request, index),
	J(J_STR, struct registry_request, artifact),
	J(J_STRV, struct registry_request, blobs),
	J(J_STRV, struct registry_request, mount_from),
	J(J_INT, struct registry_request, limit),
	J(J_INT, struct registry_request, timeout_s),
	J(J_INT, struct registry_request, uid),
	{ 0 },
};
const struct jtable registry_request_table = { sizeof(struct registry_request), request_fields };

static const struct jfield blob_fields[] = {
	J(J_STR, struct registry_blob, digest),
	J(J_U64, struct registry_blob, size),
	{ 0 },
};
static const struct jtable blob_table = { sizeof(struct registry_blob), blob_fields };

static const struct jfield found_fields[] = {
	J(J_STR, struct registry_found, name),
	J(J_STR, struct registry_found, description),
	J(J_U64, struct registry_found, stars),
	J(J_BOOL, struct registry_found, official),
	{ 0 },
};
static const struct jtable found_table = { sizeof(struct registry_found), found_fields };

static const struct jfield message_fields[] = {
	J(J_STR, struct registry_message, note),
	JE(struct registry_message, state, "state", blob_state_names),
	JO(struct registry_message, blob, "blob", &blob_table),
	J(J_U64, struct registry_message, at),
	J(J_STR, struct registry_message, digest),
	J(J_STR, struct registry_message, manifest),
	JA(struct registry_message, blobs, n_blobs, "blobs", &blob_table),
	J(J_STR, struct registry_message, server),
	J(J_BOOL, struct registry_message, missing),
	J(J_BOOL, struct registry_message, current),
	J(J_STRV, struct registry_message, signatures),
	J(J_STRV, struct registry_message, lookaside),
	J(J_STRV, struct registry_message, tags),
	JA(struct registry_message, found, n_found, "found", &found_table),
	J(J_STR, struct registry_message, identity_token),
	J(J_BOOL, struct registry_message, done),
	J(J_INT, struct registry_message, error_no),
	J(J_STR, struct registry_message, error),
	{ 0 },
};
const struct jtable registry_message_table = { sizeof(struct registry_message), message_fields };
