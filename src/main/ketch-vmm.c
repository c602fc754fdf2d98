/* ketch-vmm.c - one virtual machine: started by ketch-monitor with descriptors, jailed, until the guest ends
 *
 * Its exit status tells how the guest ended (vmm/power.h).
 */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/run.h"

static void print_help(void)
{
	printf("usage: ketch-vmm OPTION...\n");
	for (const struct opt *o = vmm_options; o->type != OPT_END; o++)
		printf("  --%s%s%s  %s\n", o->name, o->metavar ? " " : "", o->metavar ? o->metavar : "",
		       o->help);
}

int main(int argc, char **argv)
{
	struct vmm_config c;
	struct err e = { 0 };
	enum machine_end end;
	int r;

	log_set_name("ketch-vmm");
	r = vmm_config_parse(argv + 1, &c, &e);
	if (r == OPTS_HELP)
		print_help();
	if (r != 0) {
		if (r < 0)
			log_error("%s", e.msg);
		vmm_config_done(&c);
		return r < 0 ? END_USAGE : 0;
	}
	end = vmm_run(&c, &e);
	if (e.no)
		log_error("%s", e.msg);
	/* everything else goes with the process */
	_exit(end);
}
