/* fuzz_dbus.c - D-Bus messages as a bus may send them */
#include "base/auto.h"
#include "sys/dbus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;
	ssize_t n = 1;

	while (at < size && n > 0) {
		struct dbus_message m;
		struct dbus_reader r;
		const char *text;
		uint32_t number;

		n = dbus_parse((const char *)data + at, size - at, &m);
		if (n <= 0)
			break;
		at += (size_t)n;
		r = (struct dbus_reader){ m.body, m.body_len, 0 };
		dbus_read_u32(&r, &number);
		while (dbus_read_string(&r, &text) == 0)
			continue;
	}
	return 0;
}
