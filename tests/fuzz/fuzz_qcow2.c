/* fuzz_qcow2.c - images that others have written: read and written within bounds, or refused
 *
 * The input is a list of words of 12 bytes that are put over a new image, (u32 place, u64 big-endian word), and behind an
 * empty one of operations of 8 bytes: what, where, how much.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/qcow2.h"
#include "storage/stack.h"

#define BYTES (40 * QCOW2_CLUSTER)
#define MOST  (2 * QCOW2_CLUSTER)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t patch(int fd, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (size - at >= 12) {
		uint32_t place;

		memcpy(&place, data + at, 4);
		at += 12;
		if (!place && !data[at - 1])
			break;
		if (pwrite(fd, data + at - 8, 8, place % (8 * QCOW2_CLUSTER)) < 0)
			break;
	}
	return at;
}

static void operate(struct stack *s, const uint8_t *data, size_t size)
{
	static uint8_t buffer[MOST];

	for (; size >= 8; data += 8, size -= 8) {
		uint64_t bytes = (uint64_t)(data[1] | data[2] << 8) * 512 % MOST;
		uint64_t offset = (uint64_t)(data[3] | data[4] << 8) * 512;
		const struct iovec v = { buffer, bytes };

		switch (data[0] % 5) {
		case 0:
			stack_read(s, &v, 1, offset, bytes);
			break;
		case 1:
			stack_write(s, &v, 1, offset, bytes);
			break;
		case 2:
			stack_clear(s, offset, bytes);
			break;
		case 3:
			stack_settle(s);
			break;
		default:
			stack_flush(s);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[3] = { memfd_create("base", MFD_CLOEXEC), memfd_create("lower", MFD_CLOEXEC),
		       memfd_create("upper", MFD_CLOEXEC) };
	struct stack *s;
	size_t used, bad;

	if (qcow2_format(fds[1], BYTES) == 0 && qcow2_format(fds[2], BYTES) == 0) {
		used = patch(fds[1], data, size);
		used += patch(fds[2], data + used, size - used);
		if (stack_open(fds, 2, &s, &bad) == 0) {
			/* the patched one comes later, as it is, and then for what it is */
			if (stack_reserve(s) == 0 && stack_push(s, fds[2]) == 0)
				operate(s, data + used, size - used);
			stack_close(s);
		}
		if (stack_open(fds, 3, &s, &bad) == 0) {
			operate(s, data + used, size - used);
			stack_close(s);
		}
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	return 0;
}
