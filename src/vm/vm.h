/* vm.h - the VM back end: a kernel of its own behind a hypervisor (driver: qemu) */
#ifndef VM_VM_H
#define VM_VM_H

#include "instance/backend.h"

extern const struct backend vm_backend;

/* RAM of a machine whose workload may use ceiling_bytes (0: a default that fits a host with host_bytes): the ceiling
 * and what the guest's kernel and agent need, in whole pages of 2 MiB. */
uint64_t vm_ram_bytes(uint64_t ceiling_bytes, uint64_t host_bytes);

/* Sets the limits of a running VM's hypervisor on the host: what the whole machine shares, CPU time and block devices.  Of a
 * controller that it has not joined: -ENOTSUP. */
int vm_update_host(const struct instance_spec *s, const struct host_facts *h, struct err *e);

#endif
