/* box.h - a virtual machine under test: a real one, from a root of busybox, driven as ketch-monitor would */
#ifndef TESTS_VM_BOX_H
#define TESTS_VM_BOX_H

#include "instance/backend.h"

#define BOX_STREAMS 4

struct box_stream {
	struct buf out, err; /* what it said, credited as it came */
	int pid; /* 0: not started */
	bool over;
	int status;
	unsigned flags; /* of EXIT */
	char *failed; /* text of FAILED */
};

struct box {
	char *dir; /* in $TMPDIR: the store and the run directory */
	char *shared; /* a name in it for a directory to share */
	struct boot boot;
	struct plan plan;
	struct instance_state state;
	struct loop *loop;
	struct backend_events events;
	struct running *running;
	bool ready, ended;
	struct err why;
	struct box_stream streams[BOX_STREAMS];
	struct buf stats; /* of the last STATS_REPLY */
	int network_errno; /* of the last NETWORK_REPLY */
	char *network_reply;
};

/* NULL: why VMs cannot be tested here; else a sentence. */
const char *box_missing(void);
/* A box with a spec that can be changed before box_start. */
struct box *box_new(void);
/* Adds a bind mount of a directory or file of the host. */
void box_mount(struct box *b, const char *source, const char *target, bool read_only);
/* Starts it and waits for READY. */
void box_start(struct box *b);
/* Starts argv as stream `id`; opt may change the process; waits for STARTED or FAILED. */
void box_run(struct box *b, uint32_t id, const char *const argv[], void (*opt)(struct process *p));
/* Sends one message of type t. */
void box_send(struct box *b, enum msg_type t, uint32_t id, const void *data, size_t n);
/* Turns the loop until *flag; fails the test after 100 seconds. */
void box_wait(struct box *b, const bool *flag);
/* Waits for the end of the stream; returns its exit status. */
int box_wait_exit(struct box *b, uint32_t id);
/* Runs argv as stream 0 (with `opt`) to its end in a machine of its own, then shuts it down in order. */
int box_once(struct box *b, const char *const argv[], void (*opt)(struct process *p));
/* Waits for an answer to STATS. */
void box_wait_stats(struct box *b);
void box_kill(struct box *b); /* and waits for the end */
void box_with_seccomp(struct process *p);
/* SHUTDOWN and the wait for the end, which must be in order. */
void box_shut_down(struct box *b);
/* Ends and frees it; the process of the VMM and its cgroups must be gone. */
void box_free(struct box *b);

#endif
