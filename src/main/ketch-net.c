/* ketch-net.c - the name service of one network: `ketch-net NETWORK TABLE DIR INSTANCES LOCK STATUS SOCKET...`
 *
 * Started by ketch with open descriptors (network/names_start.c), whose numbers are the arguments.
 */
#include <stdio.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "network/names.h"

int main(int argc, char **argv)
{
	log_set_name("ketch-net");
	prctl(PR_SET_NAME, "ketch-net"); /* it was executed by descriptor */
	if (argc < 7) {
		fputs("ketch-net is started by ketch\n", stderr);
		return 125;
	}
	return names_run(argv + 2);
}
