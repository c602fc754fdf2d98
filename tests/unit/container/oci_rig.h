/* oci_rig.h - OCI containers of a tiny root made of busybox, for tests as root, in a mount namespace of their own */
#ifndef TESTS_OCI_RIG_H
#define TESTS_OCI_RIG_H

#include "../cm.h"

#include <limits.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "container/oci.h"

/* The current directory of a test: on a tmpfs, with rootfs/ and whatever the test puts beside it; "": not root, or no
 * busybox. */
extern char oci_bundle[PATH_MAX];

/* What a container said, or why there was none. */
struct outcome {
	struct buf out;
	struct err e;
};
void outcome_done(struct outcome *o);

/* Every test begins with it, here or in what it calls: prints why and skips. */
void oci_need_root(void);
void oci_put(const char *path, const char *text);
void oci_make_dir(const char *path);

#define BASICS                                                                                               \
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"                                 \
	"{\"destination\":\"/"                                                                               \
	"dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}"

/* A config.  `more`, `lnx`: further members, each with a comma behind it; uidMappings or cgroupsPath among the second
 * bring the namespace they need. */
char *oci_config(const char *more, const char *lnx, const char *mounts);
/* Runs a shell script in a container; `meanwhile` runs beside it.  like: facts and flags. */
void oci_run(const char *config, const char *script, const struct oci_request *like, void (*meanwhile)(void),
	     struct outcome *o);
extern const struct oci_request oci_plain;
/* The output must be exactly `out`; the message must begin with `text`. */
void oci_expect(const char *more, const char *lnx, const char *mounts, const char *script, const char *out);
void oci_expect_refusal(const char *lnx, const char *mounts, const char *text);

#define MOUNT(dest, type, source, options)                                                                   \
	"{\"destination\":\"" dest "\",\"type\":\"" type "\",\"source\":\"" source                           \
	"\",\"options\":[" options "]}"
/* "destination type options" of the mounts at or below a path */
#define SHOW(path) "grep -E ' " path "( |/)' /proc/self/mountinfo | sed 's/ - / /' | cut -d ' ' -f 5,6"

/* Setup and teardown of each test; all of the program's mounts are its own after oci_unshare (0 or -1). */
int oci_setup(void **state);
int oci_teardown(void **state);
int oci_unshare(void);
#define OCI_ROW(name) cmocka_unit_test_setup_teardown(name, oci_setup, oci_teardown)

#endif
