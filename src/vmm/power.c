/* power.c - how a machine ends or is told to */
#include "vmm/power.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "vmm/layout.h"

#define I8042_RESET   0xfe /* "pulse the processor's reset line" */
#define SLEEP_ENABLE  0x20 /* ACPI 6.5, section 4.8.3.7 */
#define SLEEP_TYPE(v) ((v) >> 2 & 7)
#define PANICKED      1u

static const struct {
	enum machine_end end;
	const char *text;
} texts[] = {
	{ END_POWER_OFF, "the guest powered off" },
	{ END_USAGE, "the virtual machine could not be made" },
	{ END_REBOOT, "the guest rebooted" },
	{ END_PANIC, "the guest's kernel panicked" },
	{ END_TRIPLE_FAULT, "the guest crashed (triple fault)" },
	{ END_ERROR, "KVM could not go on with the guest" },
};

const char *machine_end_text(int end)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if ((int)texts[i].end == end)
			return texts[i].text;
	return NULL;
}

int power_init(struct power *p)
{
	*p = (struct power){ .irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	return p->irq_fd < 0 ? -errno : 0;
}

void power_done(struct power *p)
{
	if (p->irq_fd >= 0)
		close(p->irq_fd);
	p->irq_fd = -1;
}

void power_event(struct power *p, uint32_t event)
{
	const uint64_t one = 1;

	__atomic_fetch_or(&p->s.pending, event, __ATOMIC_SEQ_CST);
	if (write(p->irq_fd, &one, sizeof(one)) < 0)
		return; /* it is pending already */
}

uint32_t power_in(struct power *p, uint16_t port)
{
	switch (port) {
	case PORT_PVPANIC:
		return PANICKED; /* what we understand */
	case PORT_GED:
		return __atomic_exchange_n(&p->s.pending, 0, __ATOMIC_SEQ_CST);
	default:
		return 0; /* the keyboard controller is idle; nothing woke the machine */
	}
}

enum machine_end power_out(uint16_t port, uint32_t v)
{
	switch (port) {
	case PORT_RESET:
		return END_REBOOT;
	case PORT_I8042:
		return v == I8042_RESET ? END_REBOOT : END_NONE;
	case PORT_PVPANIC:
		return v & PANICKED ? END_PANIC : END_NONE;
	case PORT_SLEEP:
		return (v & SLEEP_ENABLE) && SLEEP_TYPE(v) == SLEEP_TYPE_S5 ? END_POWER_OFF : END_NONE;
	default:
		return END_NONE;
	}
}
