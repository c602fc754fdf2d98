/* rig.h - drives container_backend through a loop, on a tiny root made of busybox; for tests as root */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "../cm.h"

#include "base/buf.h"
#include "base/loop.h"
#include "container/container.h"

#define RIG_STREAMS 4

/* What came back on one stream. */
struct rig_stream {
	struct buf out, err;
	struct buf text; /* of FAILED, ERROR, STATS_REPLY */
	uint64_t credit; /* bytes of stdin that were taken */
	bool hold_credit; /* output is not paid back */
	bool started, failed, exited;
	int errors; /* ERROR messages */
	uint32_t pid, status, flags;
};

struct rig {
	char dir[64];
	struct boot boot;
	struct plan plan;
	struct loop *loop;
	struct running *running;
	struct instance_state state;
	struct rig_stream s[RIG_STREAMS];
	struct backend_events events;
	struct err err; /* of plan or start */
	bool ready, ended;
};

/* Not root, no busybox, no cgroups ...: prints why and skips. */
void rig_need_root(void);
/* Makes a root and parses `spec` (JSON) over defaults: /bin/true as root with Docker's capabilities. */
struct rig *rig_new(const char *spec);
/* plan and start; 0 or -errno with r->err. */
int rig_start(struct rig *r);
/* START of the spec's process, or of a JSON process for other streams. */
void rig_main(struct rig *r);
void rig_exec(struct rig *r, unsigned stream, const char *process);
void rig_send(struct rig *r, enum msg_type t, unsigned stream, const void *data, size_t n);
void rig_send2(struct rig *r, enum msg_type t, unsigned stream, uint32_t v, uint32_t w);
/* Runs the loop until *flag; fails the test after 20 seconds. */
void rig_until(struct rig *r, const bool *flag);
/* Until the output of the stream holds the text. */
void rig_until_output(struct rig *r, unsigned stream, const char *text);
/* new + start + main + until ended: the status of stream 0. */
struct rig *rig_run(const char *spec);
const char *rig_out(struct rig *r, unsigned stream);
const char *rig_err(struct rig *r, unsigned stream);
const char *rig_text(struct rig *r, unsigned stream);
/* Writes a file into the lowest layer, before start. */
void rig_file(struct rig *r, const char *path, unsigned mode, const char *content);
/* A further layer, above those there are, with the file /l/INDEX. */
void rig_layer(struct rig *r, size_t index);
/* A directory or file beside the layers; the path inside r->dir is kept as fd:mount/INDEX. */
void rig_mount_fd(struct rig *r, size_t index, const char *name);
void rig_add_file(struct rig *r, const char *name, const void *data, size_t n);
/* Teardown of a test: takes away what it left when it failed. */
int rig_teardown(void **state);
/* Releases, and fails the test when a cgroup, a child or a mount is left. */
void rig_done(struct rig *r);

#endif
