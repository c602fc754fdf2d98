/* ask.c - questions to a running instance: statistics, processes, new limits, a pause */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "engine/ask.h"
#include "engine/engine_int.h"
#include "instance/file_request.h"
#include "sys/scm.h"
#include "wire/msg.h"

#define ANSWER_S    15 /* longer than a freezer may take */
#define HOLD_S	    120 /* what was written goes to the disk first */
#define SAVE_S	    300 /* all RAM to a slow disk */
#define HOLD_STREAM 1

/* One connection with one question on it. */
struct question {
	const struct instance *in;
	int fd;
	int64_t end_ns; /* of our patience */
	struct buf in_bytes;
	enum msg_type answer;
};

static void question_done(struct question *q)
{
	if (q->fd >= 0)
		close(q->fd);
	buf_done(&q->in_bytes);
}

/* Is there somebody to answer?  A machine that stands still does not, a container's monitor does. */
static int check_state(const struct instance *in, enum msg_type type, struct err *e)
{
	if (type == MSG_PAUSE) /* the monitor answers itself */
		return 0;
	if (in->state.status == STATUS_RESTARTING && type != MSG_UPDATE)
		return err_set(e, ESRCH, "%s is not running", in->spec.name);
	if (in->state.status == STATUS_PAUSED && in->spec.isolation == ISOLATION_VM)
		return err_set(e, EAGAIN, "%s is paused: unpause it first", in->spec.name);
	return 0;
}

static int put_question(struct engine *en, struct question *q, enum msg_type type, const struct buf *what,
			struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = check_state(q->in, type, e);

	if (r == 0)
		r = control_connect_live(en, q->in, &q->fd, e);
	if (r < 0)
		return r;
	q->answer = msg_answer(type);
	q->end_ns = clock_mono_ns() + ANSWER_S * NS_PER_S;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put(&b, type, 0, what ? what->data : NULL, what ? what->len : 0);
	return control_send(q->fd, q->in, &b, e);
}

static int read_more(struct question *q, struct err *e)
{
	struct pollfd p = { .fd = q->fd, .events = POLLIN };
	int64_t left_ms = (q->end_ns - clock_mono_ns()) / 1000000;
	char *room = buf_room(&q->in_bytes, MSG_MAX_DATA);
	ssize_t n;

	if (!room)
		return err_set(e, ENOMEM, "out of memory");
	if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0)
		return err_set(e, ETIMEDOUT, "%s does not answer", q->in->spec.name);
	n = recv(q->fd, room, MSG_MAX_DATA, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return err_set(e, ESRCH, "%s is not running", q->in->spec.name);
	q->in_bytes.len += (size_t)n;
	return 0;
}

/* The next part of the answer; dropped from in_bytes by the caller. */
static int next_answer(struct question *q, struct msg *ret, struct err *e)
{
	for (;;) {
		int r = msg_peek(&q->in_bytes, PEER_MONITOR, ret, e);

		if (r < 0)
			return r;
		if (r > 0 && ret->type == q->answer)
			return 0;
		if (r > 0 && ret->type == MSG_ERROR) {
			autofree char *text = msg_text(ret);

			return err_set(e, (int)msg_u32(ret, 0), "%s: %s", q->in->spec.name, text ? text : "");
		}
		if (r > 0)
			msg_drop(&q->in_bytes, ret);
		else
			r = read_more(q, e); /* e is NULL where the reason is of no use */
		if (r < 0)
			return r;
	}
}

int engine_ask_stats(struct engine *en, const struct instance *in, struct stats *ret, struct err *e)
{
	AUTO(question_done) struct question q = { .in = in, .fd = -1 };
	struct msg m = { 0 };
	int r = put_question(en, &q, MSG_STATS, NULL, e);

	if (r == 0)
		r = next_answer(&q, &m, e);
	return r < 0 ? r : stats_parse(m.data, m.len, ret, e);
}

int engine_ask_top(struct engine *en, const struct instance *in, struct process_list *ret, struct err *e)
{
	AUTO(question_done) struct question q = { .in = in, .fd = -1 };
	AUTO(process_list_done) struct process_list list = { 0 };
	struct msg m = { 0 };
	int r = put_question(en, &q, MSG_TOP, NULL, e);

	while (r == 0) {
		r = next_answer(&q, &m, e);
		if (r < 0 || !m.len)
			break;
		r = process_list_parse(m.data, m.len, &list, e);
		msg_drop(&q.in_bytes, &m);
	}
	if (r < 0)
		return r;
	*ret = list;
	list = (struct process_list){ 0 };
	return 0;
}

static int was_done(struct question *q, struct err *e)
{
	autofree char *text = NULL;
	struct msg m;
	int r = next_answer(q, &m, e);

	if (r < 0 || !msg_u32(&m, 0))
		return r;
	text = msg_text(&m);
	return err_set(e, (int)msg_u32(&m, 0), "%s", text ? text : "out of memory");
}

/* A question whose answer is why it was not done. */
static int ask_to_do(struct engine *en, const struct instance *in, enum msg_type type, const struct jtable *t,
		     const void *what, struct err *e)
{
	AUTO(question_done) struct question q = { .in = in, .fd = -1 };
	AUTO(buf_done) struct buf json = { 0 };
	int r = json_print(t, what, 0, &json);

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = put_question(en, &q, type, &json, e);
	return r < 0 ? r : was_done(&q, e);
}

int engine_ask_update(struct engine *en, const struct instance *in, const struct instance_update *up,
		      struct err *e)
{
	return ask_to_do(en, in, MSG_UPDATE, &instance_update_table, up, e);
}

int engine_ask_network(struct engine *en, const struct instance *in, const struct net_change *c,
		       struct err *e)
{
	return ask_to_do(en, in, MSG_NETWORK, &net_change_table, c, e);
}

int engine_ask_port(struct engine *en, const struct instance *in, enum port_step step, const char *name,
		    int fd, struct err *e)
{
	AUTO(question_done) struct question q = { .in = in, .fd = -1, .answer = MSG_PORT_REPLY };
	AUTO(buf_done) struct buf b = { 0 };
	int r = engine_connect(en, in, &q.fd, e);

	if (r < 0)
		return r;
	q.end_ns = clock_mono_ns() + ANSWER_S * NS_PER_S;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put_text(&b, MSG_PORT, 0, step, name);
	if (!buf_ok(&b))
		return err_set(e, ENOMEM, "out of memory");
	if (fd < 0)
		r = control_send(q.fd, in, &b, e);
	else if (scm_send(q.fd, fd, b.data, b.len) < 0)
		r = err_set(e, ESRCH, "%s is not running", in->spec.name);
	return r < 0 ? r : was_done(&q, e);
}

/* Why the monitor does not pause or resume it: Docker's words. */
static int pause_error(const struct instance *in, int no, const char *text, struct err *e)
{
	const char *name = in->spec.name;

	switch (no) {
	case EALREADY:
		return err_set(e, no, "container %s is already paused", name);
	case EINVAL:
		return err_set(e, no, "container %s is not paused", name);
	case ESRCH:
		return err_set(e, no, "container %s is not running", name);
	case EAGAIN:
		return err_set(e, no, "container %s is restarting, wait until the container is running",
			       name);
	case EBUSY:
		return err_set(e, no, "%s is just being paused or unpaused", name);
	default:
		return err_set(e, no > 0 ? no : EIO, "%s: %s", name,
			       text && *text ? text : "it does not answer");
	}
}

int engine_pause(struct engine *en, const struct instance *in, bool pause, struct err *e)
{
	AUTO(question_done) struct question q = { .in = in, .fd = -1 };
	const uint32_t which = htole32(pause);
	AUTO(buf_done) struct buf what = { 0 };
	autofree char *text = NULL;
	struct msg m;
	int r;

	buf_add(&what, &which, sizeof(which));
	r = buf_ok(&what) ? put_question(en, &q, MSG_PAUSE, &what, e) : err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = next_answer(&q, &m, e);
	if (r == -ESRCH)
		return pause_error(in, ESRCH, NULL, e);
	if (r < 0 || !msg_u32(&m, 0))
		return r;
	text = msg_text(&m);
	return pause_error(in, (int)msg_u32(&m, 0), text, e);
}

/* --- a hold: a request for files that copies none */

static int await_started(struct question *q, struct err *e)
{
	for (;;) {
		struct msg m;
		int r = msg_peek(&q->in_bytes, PEER_MONITOR, &m, e);

		if (r < 0)
			return r;
		if (r > 0 && m.stream == HOLD_STREAM && m.type == MSG_STARTED)
			return 0;
		if (r > 0 && m.stream == HOLD_STREAM && m.type == MSG_FAILED) {
			autofree char *text = msg_text(&m);

			return err_set(e, EIO, "%s: %s", q->in->spec.name, text ? text : "");
		}
		if (r > 0)
			msg_drop(&q->in_bytes, &m);
		else if (read_more(q, e) < 0)
			return -e->no;
	}
}

int engine_hold(struct engine *en, const struct instance *in, int *ret_fd, struct err *e)
{
	const struct file_request rq = { .kind = FILES_HOLD, .still = true };
	AUTO(question_done) struct question q = { .in = in, .fd = -1 };
	AUTO(buf_done) struct buf b = { 0 }, json = { 0 };
	int r = engine_connect(en, in, &q.fd, e);

	if (r == 0 && json_print(&file_request_table, &rq, 0, &json) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	q.end_ns = clock_mono_ns() + HOLD_S * NS_PER_S;
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	msg_put(&b, MSG_PUT, HOLD_STREAM, json.data, json.len);
	r = control_send(q.fd, in, &b, e);
	if (r == 0)
		r = await_started(&q, e);
	if (r == 0)
		*ret_fd = take_fd(&q.fd);
	return r;
}

/* --- the memory of a machine */

int engine_save(struct engine *en, const struct instance *in, int *fd, enum save_step step, const char *id,
		struct err *e)
{
	struct question q = { .in = in, .fd = *fd, .answer = MSG_SAVED };
	AUTO(buf_done) struct buf b = { 0 };
	autofree char *text = NULL;
	struct msg m = { 0 };
	int r = 0;

	if (q.fd < 0) {
		msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
		r = step == SAVE_DISK ? 0 : check_state(in, MSG_SAVE, e); /* which a paused machine can do */
		if (r == 0)
			r = control_connect_live(en, in, &q.fd, e);
	}
	*fd = q.fd;
	q.end_ns = clock_mono_ns() + SAVE_S * NS_PER_S;
	msg_put_text(&b, MSG_SAVE, 0, step, id);
	if (r == 0)
		r = control_send(q.fd, in, &b, e);
	if (r == 0)
		r = next_answer(&q, &m, e);
	if (r == 0 && msg_u32(&m, 0)) {
		text = msg_text(&m);
		r = err_set(e, (int)msg_u32(&m, 0), "%s: %s", in->spec.name, text ? text : "out of memory");
	}
	buf_done(&q.in_bytes);
	return r;
}
