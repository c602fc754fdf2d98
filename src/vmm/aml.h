/* aml.h - writes ACPI Machine Language, as much of it as our DSDT needs (ACPI 6.5, sections 20.2 and 6.4)
 *
 * What nests is begun and ended: `at = aml_begin_device(a, "COM1"); ...; aml_end(a, at);`.  Names are four
 * characters.  It also writes what is no AML: bytes of other tables.  What does not fit is left out and
 * `full` tells.
 */
#ifndef VMM_AML_H
#define VMM_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *data; /* borrowed */
	size_t n, max;
	bool full;
};

void aml_bytes(struct aml *a, const void *data, size_t n);
/* The low n (1, 2, 4 or 8) bytes, little endian. */
void aml_number(struct aml *a, uint64_t v, unsigned n);

/* --- objects */

/* Closes what the aml_begin_* that returned `at` has begun. */
void aml_end(struct aml *a, size_t at);
size_t aml_begin_system_bus(struct aml *a); /* Scope (\_SB) */
size_t aml_begin_device(struct aml *a, const char *name);
/* Serialized, of n_args arguments. */
size_t aml_begin_method(struct aml *a, const char *name, unsigned n_args);
/* If (Local0 & bits) */
size_t aml_begin_if_local0(struct aml *a, uint32_t bits);

void aml_name_integer(struct aml *a, const char *name, uint64_t v);
void aml_name_string(struct aml *a, const char *name, const char *s);
/* A package of n (at most 255) integers. */
void aml_name_package(struct aml *a, const char *name, const uint64_t *v, uint8_t n);
/* 32 bits of I/O space at `port` as a field of this name. */
void aml_port32(struct aml *a, const char *region, const char *field, uint16_t port);
void aml_store_local0(struct aml *a, const char *name); /* Local0 = name */
void aml_notify(struct aml *a, const char *device, uint8_t value);

/* --- resources: the value of _CRS */

size_t aml_begin_resources(struct aml *a);
void aml_end_resources(struct aml *a, size_t at);
void aml_memory32(struct aml *a, uint32_t gpa, uint32_t bytes);
void aml_io(struct aml *a, uint16_t port, uint8_t n);
/* Edge-triggered, active high, exclusive. */
void aml_interrupt(struct aml *a, uint32_t gsi);

#endif
