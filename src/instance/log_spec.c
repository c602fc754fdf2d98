/* log_spec.c - where what an instance writes is kept: JSON <-> struct */
#include "instance/log_spec.h"

#include <assert.h>

#include "base/auto.h"

const char *const log_driver_names[] = { "json-file", "local", "k8s-file", "journald", "none", NULL };
static_assert(ARRAY_LEN(log_driver_names) == LOG_DRIVER_N + 1, "name every log driver");

static const struct jfield fields[] = {
	JE(struct log_spec, driver, "driver", log_driver_names),
	JK(J_U64, struct log_spec, max_bytes, "maxBytes"),
	JK(J_U32, struct log_spec, max_files, "maxFiles"),
	J(J_STR, struct log_spec, tag),
	J(J_STR, struct log_spec, labels),
	J(J_STR, struct log_spec, env),
	JK(J_STR, struct log_spec, labels_regex, "labelsRegex"),
	JK(J_STR, struct log_spec, env_regex, "envRegex"),
	{ 0 },
};
const struct jtable log_spec_table = { sizeof(struct log_spec), fields };
