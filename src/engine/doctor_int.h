/* doctor_int.h - what the files of the doctor share */
#ifndef ENGINE_DOCTOR_INT_H
#define ENGINE_DOCTOR_INT_H

#include "engine/doctor.h"

struct doctor {
	struct engine *en;
	const struct host_facts *facts;
	struct doctor_report report;
	bool failed; /* memory is out */
};

/* Adds a row.  fix: NULL when ok. */
void doctor_add(struct doctor *d, const char *name, int status, const char *fix, const char *what, ...)
	__attribute__((format(printf, 5, 6)));

/* doctor_kernel.c: what the kernel has */
void doctor_kernel(struct doctor *d);
void doctor_cgroups(struct doctor *d);
void doctor_namespaces(struct doctor *d);
void doctor_file_systems(struct doctor *d);
void doctor_seccomp(struct doctor *d);
void doctor_lsm(struct doctor *d);
/* doctor_host.c: what is installed and given */
void doctor_kvm(struct doctor *d);
void doctor_vm(struct doctor *d);
void doctor_tools(struct doctor *d);
void doctor_criu(struct doctor *d);
void doctor_ids(struct doctor *d);
void doctor_rights(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_quota(struct doctor *d);

#endif
