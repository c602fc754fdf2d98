/* ketch-net.c - the name service of one network, its ports that are ready, or the relay of one instance for [::1]
 *
 *	ketch-net names NETWORK TABLE DIR INSTANCES LOCK STATUS SOCKET...	network/names_start.c
 *	ketch-net pool ID BRIDGE SIZE MTU ISOLATE IPV6 LOCK SOCKET		network/pool.h
 *	ketch-net relay LIFE [SOCKET PROTOCOL ADDRESS PORT]...			network/relay6.h
 *
 * Started by ketch with open descriptors, whose numbers are among the arguments.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "network/names.h"
#include "network/pool.h"
#include "network/relay6.h"

int main(int argc, char **argv)
{
	log_set_name("ketch-net");
	prctl(PR_SET_NAME, "ketch-net"); /* it was executed by descriptor */
	if (argc > 7 && !strcmp(argv[1], "names"))
		return names_run(argv + 3);
	if (argc == 2 + POOL_WORDS && !strcmp(argv[1], "pool"))
		return pool_run(argv + 2);
	if (argc > 2 && !strcmp(argv[1], "relay"))
		return relay6_run(argv + 2);
	fputs("ketch-net is started by ketch\n", stderr);
	return 125;
}
