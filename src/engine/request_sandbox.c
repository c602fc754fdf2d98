/* request_sandbox.c - how the inside differs from the usual: kernel settings, names, addresses, time zone */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "engine/request_int.h"

#define ZONES	 "/usr/share/zoneinfo"
#define MAX_ZONE 65536

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int set_str(char **dst, const char *s, struct err *e)
{
	*dst = s ? strdup(s) : NULL;
	return s && !*dst ? no_memory(e) : 0;
}

/* --- kernel settings; whether this wall can give them is its plan's to say */

static int take_sysctls(const struct strv *texts, struct sandbox *b, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->v[i], *eq = strchr(text, '=');
		autofree char *path = oci_sysctl_path(text, strcspn(text, "="));

		if (!path)
			return no_memory(e);
		if (!eq || !oci_sysctl_is_path(path) || strchr(text, '\n'))
			return err_set(e, EINVAL, "--sysctl: '%.80s' is not NAME=VALUE", text);
		if (strv_env_set(&b->sysctls, text) < 0)
			return no_memory(e);
	}
	return 0;
}

/* --- /etc/hosts */

static bool is_address(const char *s)
{
	unsigned char buf[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, s, buf) == 1 || inet_pton(AF_INET6, s, buf) == 1;
}

/* "NAME:ADDRESS"; an address of IPv6 may stand in brackets. */
static int take_host(const char *text, struct sandbox *b, struct err *e)
{
	size_t n = strcspn(text, ":=");
	autofree char *address = text[n] ? strdup(text + n + 1) : NULL;
	size_t len = address ? strlen(address) : 0;

	if (address && n && !strcmp(address, HOST_GATEWAY)) /* known at the start */
		return strv_addf(&b->hosts, HOST_GATEWAY "\t%.*s", (int)n, text) < 0 ? no_memory(e) : 0;
	if (len > 1 && address[0] == '[' && address[len - 1] == ']') {
		address[len - 1] = '\0';
		memmove(address, address + 1, len - 1);
	}
	if (!n || !address || !is_address(address) || strcspn(text, " \t\n") < n)
		return err_set(e, EINVAL, "--add-host: '%.80s' is not NAME:ADDRESS", text);
	return strv_addf(&b->hosts, "%s\t%.*s", address, (int)n, text) < 0 ? no_memory(e) : 0;
}

static int take_hosts(const struct sandbox_request *rq, struct sandbox *b, struct err *e)
{
	int r = 0;

	if (rq->no_hosts && rq->hosts.n)
		return err_set(e, EINVAL, "--no-hosts and --add-host exclude each other");
	b->no_hosts = rq->no_hosts;
	for (size_t i = 0; i < rq->hosts.n && r == 0; i++)
		r = take_host(rq->hosts.v[i], b, e);
	return r;
}

/* --- time zone */

static bool is_zone(const char *s)
{
	return *s && *s != '/' && !strstr(s, "..") &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-") == strlen(s);
}

/* The file goes along with the spec, since a guest has no zones of its own. */
static int take_timezone(const char *zone, struct sandbox *b, struct err *e)
{
	bool local = zone && !strcmp(zone, "local");
	autofree char *path = local ? strdup("/etc/localtime") : zone ? str_printf(ZONES "/%s", zone) : NULL;
	AUTO(buf_done) struct buf file = { 0 };
	int r;

	if (!zone)
		return 0;
	if (!is_zone(zone))
		return err_set(e, EINVAL, "--tz: '%.80s' is not a time zone such as Europe/Berlin, nor local",
			       zone);
	r = path ? read_file(AT_FDCWD, path, MAX_ZONE, &file) : -ENOMEM;
	if (r < 0)
		return err_sys(e, -r, "--tz: %s", path ? path : zone);
	if (file.len < 4 || memcmp(file.data, "TZif", 4))
		return err_set(e, EINVAL, "--tz: %s is not a time zone", path);
	b->localtime = malloc(file.len * 2 + 1);
	if (!b->localtime)
		return no_memory(e);
	hex_encode(file.data, (unsigned)file.len, b->localtime);
	return set_str(&b->timezone, zone, e);
}

/* --- all */

static int take_names(const struct sandbox_request *rq, struct sandbox *b, struct err *e)
{
	size_t n = rq->domainname ? strlen(rq->domainname) : 0;

	if (rq->domainname && (!n || n > 64 || strpbrk(rq->domainname, " \t\n/")))
		return err_set(e, EINVAL, "--domainname: '%.80s' is not a name of 1 to 64 bytes",
			       rq->domainname);
	return set_str(&b->domainname, rq->domainname, e);
}

int request_sandbox(const struct run_request *rq, const struct host_facts *h, struct instance_spec *s,
		    struct err *e)
{
	const struct sandbox_request *srq = &rq->sandbox;
	struct sandbox *b = &s->sandbox;
	int r = take_sysctls(&srq->sysctls, b, e);

	b->shm_bytes = srq->shm_bytes;
	b->system = srq->system;
	if (r == 0)
		r = take_hosts(srq, b, e);
	if (r == 0)
		r = take_names(srq, b, e);
	if (r == 0)
		r = take_timezone(srq->timezone, b, e);
	return r == 0 ? request_devices(srq, b, e) : r;
}
