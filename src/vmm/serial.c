/* serial.c - a 16550A serial port, output only */
#include "vmm/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { REG_DATA, REG_IER, REG_IIR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_EMPTY	 0x02
#define IIR_FIFO	 0xc0
#define IIR_NONE	 0x01
#define IIR_EMPTY	 0x02
#define LCR_DLAB	 0x80
#define MCR_LOOP	 0x10
#define LSR_EMPTY	 0x60 /* the transmitter is always ready */
#define MSR_THERE	 0xb0 /* carrier, data set ready, clear to send */
#define IER_KNOWN	 0x0f
#define LOOP_TO_MSR(mcr) (uint8_t)(((mcr)&0x0c) << 4 | ((mcr)&2) << 3 | ((mcr)&1) << 5)

static void put_byte(struct serial *s, uint8_t v)
{
	s->log[s->written++ % SERIAL_LOG_SIZE] = (char)v;
	if (s->out_fd >= 0 && write(s->out_fd, &v, 1) < 0)
		return; /* the ring has it */
}

static void raise_empty(struct serial *s)
{
	const uint64_t one = 1;

	s->s.empty_irq = 1;
	if (write(s->irq_fd, &one, sizeof(one)) < 0)
		return; /* it is pending already */
}

uint8_t serial_read(struct serial *s, unsigned port)
{
	uint8_t v = 0;

	pthread_mutex_lock(&s->lock);
	switch (port) {
	case REG_DATA:
		v = s->s.lcr & LCR_DLAB ? s->s.dll : 0;
		break;
	case REG_IER:
		v = s->s.lcr & LCR_DLAB ? s->s.dlm : s->s.ier;
		break;
	case REG_IIR:
		v = IIR_FIFO | (s->s.empty_irq ? IIR_EMPTY : IIR_NONE);
		s->s.empty_irq = 0;
		break;
	case REG_LCR:
		v = s->s.lcr;
		break;
	case REG_MCR:
		v = s->s.mcr;
		break;
	case REG_LSR:
		v = LSR_EMPTY;
		break;
	case REG_MSR:
		v = s->s.mcr & MCR_LOOP ? LOOP_TO_MSR(s->s.mcr) : MSR_THERE;
		break;
	default:
		v = s->s.scr;
		break;
	}
	pthread_mutex_unlock(&s->lock);
	return v;
}

static void write_data(struct serial *s, uint8_t v)
{
	if (s->s.lcr & LCR_DLAB) {
		s->s.dll = v;
		return;
	}
	if (!(s->s.mcr & MCR_LOOP))
		put_byte(s, v);
	if (s->s.ier & IER_EMPTY)
		raise_empty(s);
}

static void write_ier(struct serial *s, uint8_t v)
{
	uint8_t before = s->s.ier;

	if (s->s.lcr & LCR_DLAB) {
		s->s.dlm = v;
		return;
	}
	s->s.ier = v & IER_KNOWN;
	if ((v & IER_EMPTY) && !(before & IER_EMPTY))
		raise_empty(s);
}

void serial_write(struct serial *s, unsigned port, uint8_t v)
{
	pthread_mutex_lock(&s->lock);
	switch (port) {
	case REG_DATA:
		write_data(s, v);
		break;
	case REG_IER:
		write_ier(s, v);
		break;
	case REG_LCR:
		s->s.lcr = v;
		break;
	case REG_MCR:
		s->s.mcr = v;
		break;
	case REG_SCR:
		s->s.scr = v;
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&s->lock);
}

void serial_save(struct serial *s, struct serial_state *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->s;
	pthread_mutex_unlock(&s->lock);
}

void serial_restore(struct serial *s, const struct serial_state *state)
{
	pthread_mutex_lock(&s->lock);
	s->s = *state;
	if (s->s.empty_irq)
		raise_empty(s);
	pthread_mutex_unlock(&s->lock);
}

size_t serial_log(struct serial *s, char *ret, size_t max)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->written < SERIAL_LOG_SIZE ? s->written : SERIAL_LOG_SIZE;
	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++)
		ret[i] = s->log[(s->written - n + i) % SERIAL_LOG_SIZE];
	pthread_mutex_unlock(&s->lock);
	return n;
}

int serial_init(struct serial *s, int out_fd)
{
	int flags = out_fd < 0 ? 0 : fcntl(out_fd, F_GETFL);

	if (flags < 0 || (out_fd >= 0 && fcntl(out_fd, F_SETFL, flags | O_NONBLOCK) < 0))
		return -errno;
	*s = (struct serial){ .out_fd = out_fd };
	pthread_mutex_init(&s->lock, NULL);
	s->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s->irq_fd < 0 ? -errno : 0;
}

void serial_done(struct serial *s)
{
	if (s->irq_fd >= 0)
		close(s->irq_fd);
	s->irq_fd = -1;
}
