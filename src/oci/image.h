/* image.h - OCI image-spec 1.1 documents: image config (also Docker's), as far as Ketch acts on them; pure */
#ifndef OCI_IMAGE_H
#define OCI_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"

#define IMAGE_DOCUMENT_MAX (4 << 20) /* bytes of any JSON document of an image */
/* A member of configs, of which other programs know nothing: the memory of a machine (instance/packed.h). */
#define IMAGE_MEMORY_KEY "io.ketch.memory"
#define IMAGE_LAYERS_MAX 128 /* more than overlay and Docker take */

/* How one sees whether it is well; Docker's extension of the config. */
struct image_healthcheck {
	struct strv test; /* "CMD", words; "CMD-SHELL", a line; "NONE"; empty: not said */
	int64_t interval_ns, timeout_ns, start_period_ns; /* 0: not said */
	int64_t start_interval_ns; /* between checks of one that is starting; 0: interval_ns */
	int retries;
};

/* `config` of an image config: what a container made from it runs. */
struct image_run_config {
	char *user;
	struct strv exposed_ports; /* "80/tcp" */
	struct strv env;
	struct strv entrypoint, cmd;
	struct strv volumes; /* absolute paths */
	char *working_dir;
	struct strv labels; /* "key=value" */
	char *stop_signal;
	struct image_healthcheck healthcheck;
	bool has_healthcheck;
};

struct image_rootfs {
	char *type; /* "layers" */
	struct strv diff_ids;
};

struct image_config {
	char *created; /* RFC 3339 */
	char *author;
	char *architecture, *os;
	struct image_run_config config;
	struct image_rootfs rootfs;
	char *history; /* JSON, as it came; NULL: none */
};

extern const struct jtable image_config_table, image_run_config_table, image_healthcheck_table;

/* Parses and checks a config: at most 4 MiB, at most 128 layers, every diff id a sha256 digest,
 * no key twice. */
int image_config_parse(const char *text, size_t n, struct image_config *ret, struct err *e);

/* The layers to stack, lowest first: of a layer that is there twice only the upper one counts (what the lower one
 * shows or hides, the upper one does too), and overlay refuses equal directories.  *ret: diff ids. */
int image_config_stack(const struct image_config *c, struct strv *ret);

#endif
