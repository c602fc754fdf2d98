/* request.h - what the store asks of ketch-registry and what it hears back: JSON over descriptors of fixed numbers
 *
 * The answer is lines of JSON, each a registry_message: any number of them, then one with `done`.  They come from a
 * process that speaks with the network: whoever reads them checks them as such.
 */
#ifndef REGISTRY_REQUEST_H
#define REGISTRY_REQUEST_H

#include "base/json.h"
#include "base/strv.h"

enum {
	REGISTRY_FD_REQUEST = 3, /* read to its end */
	REGISTRY_FD_ANSWER = 4,
	REGISTRY_FD_BLOBS =
		5, /* the directory in which blobs are, named by the hex digits of their digests */
	REGISTRY_FD_END,
};
#define REGISTRY_REQUEST_MAX (16 << 20)
#define REGISTRY_LINE_MAX    (16 << 20) /* of the answer */

enum registry_verb {
	REGISTRY_PULL,
	REGISTRY_TAGS,
	REGISTRY_PUSH,
	REGISTRY_LOGIN,
	REGISTRY_SEARCH,
	REGISTRY_BLOBS
};

/* One server that may have what is wanted, and all that it may be told. */
struct registry_endpoint {
	char *server; /* "host" or "host:port" */
	char *repository; /* "library/alpine" */
	bool plain; /* HTTP is allowed where it does not speak TLS */
	char *user, *password; /* NULL: none */
	char *identity_token; /* instead of a password: what a token server exchanges; NULL: none */
	char *ca, *cert, *key; /* PEM, of certs.d; NULL: the machine's authorities, no certificate of ours */
};

struct registry_request {
	int verb; /* enum registry_verb */
	struct registry_endpoint *endpoints; /* tried in this order */
	size_t n_endpoints;
	char *reference; /* a tag or "sha256:HEX"; search: the words */
	char *platform; /* "linux/amd64" */
	char *current; /* pull: digest of what has this name here; NULL: nothing */
	struct strv have; /* pull: digests of blobs that are not wanted */
	bool signatures; /* pull: fetch those that cosign has put beside the image */
	char *lookaside; /* pull: fetch those of GPG that are there (registry/lookaside.h); NULL: none */
	char *manifest; /* push: digest of a blob */
	/* push: an index of `manifest` and of an artifact gets the reference, and both get their digests as names; NULL: none */
	char *index, *artifact;
	struct strv blobs; /* push: "DIGEST SIZE", of the artifact; blobs: which are wanted */
	struct strv mount_from; /* push: repositories of the same server that may have the blobs */
	int limit; /* search */
	int timeout_s; /* how long a server may be silent */
	int uid; /* of the process, 0: that of the caller */
};
extern const struct jtable registry_request_table;

/* A layer of the image, or a blob that goes up. */
struct registry_blob {
	char *digest;
	uint64_t size;
};

struct registry_found {
	char *name, *description;
	uint64_t stars;
	bool official;
};

/* How far a blob is. */
#define SIGNATURES_MAX 64 /* of each kind, that an image may have */

enum blob_state { BLOB_NONE, BLOB_EXISTS, BLOB_WAITS, BLOB_MOVES, BLOB_RETRY, BLOB_DONE, BLOB_MOUNTED };
extern const char *const blob_state_names[];

struct registry_message {
	char *note; /* a sentence about what goes wrong without ending it */
	int state; /* of `blob`, enum blob_state */
	struct registry_blob blob;
	uint64_t at; /* bytes of it that are there */
	char *digest; /* what the reference stands for: of an index or a manifest */
	char *manifest; /* digest of the manifest that was chosen; it is a blob now */
	struct registry_blob *blobs; /* of the manifest: config, then layers, lowest first */
	size_t n_blobs;
	char *server; /* which endpoint it was */
	bool missing; /* push: the server has not got a blob, and neither is it in the directory */
	bool current; /* nothing new: `digest` is what the request calls `current` */
	struct strv
		signatures; /* "DIGEST SIGNATURE": a payload, which is a blob, and what cosign says of it */
	struct strv lookaside; /* signatures of GPG, base64 */
	struct strv tags;
	struct registry_found *found;
	size_t n_found;
	char *identity_token; /* login */
	bool done;
	int error_no; /* of the errors of done: positive errno */
	char *error;
};
extern const struct jtable registry_message_table;

#endif
