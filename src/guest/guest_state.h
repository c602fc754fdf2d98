/* guest_state.h - PID 1 as its files see it */
#ifndef GUEST_GUEST_STATE_H
#define GUEST_GUEST_STATE_H

#include "guest/guest_int.h"
#include "instance/backend.h"
#include "wire/conn.h"

enum guest_state { CONFIG, UP, RESTORED, STOPPING };

struct guest {
	struct loop *loop;
	struct conn *conn;
	enum guest_state state;
	struct guest_config config;
	struct boot boot;
	struct plan plan;
	struct instance_state instance;
	struct backend_events events;
	struct running *running; /* NULL: not yet, or no more */
	struct watch deadline;
	int initramfs;
	bool greeted, seeded, silent;
};

/* guest.c */
/* Where the kernel says its things; the monitor keeps the end of that. */
void guest_say_on_console(const char *text);
void guest_send_failed(struct guest *g, uint32_t stream, const char *text);
/* Of a machine that was restored with nothing begun in it: its disks are those of the config (which is taken), all else it says is
 * yet to be made.  READY follows. */
int guest_begin_anew(struct guest *g, struct guest_config *config, struct err *e);

/* restored.c: UP -> RESTORED -> UP */
/* The old host is gone: whoever comes has to say who this machine is now. */
void restored_await_identity(struct guest *g);
/* SEED, CONFIG (answered by READY), START 0. */
void restored_take_seed(struct guest *g, const struct msg *m);
void restored_become(struct guest *g, const struct msg *m);
void restored_go_on(struct guest *g);

#endif
