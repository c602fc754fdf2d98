/* inspect_network.c - the networks of an instance as docker inspect shows them */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/inspect_int.h"
#include "cli/port_words.h"

static const struct jfield network_fields[] = {
	JK(J_STRV, struct view_network, aliases, "Aliases"),
	JK(J_STR, struct view_network, mac, "MacAddress"),
	JK(J_STR, struct view_network, id, "NetworkID"),
	JK(J_STR, struct view_network, endpoint, "EndpointID"),
	JK(J_STR, struct view_network, gateway, "Gateway"),
	JK(J_STR, struct view_network, address, "IPAddress"),
	JK(J_INT, struct view_network, bits, "IPPrefixLen"),
	JK(J_STR, struct view_network, gateway6, "IPv6Gateway"),
	JK(J_STR, struct view_network, address6, "GlobalIPv6Address"),
	JK(J_INT, struct view_network, bits6, "GlobalIPv6PrefixLen"),
	{ 0 },
};
static const struct jtable network_table = { sizeof(struct view_network), network_fields };

/* The first network stands by itself, too: for templates of before there were several. */
static const struct jfield settings_fields[] = {
	JK(J_RAW, struct view, ports, "Ports"),
	JK(J_STR, struct view, network.gateway, "Gateway"),
	JK(J_STR, struct view, network.address, "IPAddress"),
	JK(J_INT, struct view, network.bits, "IPPrefixLen"),
	JK(J_STR, struct view, network.gateway6, "IPv6Gateway"),
	JK(J_STR, struct view, network.address6, "GlobalIPv6Address"),
	JK(J_INT, struct view, network.bits6, "GlobalIPv6PrefixLen"),
	JK(J_STR, struct view, network.mac, "MacAddress"),
	JM(struct view, networks, n_networks, "Networks", &network_table),
	{ 0 },
};
const struct jtable view_network_settings_table = { sizeof(struct view), settings_fields };

/* "10.88.0.5/16" becomes its two parts; "" and 0 where there is none. */
static int take_address(const char *text, char **ret, int *ret_bits)
{
	size_t n = text ? strcspn(text, "/") : 0;

	*ret = strndup(text ? text : "", n);
	*ret_bits = text && text[n] ? atoi(text + n + 1) : 0;
	return *ret ? 0 : -ENOMEM;
}

static char *or_empty(const char *s)
{
	return strdup(s ? s : "");
}

static int fill_one(const struct net_attachment *a, struct view_network *v)
{
	const struct net_port *p = &a->given;
	int r = strv_copy(&v->aliases, &a->aliases);

	v->name = or_empty(a->network_name);
	v->id = or_empty(a->network);
	v->endpoint = or_empty(p->link);
	v->mac = or_empty(p->mac ? p->mac : a->mac);
	v->gateway = or_empty(p->gateway ? p->gateway : p->dns);
	v->gateway6 = or_empty(p->gateway6);
	if (r == 0)
		r = take_address(p->address, &v->address, &v->bits);
	if (r == 0)
		r = take_address(p->address6, &v->address6, &v->bits6);
	return r == 0 && v->name && v->id && v->endpoint && v->mac && v->gateway && v->gateway6 ? 0 : -ENOMEM;
}

static void done_one(struct view_network *v)
{
	strv_done(&v->aliases);
	free(v->name);
	free(v->id);
	free(v->endpoint);
	free(v->mac);
	free(v->gateway);
	free(v->gateway6);
	free(v->address);
	free(v->address6);
}

/* One that has no interfaces of its own is still named, as Docker does. */
static int fill_other(const struct instance_spec *s, struct view *v)
{
	const struct net_attachment none = { .network_name = (char *)network_names[s->network] };

	v->n_networks = 1;
	return fill_one(&none, &v->networks[0]);
}

/* {"80/tcp":{}} */
static void exposed_json(const struct strv *exposed, struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < exposed->n; i++)
		buf_addf(out, "%s\"%s\":{}", i ? "," : "", exposed->v[i]); /* checked: digits and a word */
	buf_addc(out, '}');
}

int view_fill_network(struct view *v)
{
	const struct instance_spec *s = &v->in.spec;
	struct buf mode = { 0 }, ports = { 0 }, bindings = { 0 }, exposed = { 0 };
	int r = 0;

	v->networks = calloc(s->net.n_attachments + 1, sizeof(*v->networks));
	if (!v->networks)
		return -ENOMEM;
	for (size_t i = 0; i < s->net.n_attachments && r == 0 && s->network == NETWORK_ATTACHED; i++) {
		v->n_networks = i + 1;
		r = fill_one(&s->net.attachments[i], &v->networks[i]);
	}
	if (r == 0 && s->network != NETWORK_ATTACHED && s->network != NETWORK_CONTAINER)
		r = fill_other(s, v);
	if (r == 0 && v->n_networks)
		v->network = v->networks[0]; /* borrows */
	network_words(s, &mode);
	if (s->network == NETWORK_ATTACHED && mode.data)
		mode.data[strcspn(mode.data, ",")] = '\0';
	port_json(&s->net, true, &ports);
	port_json(&s->net, false, &bindings);
	exposed_json(&s->net.exposed, &exposed);
	v->exposed = buf_take(&exposed);
	v->network_mode = buf_take(&mode);
	v->ports = instance_is_live(&v->in.state) ? buf_take(&ports) : strdup("{}");
	v->port_bindings = buf_take(&bindings);
	buf_done(&ports);
	return r == 0 && v->network_mode && v->ports && v->port_bindings && v->exposed ? 0 : -ENOMEM;
}

void view_network_done(struct view *v)
{
	for (size_t i = 0; i < v->n_networks; i++)
		done_one(&v->networks[i]);
	free(v->networks);
	free(v->network_mode);
	free(v->ports);
	free(v->port_bindings);
	free(v->exposed);
}
