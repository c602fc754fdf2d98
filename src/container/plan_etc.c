/* plan_etc.c - the files of /etc that an instance gets from us: who it is, whom it knows, what time it is; pure */
#include "base/auto.h"
#include "container/container_int.h"
#include "container/plan_int.h"

static const char localhost[] = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
				"fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\n"
				"ff02::2\tip6-allrouters\n";

/* Those of the host, or ours, and behind them what the user adds. */
static void add_hosts(struct planner *pl, bool of_host, const char *name)
{
	const struct sandbox *b = &pl->spec->sandbox;
	AUTO(buf_done) struct buf text = { 0 };

	if (b->no_hosts)
		return;
	if (!of_host)
		buf_addf(&text, "%s127.0.1.1\t%s", localhost, name);
	if (!of_host && b->domainname)
		buf_addf(&text, ".%s %s", b->domainname, name);
	if (!of_host)
		buf_addc(&text, '\n');
	for (size_t i = 0; i < b->hosts.n; i++)
		buf_addf(&text, "%s\n", b->hosts.v[i]);
	plan_step(pl, &op_etc_file, "/etc/hosts", of_host ? "/etc/hosts" : NULL, text.data, 0);
}

void plan_etc(struct planner *pl)
{
	const char *name = pl->spec->hostname ? pl->spec->hostname : "ketch";
	bool of_host = pl->spec->network == NETWORK_HOST && !pl->facts->in_guest;

	plan_step_take(pl, &op_etc_file, "/etc/hostname", str_printf("%s\n", name), 0);
	add_hosts(pl, of_host, name);
	if (of_host)
		plan_step(pl, &op_etc_file, "/etc/resolv.conf", "/etc/resolv.conf", NULL, 0);
	else
		plan_step(pl, &op_etc_file, "/etc/resolv.conf", NULL, "# no network\n", 0);
	if (pl->spec->sandbox.localtime)
		plan_step(pl, &op_etc_file, "/etc/localtime", NULL, pl->spec->sandbox.localtime, STEP_HEX);
}
