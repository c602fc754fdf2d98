/* test_network.c - a real virtual machine under QEMU on taps, whose other side is a network namespace of this program
 *
 * KETCH_BOX_KVM=1: QEMU with KVM, =kvm: our own hypervisor, where a stock kernel boots under it (in the bed, say).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "box.h"
#include "instance/net_change.h"
#include "sys/loopback.h"
#include "sys/rtnetlink.h"
#include "sys/tap.h"

#define SH(script) ((const char *const[]){ "sh", "-c", script, NULL })
#define BYTES	   (4 << 20)
#define PORT	   4000

static struct rt_link_info link_of(const char *name)
{
	autoclose int nl = nl_open(NETLINK_ROUTE);
	struct rt_link_info l;

	assert_int_equal(rt_link_find(nl, name, &l), 0);
	return l;
}

/* The host's side of a tap: up, with these addresses. */
static void set_up_tap(const char *name, uint32_t mtu, const char *const addresses[2])
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autoclose int nl = nl_open(NETLINK_ROUTE);
	int index = link_of(name).index;

	rt_link_change(&b, &(struct rt_link){ .index = index, .mtu = mtu, .up = true });
	for (int i = 0; i < 2; i++) {
		struct ip_prefix p;

		if (addresses[i] && ip_parse_prefix(addresses[i], &p) == 0)
			rt_address_add(&b, index, &p);
	}
	assert_int_equal(nl_run(nl, &b, NULL), 0);
}

static void give_tap(struct box *b, size_t i, const char *link)
{
	char name[32];
	int fd = tap_open(link);

	assert_true(fd >= 0);
	snprintf(name, sizeof(name), "tap/%zu", i);
	assert_int_equal(boot_add_fd(&b->boot, name, fd), 0);
}

static void attach(struct box *b, size_t i, const struct net_port *p)
{
	assert_int_equal(json_copy(&net_port_table, p, &b->boot.spec.net.attachments[i].given), 0);
	give_tap(b, i, p->link);
}

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

#define TWO(a, b) ((const char *const[2]){ a, b })

/* On two networks, with a card to spare.  Their names are the other way round than the kernel would have them. */
static struct box *box_on_networks(void)
{
	const struct net_port ports[] = {
		{ .link = text("kt0"),
		  .name = text("eth1"),
		  .mac = text("02:42:0a:58:00:05"),
		  .address = text("10.88.0.5/16"),
		  .address6 = text("fd00:88::5/64"),
		  .gateway = text("10.88.0.1"),
		  .gateway6 = text("fd00:88::1"),
		  .mtu = 1400 },
		{ .link = text("kt1"),
		  .name = text("eth0"),
		  .mac = text("02:42:0a:59:00:05"),
		  .address = text("10.89.0.5/24") },
	};
	struct box *b = box_new();
	struct net_spec *n = &b->boot.spec.net;

	b->boot.spec.network = NETWORK_ATTACHED;
	n->attachments = calloc(2, sizeof(*n->attachments));
	n->n_attachments = 2;
	attach(b, 0, &ports[0]);
	attach(b, 1, &ports[1]);
	n->spare.mac = strdup("02:4b:00:00:00:01");
	give_tap(b, 2, "kt2");
	set_up_tap("kt0", 1400, TWO("10.88.0.1/16", "fd00:88::1/64"));
	set_up_tap("kt1", 1500, TWO("10.89.0.1/24", NULL));
	set_up_tap("kt2", 1500, TWO("10.90.0.1/24", "fd00:90::1/64"));
	return b;
}

static const char *said(struct box *b, uint32_t stream, const char *script)
{
	box_run(b, stream, SH(script), NULL);
	if (box_wait_exit(b, stream))
		fail_msg("%s: %s", script, b->streams[stream].err.data);
	return b->streams[stream].out.data ? b->streams[stream].out.data : "";
}

static void assert_has(const char *haystack, const char *needle)
{
	if (!strstr(haystack, needle))
		fail_msg("no \"%s\" in:\n%s", needle, haystack);
}

static void assert_has_not(const char *haystack, const char *needle)
{
	if (strstr(haystack, needle))
		fail_msg("\"%s\" in:\n%s", needle, haystack);
}

static int listen_on(const char *address, int family)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool six = family == AF_INET6;

	assert_int_equal(inet_pton(family, address, six ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr), 1);
	assert_int_equal(bind(fd, six ? (void *)&a6 : (void *)&a4, six ? sizeof(a6) : sizeof(a4)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* Turns the loop until somebody has connected. */
static int accept_one(struct box *b, int listening)
{
	struct pollfd p = { .fd = listening, .events = POLLIN };

	while (poll(&p, 1, 0) == 0)
		assert_true(loop_once(b->loop, 50) >= 0);
	return accept4(listening, NULL, NULL, SOCK_CLOEXEC);
}

/* What the guest sends is BYTES long, and sent back. */
static void bytes_come_back(struct box *b, uint32_t stream, int listening, const char *address)
{
	autofree char *script = str_printf("head -c %d /dev/urandom >/tmp/a; nc %s %d </tmp/a | cmp - /tmp/a",
					   BYTES, address, PORT);
	autofree char *data = malloc(BYTES);
	size_t n = 0;
	ssize_t r;
	int c;

	box_run(b, stream, SH(script), NULL);
	c = accept_one(b, listening);
	while (n < BYTES && (r = recv(c, data + n, BYTES - n, 0)) > 0)
		n += (size_t)r;
	assert_int_equal(n, BYTES);
	assert_int_equal(write_full(c, data, n), 0);
	close(c);
	if (box_wait_exit(b, stream))
		fail_msg("%s: other bytes came back: %s", address, b->streams[stream].out.data);
}

static void a_machine_is_on_its_networks_under_the_names_that_were_given(void **state)
{
	autoclose int four = -1, six = -1;
	struct box *b = box_on_networks();
	const char *out;

	*state = b;
	box_start(b);
	box_run(b, 0, SH("sleep 1000"), NULL);
	out = said(b, 1, "ip -o link; ip -o addr; ip route; ip -6 route; cat /proc/net/dev");
	assert_has(out, "eth1: <");
	assert_has(out, ",MULTICAST,UP,LOWER_UP> mtu 1400");
	assert_has(out, "10.88.0.5/16");
	assert_has(out, "fd00:88::5/64 scope global");
	assert_has(out, "10.89.0.5/24");
	assert_has(out, "default via 10.88.0.1 dev eth1");
	assert_has(out, "default via fd00:88::1 dev eth1");
	assert_has_not(out, "tentative");
	/* the spare card, and names on the way */
	assert_has_not(out, "eth2");
	assert_has_not(out, "card");
	four = listen_on("10.88.0.1", AF_INET);
	bytes_come_back(b, 2, four, "10.88.0.1");
	six = listen_on("fd00:88::1", AF_INET6);
	bytes_come_back(b, 3, six, "fd00:88::1");
}

/* --- changes */

static void change(struct box *b, bool leave, const struct net_port *p)
{
	const struct net_change c = { leave, *p };
	AUTO(buf_done) struct buf json = { 0 };

	assert_int_equal(json_print(&net_change_table, &c, 0, &json), 0);
	free(b->network_reply);
	b->network_reply = NULL;
	b->network_errno = -1;
	box_send(b, MSG_NETWORK, 0, json.data, json.len);
	while (b->network_errno < 0)
		assert_true(loop_once(b->loop, 100000) > 0);
}

static void cards_come_and_go_while_it_runs(void **state)
{
	struct net_port port = { .name = text("eth2"),
				 .mac = text("02:4b:00:00:00:01"),
				 .address = text("10.90.0.7/24"),
				 .address6 = text("fd00:90::7/64") };
	struct box *b = box_on_networks();
	autoclose int four = -1;
	const char *out;

	*state = b;
	box_start(b);
	box_run(b, 0, SH("sleep 1000"), NULL);
	port.name = text("eth0");
	change(b, false, &port); /* which it has */
	assert_int_equal(b->network_errno, EEXIST);
	port.mac = text("02:4b:00:00:00:02");
	change(b, false, &port);
	assert_int_equal(b->network_errno, ENODEV);
	assert_has(b->network_reply, "no network card 02:4b:00:00:00:02");
	port.mac = text("02:4b:00:00:00:01");
	port.name = text("eth2");
	change(b, false, &port);
	assert_int_equal(b->network_errno, 0);
	out = said(b, 1, "ip -o link; ip -o addr");
	assert_has(out, "eth2: <");
	assert_has(out, "10.90.0.7/24");
	assert_has(out, "fd00:90::7/64");
	four = listen_on("10.90.0.1", AF_INET);
	bytes_come_back(b, 2, four, "10.90.0.1");
	change(b, true, &port);
	assert_int_equal(b->network_errno, 0);
	change(b, true, &port);
	assert_int_equal(b->network_errno, ENODEV);
	out = said(b, 3, "ip -o link");
	assert_has_not(out, "eth2");
	assert_has_not(out, "card");
	assert_has(out, "eth1");
}

static int close_box(void **state)
{
	struct box *b = *state;

	box_free(b);
	assert_int_equal(if_nametoindex("kt0") + if_nametoindex("kt1") + if_nametoindex("kt2"), 0);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_machine_is_on_its_networks_under_the_names_that_were_given,
					  close_box),
		cmocka_unit_test_teardown(cards_come_and_go_while_it_runs, close_box),
	};
	const char *missing = box_missing();
	int fd = -1;

	if (!missing && (unshare(CLONE_NEWNET) < 0 || loopback_up() < 0 || (fd = tap_open("kt")) < 0))
		missing = "no network namespace or no /dev/net/tun";
	if (missing) {
		printf("1..0 # skip networks of virtual machines cannot be tested here: %s\n", missing);
		return 77;
	}
	close(fd);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
