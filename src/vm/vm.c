/* vm.c - the VM back end: one virtual machine from its boot to its end
 *
 * How it works: the plan's steps make the machine (vm/driver.h) and start it; from then on the instance is a
 * conversation with ketch-guest (vm/agent.h), passed on message by message.
 *
 * States: BOOTING -READY-> UP -SHUTDOWN-> STOPPING; from each of them, when the VMM and all file servers are gone,
 * `ended`.  A guest that misses a deadline or breaks the protocol is killed.
 */
#include "vm/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "vm/running.h"
#include "vmm/power.h"

#define STOP_S	  30 /* to sync and power off */
#define HANG_UP_S 3 /* from the end of the agent's stream to the end of the VMM */

/* --- the end */

static bool has_children(const struct running *r)
{
	for (size_t i = 0; i < r->machine.n_shares; i++)
		if (r->machine.shares[i].server.pid)
			return true;
	return r->machine.vmm.pid;
}

/* Adds what was said last to a reason that needs explaining. */
static void quote_last_words(struct running *r)
{
	char reason[sizeof(r->why.msg)];

	console_drain(&r->console);
	console_drain(&r->said);
	memcpy(reason, r->why.msg, sizeof(reason));
	if (r->said.last[0])
		err_set(&r->why, r->why.no, "%.200s: %s", reason, r->said.last);
	else if (r->console.last[0])
		err_set(&r->why, r->why.no, "%.200s; its console ends with: %s", reason, r->console.last);
}

/* What became of the guest, as far as the driver's exit status tells. */
static void tell_end(const struct running *r, int status, struct err *e)
{
	const char *when = r->state == BOOTING ? "while it booted" : "by itself";
	const char *how = r->machine.boot->spec.vm.driver == VM_DRIVER_KVM ? machine_end_text(status) : NULL;

	if (status > 128)
		err_set(e, EIO, "%s was killed by signal %d", r->machine.vmm.name, status - 128);
	else if (how)
		err_set(e, EIO, "the virtual machine ended %s: %s", when, how);
	else
		err_set(e, EIO, "the virtual machine ended %s", when);
}

static void vmm_ended(struct running *r, int status)
{
	struct err e;

	if (r->state != STOPPING || status > 128) {
		tell_end(r, status, &e);
		running_end(r, &e);
	}
	running_kill(r);
}

/* File servers end when the VMM hangs up, which may be heard before its own end. */
static void server_ended(struct running *r, int status)
{
	if (!r->why.no && !r->killed)
		err_set(&r->server_lost, EIO, "the file server (virtiofsd) ended with status %d", status);
	running_set_deadline(r, HANG_UP_S);
}

static void on_child_ended(void *arg, struct child *c, int status)
{
	struct running *r = arg;

	if (c == &r->machine.vmm)
		vmm_ended(r, status);
	else if (r->machine.vmm.pid && r->state != STOPPING)
		server_ended(r, status);
	if (has_children(r))
		return;
	if (r->why.no && r->state != STOPPING)
		quote_last_words(r);
	r->ev->ended(r->ev->arg, &r->why);
}

static void on_deadline(void *arg, uint32_t events)
{
	struct running *r = arg;
	uint64_t n;
	struct err e;

	if (read(r->deadline.fd, &n, sizeof(n)) != sizeof(n))
		return;
	if (r->server_lost.no)
		e = r->server_lost;
	else if (r->state == BOOTING)
		running_late_boot(&r->machine.boot->spec, &e);
	else
		err_set(&e, ETIMEDOUT,
			r->back.state != BACK_NOT ? "the guest did not come back from its snapshot in time"
			: r->state == STOPPING	  ? "the virtual machine did not power off in time"
						  : "the virtual machine hung up");
	running_end(r, &e);
}

/* --- the guest */

static void on_agent_ready(void *arg)
{
	struct running *r = arg;

	if (vm_back_ready(r))
		return;
	r->state = UP;
	running_set_deadline(r, 0);
	r->ev->ready(r->ev->arg);
}

static void on_agent_message(void *arg, const struct msg *m)
{
	struct running *r = arg;

	if (!vm_back_heard(r, m))
		r->ev->message(r->ev->arg, m);
}

static void on_agent_lost(void *arg, const struct err *why)
{
	struct running *r = arg;

	if (vm_back_lost(r))
		return;
	r->agent = agent_free(r->agent);
	if (why->no)
		running_end(r, why);
	else if (r->state != STOPPING)
		running_set_deadline(r, HANG_UP_S); /* the VMM closes its end when it ends */
}

/* --- pause */

/* The machine knows nothing of the time for which it stood still. */
static void on_control_answer(void *arg, const char *error)
{
	struct running *r = arg;

	if (r->back.waits) {
		vm_back_answered(r, error);
		return;
	}
	if (r->saving.waits) {
		vm_saving_answered(&r->saving, error, r->control.line);
		return;
	}
	if (!vm_saving_paused(&r->saving, !error, !r->goes_on))
		return; /* of a VMM that talks by itself */
	if (r->goes_on && !error && r->agent)
		agent_set_clock(r->agent);
	running_tell(r, MSG_PAUSED, 0, error ? EIO : 0, error ? error : "");
}

static void on_migrated(void *arg, bool well)
{
	struct running *r = arg;

	vm_saving_migrated(&r->saving, well);
}

static int silence(void *arg, bool silent)
{
	struct running *r = arg;
	int k = r->agent ? agent_silence(r->agent, silent) : -ENOTCONN;

	if (k == 0 && !silent)
		agent_set_clock(r->agent);
	return k;
}

static void on_agent_silent(void *arg)
{
	struct running *r = arg;

	vm_saving_silent(&r->saving);
}

static void on_saved(void *arg, int no, const char *text)
{
	running_tell(arg, MSG_SAVED, 0, no, text);
}

static const struct agent_ops agent_ops = { on_agent_ready, on_agent_message, on_agent_silent,
					    on_agent_lost };

/* --- start */

static int note_emulation(const struct boot *b, struct instance_state *state)
{
	const char *why = b->facts.kvm_reason;

	if (b->spec.vm.accel_kvm)
		return 0;
	return strv_addf(&state->warnings, "software emulation: %s", why ? why : "KVM was not probed");
}

static int vm_start(const struct boot *b, const struct plan *p, struct loop *loop,
		    const struct backend_events *ev, struct instance_state *state, struct running **ret,
		    struct err *e)
{
	struct running *r = calloc(1, sizeof(*r));
	int k;

	if (!r)
		return err_set(e, ENOMEM, "out of memory");
	*r = (struct running){
		.ev = ev,
		.agent_ops = &agent_ops,
		.control = { .watch.fd = -1,
			     .answered = on_control_answer,
			     .migrated = on_migrated,
			     .arg = r },
		.saving = { .state_fd = -1,
			    .room_fd = -1,
			    .patience.fd = -1,
			    .silence = silence,
			    .answer = on_saved,
			    .arg = r },
		.console.watch.fd = -1,
		.said.watch.fd = -1,
		.deadline = { .fd = -1, .events = EPOLLIN, .fn = on_deadline, .arg = r },
	};
	r->machine = (struct machine){ .boot = b,
				       .state = state,
				       .loop = loop,
				       .cgroups = CGROUPS_INIT,
				       .agent_fd = -1,
				       .console_fd = -1,
				       .control_fd = -1,
				       .vmm_control_fd = -1,
				       .say_fd = -1,
				       .child_ended = on_child_ended,
				       .arg = r };
	k = running_open(r, b, loop, e);
	if (k == 0)
		k = note_emulation(b, state);
	if (k == 0)
		k = plan_apply(p, STAGE_HOST, &r->machine, e);
	running_close_say(r);
	if (k < 0) {
		running_free(r);
		return k;
	}
	state->pid = r->machine.vmm.pid;
	*ret = r;
	return 0;
}

/* --- the rest of the seam */

/* A VMM that hangs does not answer: whoever asked has a deadline. */
static void pause_machine(struct running *r, bool pause)
{
	if (vm_saving_is_busy(&r->saving)) {
		running_tell(r, MSG_PAUSED, 0, EBUSY, "its memory is just being saved");
		return;
	}
	if (vm_control_pause(&r->control, pause) < 0) {
		running_tell(r, MSG_PAUSED, 0, EIO, "the machine is not to be reached");
		return;
	}
	r->goes_on = !pause;
	r->saving.pausing++;
}

static void vm_send(struct running *r, const struct msg *m)
{
	if (vm_back_holds(r, m))
		return;
	if (m->type == MSG_SAVE && msg_u32(m, 0) == SAVE_BACK) {
		vm_back_ask(r, m);
		return;
	}
	if (m->type == MSG_PAUSE) {
		pause_machine(r, msg_u32(m, 0));
		return;
	}
	if (m->type == MSG_SAVE) {
		vm_saving_ask(&r->saving, m);
		return;
	}
	if (m->type == MSG_SHUTDOWN && r->state != UP)
		running_kill(r);
	if (!r->agent || r->state == BOOTING)
		return;
	if (m->type == MSG_SHUTDOWN) {
		r->state = STOPPING;
		running_set_deadline(r, STOP_S);
	}
	agent_send(r->agent, m);
}

static void vm_kill(struct running *r)
{
	r->killed = true;
	running_kill(r);
}

const struct backend vm_backend = {
	.name = "vm",
	.plan = vm_plan,
	.start = vm_start,
	.send = vm_send,
	.kill = vm_kill,
	.release = running_free,
};
