/* back.c - a machine that runs goes back, in place, to the snapshot that it was restored from */
#include "vm/back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "instance/backend.h"
#include "instance/guest.h"
#include "vm/running.h"
#include "vm/vm.h"

#define MOST_LATER (2 * MSG_WINDOW) /* then no further process may begin */
#define MEETING_S  60
#define KILLED	   137 /* exit status of what does not run any more */

void vm_back_done(struct vm_back *b)
{
	buf_done(&b->later);
}

/* --- the end of it */

static void release_later(struct running *r)
{
	struct buf later = r->back.later;
	struct err e;
	struct msg m;

	r->back.later = (struct buf){ 0 };
	while (msg_peek(&later, PEER_MONITOR, &m, &e) == 1) {
		vm_backend.send(r, &m);
		msg_drop(&later, &m);
	}
	buf_done(&later);
}

static void end(struct running *r, const struct err *why)
{
	r->back.state = BACK_NOT;
	running_tell(r, MSG_SAVED, 0, why->no, why->no ? why->msg : "{}");
	release_later(r);
}

/* It is neither what it was nor what it was to be. */
static void end_machine(struct running *r, const char *what)
{
	struct err e;

	r->back.state = BACK_NOT;
	err_set(&e, EIO, "the machine did not come back from its snapshot: %s", what);
	running_end(r, &e);
	running_tell(r, MSG_SAVED, 0, e.no, e.msg);
}

/* --- asking */

static int check(const struct running *r, const char *id, struct err *e)
{
	const struct boot *b = r->machine.boot;

	if (b->spec.vm.driver != VM_DRIVER_KVM)
		return err_set(e, ENOTSUP, "only ketch-vmm (--driver kvm) takes a machine back in place");
	if (!b->restored || !id || strcmp(b->restored, id) != 0)
		return err_set(e, ENOTSUP,
			       "it does not run from this snapshot: a rollback with --stop, and it does");
	if (r->saving.paused || r->saving.pausing)
		return err_set(e, EAGAIN, "it is paused: it goes back while it runs");
	if (!r->agent || r->state != UP || vm_saving_is_busy(&r->saving) ||
	    streams_are_asked(agent_streams(r->agent)))
		return err_set(e, EBUSY, "it is busy with what was asked before: try again");
	return 0;
}

static int ask_vmm(struct running *r, const char *line, int fd)
{
	int k = vm_control_ask(&r->control, line, fd);

	r->back.waits += k == 0;
	return k;
}

void vm_back_ask(struct running *r, const struct msg *m)
{
	autofree char *id = msg_text(m);
	struct err e = { 0 };
	int k = check(r, id, &e);

	if (k == 0 && ask_vmm(r, "pause\n", -1) < 0)
		k = err_set(&e, EIO, "the machine is not to be reached");
	if (k == 0)
		r->back.state = BACK_PAUSING;
	else
		running_tell(r, MSG_SAVED, 0, e.no, e.msg);
}

/* --- what ran, and does not any more */

/* Of the main process, with which we go on: what it did not read it never will, and its output is of another time. */
static void settle_main(struct running *r, const struct stream_rest *main)
{
	AUTO(buf_done) struct buf b = { 0 };

	r->back.owed[1] += main->under_way[1];
	r->back.owed[2] += main->under_way[2];
	if (!main->under_way[0])
		return;
	msg_put_u32x2(&b, MSG_CREDIT, 0, 0, main->under_way[0]);
	running_hand(r, &b);
}

static void tell_exit(struct running *r, uint32_t stream)
{
	AUTO(buf_done) struct buf b = { 0 };

	msg_put_u32x2(&b, MSG_EXIT, stream, KILLED, 0);
	running_hand(r, &b);
}

static void drop_agent(struct running *r)
{
	struct stream_rest s;

	if (!r->agent)
		return;
	for (size_t i = 0; streams_get(agent_streams(r->agent), i, &s); i++)
		if (!s.id)
			settle_main(r, &s);
		else if (s.started)
			tell_exit(r, s.id);
		else
			running_tell(r, MSG_FAILED, s.id, 1, "the machine went back to a snapshot");
	r->agent = agent_free(r->agent);
}

/* --- the machine */

/* Its memory is what it was, and its agent will come by the port. */
static void meet(struct running *r)
{
	struct machine *m = &r->machine;
	autofree char *line = str_printf("port %d\n", GUEST_VSOCK_PORT);
	struct err e;
	int k;

	drop_agent(r);
	r->back.state = BACK_MEETING;
	k = running_meet(r, true, &e);
	if (k == 0)
		k = line ? ask_vmm(r, line, m->agent_fd) : -ENOMEM;
	if (m->agent_fd >= 0)
		close(m->agent_fd);
	m->agent_fd = -1;
	if (k == 0)
		k = ask_vmm(r, "resume\n", -1);
	if (k < 0)
		end_machine(r, "its agent cannot be reached");
	else
		running_set_deadline(r, MEETING_S);
}

static void refused(struct running *r, const char *error)
{
	err_set(&r->back.why, ENOTSUP, "%s", error);
	r->back.state = BACK_GOING_ON;
	if (ask_vmm(r, "resume\n", -1) < 0)
		end_machine(r, "it cannot be reached");
}

void vm_back_answered(struct running *r, const char *error)
{
	struct err e;

	r->back.waits--;
	switch ((int)r->back.state) {
	case BACK_PAUSING:
		r->back.state = BACK_TAKING;
		if (error) {
			err_set(&e, EIO, "%s", error);
			end(r, &e);
		} else if (ask_vmm(r, "rollback\n", -1) < 0) {
			end_machine(r, "it cannot be reached"); /* and stands still */
		}
		break;
	case BACK_TAKING:
		if (error)
			refused(r, error);
		else
			meet(r);
		break;
	case BACK_GOING_ON:
		if (error)
			end_machine(r, error);
		else
			end(r, &r->back.why);
		break;
	case BACK_MEETING:
	case BACK_MAIN:
		if (error)
			end_machine(r, error);
		break;
	default:
		break;
	}
}

/* --- the guest */

bool vm_back_lost(struct running *r)
{
	if (r->back.state != BACK_PAUSING && r->back.state != BACK_TAKING)
		return false;
	drop_agent(r);
	return true;
}

bool vm_back_ready(struct running *r)
{
	AUTO(buf_done) struct buf json = { 0 };

	if (r->back.state != BACK_MEETING)
		return false;
	running_set_deadline(r, 0);
	r->back.state = BACK_MAIN;
	json_print(&process_table, &r->machine.boot->spec.process, 0, &json);
	agent_send(r->agent, &(struct msg){ MSG_START, 0, json.data, json.len });
	return true;
}

bool vm_back_heard(struct running *r, const struct msg *m)
{
	const struct err well = { 0 };

	if (r->back.state != BACK_MAIN || m->stream)
		return false;
	if (m->type == MSG_STARTED)
		end(r, &well);
	else if (m->type == MSG_FAILED)
		end_machine(r, "its process is not there");
	return m->type == MSG_STARTED;
}

/* --- what is said to the machine */

/* True: of it nothing is left to hand on. */
static bool pay_owed(struct running *r, const struct msg *m)
{
	uint32_t which = msg_u32(m, 0), n = msg_u32(m, 1);
	AUTO(buf_done) struct buf b = { 0 };
	struct msg rest;
	struct err e;
	uint32_t paid;

	if (which < 1 || which > 2 || !r->back.owed[which])
		return false;
	paid = n < r->back.owed[which] ? n : r->back.owed[which];
	r->back.owed[which] -= paid;
	if (paid == n)
		return true;
	msg_put_u32x2(&b, MSG_CREDIT, 0, which, n - paid);
	if (msg_peek(&b, PEER_MONITOR, &rest, &e) == 1)
		vm_backend.send(r, &rest);
	return true;
}

bool vm_back_holds(struct running *r, const struct msg *m)
{
	if (r->back.state == BACK_NOT)
		return m->type == MSG_CREDIT && !m->stream && pay_owed(r, m);
	if (m->type == MSG_PAUSE)
		running_tell(r, MSG_PAUSED, 0, EBUSY, "it just goes back to a snapshot");
	else if (m->type == MSG_SAVE)
		running_tell(r, MSG_SAVED, 0, EBUSY, "it just goes back to a snapshot");
	else if (msg_begins_stream(m->type) && r->back.later.len >= MOST_LATER)
		running_tell(r, MSG_FAILED, m->stream, 1, "it just goes back to a snapshot: try again");
	else
		msg_put(&r->back.later, m->type, m->stream, m->data, m->len);
	return true;
}
