/* bzimage.c - the header of an x86 Linux kernel image */
#include "kernel/bzimage.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Offsets in the file, boot.rst "The Real-Mode Kernel Header". */
enum {
	SETUP_SECTS = 0x1f1,
	BOOT_FLAG = 0x1fe,
	MAGIC = 0x202,
	PROTOCOL = 0x206,
	KERNEL_VERSION = 0x20e,
	XLOADFLAGS = 0x236,
	PAYLOAD_OFFSET = 0x248,
	PAYLOAD_LENGTH = 0x24c,
	HEADER_END = 0x250,
};

#define PROTOCOL_MIN  0x020c /* the first with xloadflags: Linux 3.8 */
#define XLF_KERNEL_64 1

static unsigned get_u16(const unsigned char *p, size_t off)
{
	uint16_t v;

	memcpy(&v, p + off, 2);
	return le16toh(v);
}

static uint64_t get_u32(const unsigned char *p, size_t off)
{
	return get_u16(p, off) | (uint64_t)get_u16(p, off + 2) << 16;
}

static size_t setup_bytes(const unsigned char *p)
{
	return (size_t)(p[SETUP_SECTS] ? p[SETUP_SECTS] : 4) * 512;
}

/* Where the version text begins; 0: nowhere. */
static size_t version_offset(const unsigned char *p, size_t n)
{
	size_t off = get_u16(p, KERNEL_VERSION);

	/* boot.rst: the pointer is less 0x200 and lies within the setup sectors */
	if (!off || off >= setup_bytes(p) || off + 0x200 < HEADER_END || off + 0x200 >= n)
		return 0;
	return off + 0x200;
}

static int copy_release(const char *text, struct bzimage *b)
{
	size_t n = strcspn(text, " ");

	if (!n || n >= sizeof(b->release) || !isdigit((unsigned char)text[0]))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!isascii(text[i]) || (!isalnum((unsigned char)text[i]) && !strchr("._+~-", text[i])))
			return -EINVAL;
	memcpy(b->release, text, n);
	b->release[n] = '\0';
	return strstr(b->release, "..") ? -EINVAL : 0;
}

int bzimage_parse(const void *head, size_t n, struct bzimage *ret, struct err *e)
{
	const unsigned char *p = head;
	struct bzimage b = { 0 };
	size_t off, len;

	if (n < HEADER_END || get_u16(p, BOOT_FLAG) != 0xaa55 || memcmp(p + MAGIC, "HdrS", 4))
		return err_set(e, EINVAL, "not a Linux kernel image (bzImage)");
	if (get_u16(p, PROTOCOL) < PROTOCOL_MIN || !(get_u16(p, XLOADFLAGS) & XLF_KERNEL_64))
		return err_set(e, EINVAL, "the kernel image is not a 64-bit one, or older than Linux 3.8");
	off = version_offset(p, n);
	if (!off)
		return err_set(e, EINVAL, "the kernel image does not say its version");
	len = strnlen((const char *)p + off, n - off < sizeof(b.build) ? n - off : sizeof(b.build));
	if (len == n - off || len == sizeof(b.build))
		return err_set(e, EINVAL, "the version text of the kernel image has no end");
	memcpy(b.build, p + off, len);
	if (copy_release(b.build, &b) < 0)
		return err_set(e, EINVAL, "the version in the kernel image is malformed");
	/* counted from the protected-mode part, behind the boot sector and the setup sectors */
	b.payload_off = 512 + setup_bytes(p) + get_u32(p, PAYLOAD_OFFSET);
	b.payload_bytes = get_u32(p, PAYLOAD_LENGTH);
	*ret = b;
	return 0;
}
