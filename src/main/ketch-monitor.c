/* ketch-monitor.c - the program that stands beside one running instance: `ketch-monitor NAME BOOTFD` */
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/parse.h"
#include "monitor/monitor.h"

int main(int argc, char **argv)
{
	uint32_t fd;

	log_set_name("ketch-monitor");
	if (argc != 3 || parse_u32(argv[2], &fd) < 0) {
		fputs("ketch-monitor is started by ketch\n", stderr);
		return 125;
	}
	prctl(PR_SET_NAME,
	      "ketch-monitor"); /* it was executed by descriptor: the kernel took its number for the name */
	return monitor_run((int)fd);
}
