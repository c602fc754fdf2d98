/* mux.c - the calls that i386 has behind socketcall(2) and ipc(2)
 *
 * Numbers: arch/x86/entry/syscalls/syscall_32.tbl, include/uapi/linux/net.h and ipc.h.  libseccomp calls them
 * -100 - which and -200 - which.
 */
#include "base/auto.h"
#include "seccomp/rules.h"

#define NR_SOCKETCALL 102
#define NR_IPC	      117

static const struct {
	int pseudo, own;
} calls[] = {
	{ -101, 359 }, /* socket */
	{ -102, 361 }, /* bind */
	{ -103, 362 }, /* connect */
	{ -104, 363 }, /* listen */
	{ -105, -1 }, /* accept */
	{ -106, 367 }, /* getsockname */
	{ -107, 368 }, /* getpeername */
	{ -108, 360 }, /* socketpair */
	{ -109, -1 }, /* send */
	{ -110, -1 }, /* recv */
	{ -111, 369 }, /* sendto */
	{ -112, 371 }, /* recvfrom */
	{ -113, 373 }, /* shutdown */
	{ -114, 366 }, /* setsockopt */
	{ -115, 365 }, /* getsockopt */
	{ -116, 370 }, /* sendmsg */
	{ -117, 372 }, /* recvmsg */
	{ -118, 364 }, /* accept4 */
	{ -119, 337 }, /* recvmmsg */
	{ -120, 345 }, /* sendmmsg */
	{ -201, -1 }, /* semop */
	{ -202, 393 }, /* semget */
	{ -203, 394 }, /* semctl */
	{ -204, -1 }, /* semtimedop */
	{ -211, 400 }, /* msgsnd */
	{ -212, 401 }, /* msgrcv */
	{ -213, 399 }, /* msgget */
	{ -214, 402 }, /* msgctl */
	{ -221, 397 }, /* shmat */
	{ -222, 398 }, /* shmdt */
	{ -223, 395 }, /* shmget */
	{ -224, 396 }, /* shmctl */
};

bool rules_mux(int pseudo, int *ret_own, int *ret_door, unsigned *ret_which)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (calls[i].pseudo == pseudo) {
			*ret_own = calls[i].own;
			*ret_door = pseudo > -200 ? NR_SOCKETCALL : NR_IPC;
			*ret_which = (unsigned)-pseudo % 100;
			return true;
		}
	}
	return false;
}
