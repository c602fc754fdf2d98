/* dsdt.h - the devices of a machine of ours, as AML */
#ifndef VMM_DSDT_H
#define VMM_DSDT_H

#include "vmm/acpi.h"
#include "vmm/aml.h"

/* What stands behind the header of the DSDT. */
void dsdt_write(struct aml *a, const struct acpi_machine *m, uint64_t generation_id_gpa);

#endif
