/* auth_text.c - what a file of credentials says, and what it says after a change; pure */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "registry/auth.h"

struct entry {
	char *server; /* as it is written: "host", "host/path", "https://host/v1/" */
	char *auth; /* base64 of user:password */
	char *user, *password; /* older files have them apart */
	char *identity_token;
};

struct auth_file {
	struct entry *entries;
	size_t n_entries;
	struct strv helpers; /* "host=name" */
	char *store;
};

static const struct jfield entry_fields[] = {
	J(J_STR, struct entry, auth),
	JK(J_STR, struct entry, user, "username"),
	JK(J_STR, struct entry, password, "password"),
	JK(J_STR, struct entry, identity_token, "identitytoken"),
	{ 0 },
};
static const struct jtable entry_table = { sizeof(struct entry), entry_fields };

static const struct jfield file_fields[] = {
	JM(struct auth_file, entries, n_entries, "auths", &entry_table),
	JK(J_MAP, struct auth_file, helpers, "credHelpers"),
	JK(J_STR, struct auth_file, store, "credsStore"),
	{ 0 },
};
static const struct jtable file_table = { sizeof(struct auth_file), file_fields };

static void file_done(struct auth_file *f)
{
	json_done(&file_table, f);
}

void credentials_done(struct credentials *c)
{
	if (c->password)
		explicit_bzero(c->password, strlen(c->password));
	free(c->user);
	free(c->password);
	free(c->identity_token);
	*c = (struct credentials){ 0 };
}

void auth_answer_done(struct auth_answer *a)
{
	credentials_done(&a->credentials);
	free(a->helper);
	*a = (struct auth_answer){ 0 };
}

/* --- servers and their names */

/* The host of a key that Docker wrote: no scheme, no "/v1/" or "/v2/" behind; docker.io has several names. */
static char *plain_key(const char *key)
{
	const char *s = !strncmp(key, "https://", 8) ? key + 8 : !strncmp(key, "http://", 7) ? key + 7 : key;
	size_t n = strlen(s);

	while (n && s[n - 1] == '/')
		n--;
	if (n > 3 && (!strncmp(s + n - 3, "/v1", 3) || !strncmp(s + n - 3, "/v2", 3)))
		n -= 3;
	if ((n == 15 && !strncmp(s, "index.docker.io", n)) ||
	    (n == 20 && !strncmp(s, "registry-1.docker.io", n)))
		return strdup("docker.io");
	return strndup(s, n);
}

static bool key_is(const char *key, const char *name, size_t n)
{
	autofree char *plain = plain_key(key);

	return plain && strlen(plain) == n && !strncmp(plain, name, n);
}

/* "host/a/b" -> "host/a" -> "host" -> 0 */
static size_t shorter(const char *name, size_t n)
{
	while (n && name[n - 1] != '/')
		n--;
	return n ? n - 1 : 0;
}

/* --- asking */

static char *dup_or_null(const char *s)
{
	return s && *s ? strdup(s) : NULL;
}

static int take_entry(const struct entry *en, struct credentials *ret, struct err *e)
{
	AUTO(buf_done) struct buf both = { 0 };
	char *colon;

	ret->identity_token = dup_or_null(en->identity_token);
	ret->user = dup_or_null(en->user);
	ret->password = dup_or_null(en->password);
	if (!en->auth || !*en->auth)
		return 0;
	if (base64_decode(&both, en->auth, strlen(en->auth)) < 0 || !buf_ok(&both) || !both.len ||
	    memchr(both.data, '\0', both.len) || !(colon = strchr(both.data, ':')))
		return err_set(e, EINVAL, "its \"auth\" is not base64 of user:password");
	credentials_done(&(struct credentials){ ret->user, ret->password, NULL });
	ret->user = strndup(both.data, (size_t)(colon - both.data));
	ret->password = strdup(colon + 1);
	explicit_bzero(both.data, both.len);
	return ret->user && ret->password ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int parse(const char *text, size_t n, struct auth_file *ret, struct err *e)
{
	if (n > AUTH_FILE_MAX)
		return err_set(e, EFBIG, "larger than %d MiB", AUTH_FILE_MAX >> 20);
	return json_parse(&file_table, text, n, JSON_UNIQUE, ret, e);
}

static int use_helper(const char *helper, struct auth_answer *ret, struct err *e)
{
	ret->helper = strdup(helper);
	ret->found = ret->helper != NULL;
	return ret->helper ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* A helper for the server itself goes before what is written, and that before the one for all. */
static int find(const struct auth_file *f, const char *name, struct auth_answer *ret, struct err *e)
{
	size_t host = strcspn(name, "/");

	for (size_t i = 0; i < f->helpers.n; i++) {
		autofree char *key = strndup(f->helpers.v[i], strcspn(f->helpers.v[i], "="));

		if (key && key_is(key, name, host))
			return use_helper(strchr(f->helpers.v[i], '=') + 1, ret, e);
	}
	for (size_t n = strlen(name); n; n = shorter(name, n))
		for (size_t i = 0; i < f->n_entries; i++) {
			const struct entry *en = &f->entries[i];
			int r;

			if (!key_is(en->server, name, n))
				continue;
			r = take_entry(en, &ret->credentials, e);
			ret->found = r == 0 && (ret->credentials.user || ret->credentials.identity_token);
			if (r < 0 || ret->found)
				return r;
		}
	return f->store && *f->store ? use_helper(f->store, ret, e) : 0;
}

int auth_file_find(const char *text, size_t n, const char *name, struct auth_answer *ret, struct err *e)
{
	AUTO(file_done) struct auth_file f = { 0 };
	struct auth_answer a = { 0 };
	int r = parse(text, n, &f, e);

	if (r == 0)
		r = find(&f, name, &a, e);
	if (r < 0) {
		auth_answer_done(&a);
		return r;
	}
	*ret = a;
	return 0;
}

/* --- changing: everything else in the file stays as it is */

static void remove_member(struct json_value *object, size_t i)
{
	struct json_value gone = { .kind = JSON_OBJECT,
				   .n = 1,
				   .members = malloc(sizeof(struct json_member)) };

	if (!gone.members)
		return;
	gone.members[0] = object->members[i];
	memmove(&object->members[i], &object->members[i + 1], (object->n - i - 1) * sizeof(*object->members));
	object->n--;
	json_tree_done(&gone);
}

static bool remove_server(struct json_value *auths, const char *server)
{
	bool any = false;

	for (size_t i = auths->n; i-- > 0;)
		if (!server || key_is(auths->members[i].key, server, strlen(server))) {
			remove_member(auths, i);
			any = true;
		}
	return any;
}

/* The member `key` of an object, made as an empty object if it is missing; NULL: no memory, or it is something else. */
static struct json_value *object_in(struct json_value *in, const char *key)
{
	struct json_member *m = json_tree_find(in, key), *more;

	if (m)
		return m->value.kind == JSON_OBJECT ? &m->value : NULL;
	more = reallocarray(in->members, in->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	in->members = more;
	more[in->n] = (struct json_member){ .key = strdup(key), .value = { .kind = JSON_OBJECT } };
	return more[in->n].key ? &more[in->n++].value : NULL;
}

static bool set_string(struct json_value *object, const char *key, const char *value)
{
	struct json_value *v = object_in(object, key);

	if (!v)
		return false;
	v->string = strdup(value);
	v->kind = v->string ? JSON_STRING : JSON_NULL;
	return v->string;
}

static int add_server(struct json_value *auths, const char *server, const struct credentials *c,
		      struct err *e)
{
	AUTO(buf_done) struct buf both = { 0 }, auth = { 0 };
	struct json_value *entry =
		object_in(auths, !strcmp(server, "docker.io") ? "https://index.docker.io/v1/" : server);
	bool ok;

	buf_addf(&both, "%s:%s", c->user ? c->user : "",
		 c->identity_token || !c->password ? "" : c->password);
	base64_add(&auth, both.data, both.len);
	ok = entry && buf_ok(&both) && buf_ok(&auth) && set_string(entry, "auth", auth.data) &&
	     (!c->identity_token || set_string(entry, "identitytoken", c->identity_token));
	return ok ? 0 : err_set(e, ENOMEM, "out of memory");
}

int auth_file_change(const char *text, size_t n, const char *server, const struct credentials *c,
		     struct buf *out, bool *ret_changed, struct err *e)
{
	AUTO(json_tree_done) struct json_value root = { .kind = JSON_OBJECT };
	struct json_value *auths;
	int r = n ? json_tree_parse(text, n, &root, e) : 0;

	if (r < 0)
		return r;
	if (root.kind != JSON_OBJECT)
		return err_set(e, EINVAL, "it is no object");
	auths = object_in(&root, "auths");
	if (!auths)
		return err_set(e, EINVAL, "\"auths\" is no object");
	*ret_changed = remove_server(auths, server) || c;
	r = c ? add_server(auths, server, c, e) : 0;
	if (r < 0)
		return r;
	json_tree_print(&root, out);
	buf_addc(out, '\n');
	return buf_ok(out) ? 0 : err_set(e, ENOMEM, "out of memory");
}
