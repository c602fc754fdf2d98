/* tarball.h - archives for tests, made byte by byte so that they can be wrong */
#ifndef TESTS_TARBALL_H
#define TESTS_TARBALL_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../cm.h"
#include "base/buf.h"
#include "base/io.h"

/* One header; the checksum is right. */
static inline void tar_header(struct buf *b, char type, const char *name, const char *link, size_t size)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	memcpy(h, name, strnlen(name, 100));
	strcpy(h + 100, "0000755");
	strcpy(h + 108, "0001750");
	strcpy(h + 116, "0001751");
	snprintf(h + 124, 12, "%011o", (unsigned)size);
	strcpy(h + 136, "00000001750");
	h[156] = type;
	memcpy(h + 157, link, strnlen(link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(b, h, 512);
}

static inline void tar_data(struct buf *b, const void *data, size_t n)
{
	static const char zeros[512];

	buf_add(b, data, n);
	buf_add(b, zeros, (512 - n % 512) % 512);
}

static inline void tar_file(struct buf *b, const char *name, const char *text)
{
	tar_header(b, '0', name, "", strlen(text));
	tar_data(b, text, strlen(text));
}

/* A header in front of another: PAX records, or a long name of GNU. */
static inline void tar_extra(struct buf *b, char type, const char *text, size_t n)
{
	tar_header(b, type, "extra", "", n);
	tar_data(b, text, n);
}

static inline void tar_end(struct buf *b)
{
	static const char zeros[1024];

	buf_add(b, zeros, sizeof(zeros));
}

/* The archive as a file; b is empty afterwards. */
static inline int tar_open(struct buf *b)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	assert_true(fd >= 0 && buf_ok(b));
	assert_int_equal(write_full(fd, b->data, b->len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	buf_done(b);
	return fd;
}

#endif
