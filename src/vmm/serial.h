/* serial.h - a 16550A serial port, output only: what a kernel says before it has anything better
 *
 * What is written goes to a descriptor, whose slowness never holds up the guest (bytes are dropped then), and into a ring
 * that keeps the end of it for who asks (the control socket).
 */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_PORTS	8
#define SERIAL_LOG_SIZE 16384 /* a power of two */

/* The saved form (National Semiconductor PC16550D, section 8). */
struct serial_state {
	uint8_t ier, lcr, mcr, scr, dll, dlm;
	uint8_t empty_irq; /* "transmitter empty" is pending */
};

struct serial {
	struct serial_state s;
	pthread_mutex_t lock;
	int out_fd; /* -1: the ring only */
	int irq_fd; /* an eventfd */
	uint64_t written; /* bytes so far */
	char log[SERIAL_LOG_SIZE];
};

/* out_fd is borrowed, and made non-blocking: a vcpu that waits there would hold the lock.  0 or -errno. */
int serial_init(struct serial *s, int out_fd);
void serial_done(struct serial *s);
/* Register accesses of a vcpu, port 0..7. */
uint8_t serial_read(struct serial *s, unsigned port);
void serial_write(struct serial *s, unsigned port, uint8_t v);
/* Its saved form, and back: an interrupt that was pending comes again. */
void serial_save(struct serial *s, struct serial_state *ret);
void serial_restore(struct serial *s, const struct serial_state *state);
/* Copies the end of what was written, at most max bytes; returns how many. */
size_t serial_log(struct serial *s, char *ret, size_t max);

#endif
