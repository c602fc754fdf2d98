/* use_fs.c - file system device (virtio 1.2, section 5.11) with virtiofsd behind it: INIT, LOOKUP, OPEN, READ (FUSE) */
#include "virtio.h"

#define REQUESTS 1
#define ROOT_INO 1
#define NAME	 "hello" /* what the harness has put into the directory */
#define CONTENT	 "shared bytes\n"

enum { LOOKUP = 1, OPEN = 14, READ = 15, INIT = 26 };

struct in_header {
	uint32_t len, opcode, unique, unique_high, node, node_high, uid, gid, pid, padding;
};

struct out_header {
	uint32_t len;
	int32_t error;
	uint32_t unique, unique_high;
};

static uint8_t *const in = (uint8_t *)BUFFERS, *const out = (uint8_t *)BUFFERS + 8192;

/* A request with `n` bytes of arguments at in + 40; the answer's are at out + 16: returns how many. */
static uint32_t ask(struct device *d, uint32_t opcode, uint32_t node, uint32_t n)
{
	static uint32_t unique;
	struct in_header *h = (struct in_header *)in;
	struct out_header *o = (struct out_header *)out;
	const struct buffer buffers[] = { { in, sizeof(*h) + n, false }, { out, 4096 + 16, true } };

	*h = (struct in_header){
		.len = sizeof(*h) + n, .opcode = opcode, .unique = ++unique, .node = node, .pid = 1
	};
	memset(out, 0xaa, 4096);
	queue_do(d, &d->queues[REQUESTS], buffers, 2, "the file server does not answer");
	if (o->unique != h->unique || o->error)
		fail("the file server answers with an error");
	return o->len - (uint32_t)sizeof(*o);
}

static void use(struct device *d)
{
	uint32_t *args = (uint32_t *)(in + sizeof(struct in_header));
	uint32_t *answer = (uint32_t *)(out + sizeof(struct out_header)), node, handle[2];

	memset(args, 0, 256);
	args[0] = 7; /* the version of FUSE, and 31 of the minor one */
	args[1] = 31;
	if (ask(d, INIT, 0, 16) < 8 || answer[0] != 7)
		fail("no answer to INIT");
	memcpy(args, NAME, sizeof(NAME));
	ask(d, LOOKUP, ROOT_INO, sizeof(NAME));
	node = answer[0];
	memset(args, 0, 256);
	ask(d, OPEN, node, 8);
	memcpy(handle, answer, sizeof(handle));
	memcpy(args, handle, sizeof(handle));
	args[4] = 4096; /* behind the offset */
	if (ask(d, READ, node, 40) != sizeof(CONTENT) - 1 || memcmp(answer, CONTENT, sizeof(CONTENT) - 1))
		fail("the file reads wrong");
}

static void request(uint8_t *at)
{
	struct in_header *h = (struct in_header *)at;

	*h = (struct in_header){ .len = random_below(2) ? sizeof(*h) + random_below(24) : random32(),
				 .opcode = random_below(50),
				 .unique = random32(),
				 .node = random_below(4) };
}

const struct kind kind_fs = {
	.name = "fs",
	.id = 26,
	.n_queues = 2,
	.most_queues = 2,
	.use = use,
	.request = request,
};
