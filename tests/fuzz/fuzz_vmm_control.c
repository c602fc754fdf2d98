/* fuzz_vmm_control.c - lines at the control socket: each has an answer of one line, whatever it is, and nothing overflows */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine m;
static struct control c;
static struct saver saver;

static void set_up(void)
{
	static const struct vmm_config none = { .console_fd = -1 };
	struct err e = { 0 };

	m.kvm_fd = m.vm_fd = -1;
	m.n_vcpus = 2;
	pthread_mutex_init(&m.lock, NULL);
	pthread_cond_init(&m.changed, NULL);
	m.loop = loop_new();
	assert(m.loop && serial_init(&m.serial, -1) == 0 && power_init(&m.power) == 0);
	ioapic_init(&m.ioapic, -1);
	c.machine = &m;
	c.saver = &saver;
	saver.ram_fd = -1;
	c.devices = devices_make(&none, &m, &e);
	assert(c.devices);
	for (unsigned i = 0; i < SERIAL_LOG_SIZE; i++)
		serial_write(&m.serial, 0, (uint8_t)i);
}

/* No vcpu is there to park or to go on. */
static void begin(void)
{
	m.n_vcpus = 0;
	m.wish = WISH_RUN;
	m.end = END_NONE;
	m.ended.fd = -1;
	c.passed_fd = -1;
	c.watch.fd = -1;
	c.n = c.n_answer = 0;
}

/* In pieces: the first byte says how long they are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t lines = 0, answers = 0, piece;

	if (!c.machine)
		set_up();
	if (!size)
		return 0;
	begin();
	piece = data[0] + 1u;
	for (size_t at = 1; at < size; at += piece)
		control_feed(&c, (const char *)data + at, size - at < piece ? size - at : piece);
	for (size_t i = 1; i < size; i++)
		lines += data[i] == '\n';
	assert(c.n < sizeof(c.line) && c.n_answer < sizeof(c.answer));
	for (size_t i = 0; i < c.n_answer; i++)
		answers += c.answer[i] == '\n';
	/* fewer: "quit" has none, and what is too much is cut off */
	assert(answers <= lines);
	assert(c.passed_fd == -1);
	return 0;
}
