/* aml.c - writes ACPI Machine Language
 *
 * A length stands in front of what it counts: three bytes are kept for it and filled at the end.
 */
#include "vmm/aml.h"

#include <string.h>

#define NAME_OP	    0x08
#define BYTE_PREFIX 0x0a
#define WORD_PREFIX 0x0b
#define DWORD_OP    0x0c
#define STRING_OP   0x0d
#define QWORD_OP    0x0e
#define SCOPE_OP    0x10
#define BUFFER_OP   0x11
#define PACKAGE_OP  0x12
#define METHOD_OP   0x14
#define EXT_PREFIX  0x5b
#define ROOT_CHAR   0x5c
#define LOCAL0_OP   0x60
#define STORE_OP    0x70
#define AND_OP	    0x7b
#define NOTIFY_OP   0x86
#define IF_OP	    0xa0
/* behind EXT_PREFIX */
#define REGION_OP 0x80
#define FIELD_OP  0x81
#define DEVICE_OP 0x82

#define SYSTEM_IO	  1
#define FIELD_DWORD	  3 /* access by 32 bits, no lock, preserve */
#define METHOD_SERIALIZED 8

#define LENGTH_BYTES 3 /* of a PkgLength: the first says so in its upper bits and has four bits of it */
#define LENGTH_MAX   (1u << 20)

/* Resource descriptors, section 6.4. */
#define RES_IO	     0x47
#define RES_END	     0x79
#define RES_MEMORY32 0x86
#define RES_IRQ	     0x89
#define IO_DECODE16  1
#define MEMORY_WRITE 1
#define IRQ_CONSUMER 1
#define IRQ_EDGE     2

void aml_bytes(struct aml *a, const void *data, size_t n)
{
	if (a->full || n > a->max - a->n) {
		a->full = true;
		return;
	}
	memcpy(a->data + a->n, data, n);
	a->n += n;
}

void aml_number(struct aml *a, uint64_t v, unsigned n)
{
	uint8_t b[8];

	for (unsigned i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	aml_bytes(a, b, n);
}

static void put(struct aml *a, uint8_t byte)
{
	aml_bytes(a, &byte, 1);
}

static void put_name(struct aml *a, const char *name)
{
	aml_bytes(a, name, 4);
}

static void put_integer(struct aml *a, uint64_t v)
{
	static const struct {
		uint64_t max;
		uint8_t prefix, n;
	} forms[] = {
		{ UINT8_MAX, BYTE_PREFIX, 1 },
		{ UINT16_MAX, WORD_PREFIX, 2 },
		{ UINT32_MAX, DWORD_OP, 4 },
		{ UINT64_MAX, QWORD_OP, 8 },
	};
	size_t i = 0;

	/* ZeroOp and OneOp are the numbers themselves */
	if (v <= 1) {
		put(a, (uint8_t)v);
		return;
	}
	while (v > forms[i].max)
		i++;
	put(a, forms[i].prefix);
	aml_number(a, v, forms[i].n);
}

static size_t begin(struct aml *a)
{
	size_t at = a->n;

	aml_number(a, 0, LENGTH_BYTES);
	return at;
}

void aml_end(struct aml *a, size_t at)
{
	size_t n = a->n - at; /* counts itself */

	if (a->full || n >= LENGTH_MAX) {
		a->full = true;
		return;
	}
	a->data[at] = (uint8_t)((LENGTH_BYTES - 1) << 6 | (n & 0xf));
	a->data[at + 1] = (uint8_t)(n >> 4);
	a->data[at + 2] = (uint8_t)(n >> 12);
}

size_t aml_begin_system_bus(struct aml *a)
{
	size_t at;

	put(a, SCOPE_OP);
	at = begin(a);
	put(a, ROOT_CHAR);
	put_name(a, "_SB_");
	return at;
}

size_t aml_begin_device(struct aml *a, const char *name)
{
	size_t at;

	put(a, EXT_PREFIX);
	put(a, DEVICE_OP);
	at = begin(a);
	put_name(a, name);
	return at;
}

size_t aml_begin_method(struct aml *a, const char *name, unsigned n_args)
{
	size_t at;

	put(a, METHOD_OP);
	at = begin(a);
	put_name(a, name);
	put(a, (uint8_t)(n_args | METHOD_SERIALIZED));
	return at;
}

size_t aml_begin_if_local0(struct aml *a, uint32_t bits)
{
	size_t at;

	put(a, IF_OP);
	at = begin(a);
	put(a, AND_OP);
	put(a, LOCAL0_OP);
	put_integer(a, bits);
	put(a, 0); /* the result goes nowhere else */
	return at;
}

void aml_name_integer(struct aml *a, const char *name, uint64_t v)
{
	put(a, NAME_OP);
	put_name(a, name);
	put_integer(a, v);
}

void aml_name_string(struct aml *a, const char *name, const char *s)
{
	put(a, NAME_OP);
	put_name(a, name);
	put(a, STRING_OP);
	aml_bytes(a, s, strlen(s) + 1);
}

void aml_name_package(struct aml *a, const char *name, const uint64_t *v, uint8_t n)
{
	size_t at;

	put(a, NAME_OP);
	put_name(a, name);
	put(a, PACKAGE_OP);
	at = begin(a);
	put(a, n);
	for (uint8_t i = 0; i < n; i++)
		put_integer(a, v[i]);
	aml_end(a, at);
}

void aml_port32(struct aml *a, const char *region, const char *field, uint16_t port)
{
	size_t at;

	put(a, EXT_PREFIX);
	put(a, REGION_OP);
	put_name(a, region);
	put(a, SYSTEM_IO);
	put_integer(a, port);
	put_integer(a, 4);
	put(a, EXT_PREFIX);
	put(a, FIELD_OP);
	at = begin(a);
	put_name(a, region);
	put(a, FIELD_DWORD);
	put_name(a, field);
	put(a, 32); /* its width: a PkgLength of one byte */
	aml_end(a, at);
}

void aml_store_local0(struct aml *a, const char *name)
{
	put(a, STORE_OP);
	put_name(a, name);
	put(a, LOCAL0_OP);
}

void aml_notify(struct aml *a, const char *device, uint8_t value)
{
	put(a, NOTIFY_OP);
	put_name(a, device);
	put_integer(a, value);
}

/* A buffer: PkgLength, its size as a word, the bytes. */
size_t aml_begin_resources(struct aml *a)
{
	size_t at;

	put(a, NAME_OP);
	put_name(a, "_CRS");
	put(a, BUFFER_OP);
	at = begin(a);
	put(a, WORD_PREFIX);
	aml_number(a, 0, 2);
	return at;
}

void aml_end_resources(struct aml *a, size_t at)
{
	const size_t head = at + LENGTH_BYTES + 3;

	put(a, RES_END);
	put(a, 0); /* no checksum */
	if (!a->full) {
		a->data[head - 2] = (uint8_t)(a->n - head);
		a->data[head - 1] = (uint8_t)((a->n - head) >> 8);
	}
	aml_end(a, at);
}

void aml_memory32(struct aml *a, uint32_t gpa, uint32_t bytes)
{
	put(a, RES_MEMORY32);
	aml_number(a, 9, 2);
	put(a, MEMORY_WRITE);
	aml_number(a, gpa, 4);
	aml_number(a, bytes, 4);
}

void aml_io(struct aml *a, uint16_t port, uint8_t n)
{
	put(a, RES_IO);
	put(a, IO_DECODE16);
	aml_number(a, port, 2); /* from here */
	aml_number(a, port, 2); /* to here */
	put(a, 1); /* aligned */
	put(a, n);
}

void aml_interrupt(struct aml *a, uint32_t gsi)
{
	put(a, RES_IRQ);
	aml_number(a, 6, 2);
	put(a, IRQ_CONSUMER | IRQ_EDGE);
	put(a, 1); /* one line */
	aml_number(a, gsi, 4);
}
