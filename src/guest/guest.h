/* guest.h - PID 1 of a virtual machine: the same instance vocabulary, spoken from inside
 *
 * How it works: the kernel starts us from the initramfs (kernel/initramfs.c).  We mount what a system needs, load the
 * listed modules, greet the monitor on the virtio-serial port GUEST_PORT and get the config (instance/guest.h).  The
 * disks and shares become a root, and the container back end runs the workload in it: users, capabilities,
 * limits, mounts, exec and terminals behave as on a host because the same code makes them.  Its messages
 * are passed on 1:1, in both directions.
 *
 * What fails before the config is known is said on the console, what fails later by FAILED of stream 0.
 *
 * Runs as: ketch-guest, PID 1 and root of the guest.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

/* Does not return while the machine runs. */
int guest_run(void);

#endif
