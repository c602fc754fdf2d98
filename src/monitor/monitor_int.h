/* monitor_int.h - what the files of the monitor share: the running instance as they see it */
#ifndef MONITOR_MONITOR_INT_H
#define MONITOR_MONITOR_INT_H

#include "instance/backend.h"
#include "monitor/health.h"
#include "monitor/news.h"
#include "monitor/relay.h"
#include "monitor/schedule.h"

struct monitor {
	struct boot boot;
	struct instance_state state;
	struct plan plan;
	struct loop *loop;
	const struct backend *backend;
	struct backend_events events;
	struct running *running; /* NULL: not yet, or no more */
	struct log *log;
	struct relay *relay;
	struct relay_ops relay_ops;
	struct news news;
	struct health health;
	struct schedule schedule;
	struct watch listener, signals, timer, time_limit; /* timer: of a stop, or of RESTARTING */
	int run_fd, dir_fd, lock_fd;
	int spare_fd; /* given up to turn somebody away */
	bool backend_ready, client_settled;
	bool main_sent, main_started; /* the latter: it, and what begins after it, is the back end's matter */
	bool ending; /* it was asked to end in order */
	bool forced; /* its main process was killed, for its time was over */
	bool stopping; /* on purpose: no restart */
	bool wants_pause; /* what was asked last */
	unsigned pauses; /* PAUSE under way */
	struct buf early; /* what clients said to the main process before it was started */
	struct buf last; /* the frame of EXIT or FAILED of stream 0 */
};

/* monitor.c */
void monitor_save_state(struct monitor *m);
void monitor_set_error(struct monitor *m, const char *text);
/* Starts the main process once the back end and the first client are ready for it. */
void monitor_start_main(struct monitor *m);
/* Once: a back end that is asked again does not end in order. */
void monitor_end_in_order(struct monitor *m);

/* requests.c: what clients, signals and the timer ask for. */
/* Ends it before its main process began. */
void monitor_abandon(struct monitor *m, unsigned status, const char *text);
extern const struct relay_ops monitor_relay_ops; /* without .arg and .keep_stdin */
void monitor_on_signal(void *arg, uint32_t events);
void monitor_on_timer(void *arg, uint32_t events);
void monitor_on_time_limit(void *arg, uint32_t events);
/* The back end's answer to PAUSE. */
void monitor_on_paused(struct monitor *m, const struct msg *msg);

/* end.c: after the back end has ended: cleans up, and goes with the instance or becomes what starts it again. */
void monitor_wind_up(struct monitor *m);
/* The same before there is a loop or a back end: it has failed, which is recorded and told. */
void monitor_give_up(struct monitor *m, const struct err *why);

#endif
