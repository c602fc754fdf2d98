/* net_pool.c - a port that is ready, for the first network of a container that starts */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/net_int.h"

int net_pool_ask(struct engine *en, const struct instance_spec *s)
{
	char path[POOL_PATH_MAX + 1];

	if (s->isolation != ISOLATION_CONTAINER || !s->net.n_attachments || !s->net.attachments[0].network ||
	    strlen(s->net.attachments[0].network) != NETWORK_ID_LEN)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/networks/%s", en->run_fd,
		 s->net.attachments[0].network);
	return pool_ask(path);
}

void net_pool_renew(struct net_work *w, const struct network *n)
{
	autoclose int dir = openat(w->dir, n->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir >= 0)
		pool_end(dir);
}

int network_pool_ready(struct engine *en, const struct network *n, uint32_t *ret, struct err *e)
{
	autoclose int rt = port_open_host(e);

	return rt < 0 ? rt : pool_count(rt, n, ret, e);
}
