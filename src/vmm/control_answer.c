/* control_answer.c - what the owner of a machine is told: lines of JSON, and the long one, the machine's statistics
 *
 * Nothing here allocates: the thread is sealed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/control_int.h"

void control_say(struct control *c, const char *fmt, ...)
{
	size_t room = sizeof(c->answer) - c->n_answer;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(c->answer + c->n_answer, room, fmt, ap);
	va_end(ap);
	c->n_answer += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

void control_say_quoted(struct control *c, const char *bytes, size_t n)
{
	control_say(c, "\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char b = (unsigned char)bytes[i];

		/* what is not ASCII is shown byte by byte: it need not be UTF-8 */
		if (b < ' ' || b > '~' || b == '"' || b == '\\')
			control_say(c, "\\u%04x", b);
		else
			control_say(c, "%c", b);
	}
	control_say(c, "\"");
}

static const char *const exit_names[EXIT_REASONS] = {
	[KVM_EXIT_IO] = "io",
	[KVM_EXIT_MMIO] = "mmio",
	[KVM_EXIT_HLT] = "hlt",
	[KVM_EXIT_INTR] = "intr",
	[KVM_EXIT_IRQ_WINDOW_OPEN] = "irq_window",
	[KVM_EXIT_SHUTDOWN] = "shutdown",
	[KVM_EXIT_SYSTEM_EVENT] = "system_event",
	[KVM_EXIT_IOAPIC_EOI] = "ioapic_eoi",
	[KVM_EXIT_INTERNAL_ERROR] = "internal_error",
};

static void say_exits(struct control *c, const struct vcpu *v)
{
	const char *comma = "";

	control_say(c, "{");
	for (unsigned i = 0; i < EXIT_REASONS; i++) {
		uint64_t n = __atomic_load_n(&v->exits[i], __ATOMIC_RELAXED);

		if (!n)
			continue;
		control_say(c, "%s\"%s\":%llu", comma, exit_names[i] ? exit_names[i] : "other",
			    (unsigned long long)n);
		comma = ",";
	}
	control_say(c, "}");
}

static void say_device(struct control *c, struct virtio_dev *d)
{
	struct virtio_counters n;

	virtio_lock(d);
	n = d->counters;
	virtio_unlock(d);
	control_say(c, "{\"device\":\"%s\",\"name\":", d->ops->name);
	control_say_quoted(c, d->label ? d->label : "", d->label ? strlen(d->label) : 0);
	control_say(
		c,
		",\"kicks\":%llu,\"interrupts\":%llu,\"requests\":%llu,\"bytesIn\":%llu,\"bytesOut\":%llu,"
		"\"failures\":%llu}",
		(unsigned long long)n.kicks, (unsigned long long)n.interrupts, (unsigned long long)n.requests,
		(unsigned long long)n.bytes_in, (unsigned long long)n.bytes_out,
		(unsigned long long)n.failures);
}

void control_stats(struct control *c, const char *word)
{
	struct machine *m = c->machine;
	struct balloon_stats mem = devices_memory(c->devices);

	control_say(c, "{\"vcpus\":[");
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		control_say(c, "%s", i ? "," : "");
		say_exits(c, &m->vcpus[i]);
	}
	control_say(c, "],\"devices\":[");
	for (unsigned i = 0; i < m->n_devices; i++) {
		control_say(c, "%s", i ? "," : "");
		say_device(c, m->devices[i]);
	}
	control_say(c, "],\"balloon\":{\"target\":%llu,\"actual\":%llu,\"discarded\":%llu",
		    (unsigned long long)mem.target_bytes, (unsigned long long)mem.actual_bytes,
		    (unsigned long long)mem.discarded_bytes);
	for (unsigned i = 0; i < BALLOON_N_STATS; i++)
		if (mem.known & 1u << i)
			control_say(c, ",\"%s\":%llu", balloon_stat_names[i],
				    (unsigned long long)mem.values[i]);
	control_say(c, "}}\n");
}
