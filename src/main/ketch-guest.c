/* ketch-guest.c - the program that is PID 1 in a virtual machine */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "guest/guest.h"

int main(void)
{
	log_set_name("ketch-guest");
	if (getpid() != 1) {
		fputs("ketch-guest is the first process of a virtual machine of Ketch\n", stderr);
		return 125;
	}
	return guest_run();
}
