/* log_spec.h - where what an instance writes is kept */
#ifndef INSTANCE_LOG_SPEC_H
#define INSTANCE_LOG_SPEC_H

#include <stdint.h>

#include "base/json.h"

/* json-file, local and k8s-file are names of the one format of files (monitor/log.h). */
enum log_driver { LOG_JSON_FILE, LOG_LOCAL, LOG_K8S_FILE, LOG_JOURNALD, LOG_NONE, LOG_DRIVER_N };
extern const char *const log_driver_names[];

#define LOG_FILES_MAX 100

struct log_spec {
	int driver; /* enum log_driver */
	uint64_t max_bytes; /* a file is begun anew behind it; 0: never */
	uint32_t max_files; /* with the one that is written; 0: 1 */
	char *tag; /* a name for the lines, with words to expand (instance/log_details.h); NULL: the driver's own */
	/* json-file, journald: what is said beside each line */
	char *labels, *env; /* keys, "a,b" */
	char *labels_regex, *env_regex; /* of keys */
};

extern const struct jtable log_spec_table;

#endif
