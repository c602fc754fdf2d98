/* request_mount.c - --mount type=...,source=...,target=...: Docker's words, and Podman's for the same */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/parse.h"
#include "engine/mount_words.h"
#include "engine/request.h"

/* What was said, before the type tells what it means. */
struct mount_words {
	char *type, *source, *target;
	struct mount_spec mount; /* all else */
	bool nocopy, tmpcopyup;
	const char *bind_word, *volume_word, *tmpfs_word; /* the first option that only this type has */
};

static void words_done(struct mount_words *w)
{
	/* the mount has moved to its place */
	free(w->type);
	free(w->source);
	free(w->target);
}

static int set_text(char **slot, const char *value, struct err *e)
{
	free(*slot);
	*slot = strdup(value);
	return *slot ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* "", "1", "true", "0", "false" as Go's ParseBool reads them. */
static int parse_bool(const char *key, const char *value, bool *ret, struct err *e)
{
	static const char *const words[] = { "0", "f", "F", "false", "FALSE", "False",
					     "1", "t", "T", "true",  "TRUE",  "True" };

	*ret = true;
	if (!value)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(words[i], value)) {
			*ret = i >= ARRAY_LEN(words) / 2;
			return 0;
		}
	}
	return err_set(e, EINVAL, "invalid value for %s: %.40s", key, value);
}

static int do_type(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	return set_text(&w->type, value, e);
}

static int do_source(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	return set_text(&w->source, value, e);
}

static int do_target(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	return set_text(&w->target, value, e);
}

static int do_read_only(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	bool yes;
	int r = parse_bool(key, value, &yes, e);

	if (r == 0)
		w->mount.read_only = yes == (strcmp(key, "rw") != 0);
	return r;
}

static int do_flag_word(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	return value ? err_set(e, EINVAL, "'%s' takes no value", key) : mount_add_option(&w->mount, key, e);
}

static int do_relabel(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	return mount_apply_word(&w->mount, strcmp(value, "private") ? "z" : "Z", e);
}

static int do_consistency(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	return 0; /* a word of Docker Desktop for macOS */
}

static int do_refuse(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	return mount_apply_word(&w->mount, key, e);
}

static int do_propagation(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->bind_word = key;
	if (!strstr(value, "private") && !strstr(value, "slave") && !strstr(value, "shared"))
		return err_set(e, EINVAL, "invalid propagation value: %.40s", value);
	w->mount.type = MOUNT_BIND;
	return mount_apply_word(&w->mount, value, e);
}

static int do_nonrecursive(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->bind_word = key;
	return parse_bool(key, value, &w->mount.shallow, e);
}

/* Docker 25: "readonly" demands what Ketch always does, "writable" leaves what is mounted below as it is. */
static int do_recursive(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	bool yes = true;

	w->bind_word = key;
	w->mount.read_only_top = !strcmp(value, "writable");
	if (w->mount.read_only_top || !strcmp(value, "readonly") || !strcmp(value, "enabled"))
		return 0;
	if (strcmp(value, "disabled") && parse_bool(key, value, &yes, e) < 0)
		return -e->no;
	w->mount.shallow = !strcmp(value, "disabled") || !yes;
	return 0;
}

static int do_nocopy(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->volume_word = key;
	return parse_bool(key, value, &w->nocopy, e);
}

static int do_subpath(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->volume_word = key;
	if (*value == '/' || strstr(value, ".."))
		return err_set(e, EINVAL, "%s must be a relative path within the volume", key);
	return set_text(&w->mount.subpath, value, e);
}

static int do_label(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->volume_word = key;
	return strv_env_set(&w->mount.volume_labels, value) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int do_driver(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->volume_word = key;
	return strcmp(value, "local") && *value
		       ? err_set(e, ENOTSUP, "there is no volume driver '%.40s', only local", value)
		       : 0;
}

static int do_volume_opt(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->volume_word = key;
	return strv_env_set(&w->mount.volume_options, value) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int do_tmpfs_size(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	autofree char *text = NULL;
	uint64_t bytes;

	w->tmpfs_word = key;
	if (parse_bytes(value, &bytes) < 0)
		return err_set(e, EINVAL, "invalid value for %s: %.40s", key, value);
	text = str_printf("size=%llu", (unsigned long long)bytes);
	return text ? mount_add_option(&w->mount, text, e) : err_set(e, ENOMEM, "out of memory");
}

static int do_tmpfs_mode(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	char text[16] = "mode=";
	uint32_t mode;

	w->tmpfs_word = key;
	if (parse_mode(value, &mode) < 0)
		return err_set(e, EINVAL, "invalid value for %s: %.40s", key, value);
	snprintf(text, sizeof(text), "mode=%04o", mode);
	return mount_add_option(&w->mount, text, e);
}

static int do_tmpcopyup(struct mount_words *w, const char *key, const char *value, struct err *e)
{
	w->tmpfs_word = key;
	w->tmpcopyup = *key == 't';
	return 0;
}

/* A key with `bare` may stand without a value. */
static const struct {
	const char *key;
	bool bare;
	int (*apply)(struct mount_words *w, const char *key, const char *value, struct err *e);
} keys[] = {
	{ "type", false, do_type },
	{ "source", false, do_source },
	{ "src", false, do_source },
	{ "target", false, do_target },
	{ "destination", false, do_target },
	{ "dst", false, do_target },
	{ "readonly", true, do_read_only },
	{ "ro", true, do_read_only },
	{ "rw", true, do_read_only },
	{ "nosuid", true, do_flag_word },
	{ "nodev", true, do_flag_word },
	{ "noexec", true, do_flag_word },
	{ "relabel", false, do_relabel },
	{ "consistency", false, do_consistency },
	{ "U", true, do_refuse },
	{ "chown", true, do_refuse },
	{ "idmap", true, do_refuse },
	{ "bind-propagation", false, do_propagation },
	{ "bind-nonrecursive", true, do_nonrecursive },
	{ "bind-recursive", false, do_recursive },
	{ "volume-nocopy", true, do_nocopy },
	{ "volume-subpath", false, do_subpath },
	{ "volume-label", false, do_label },
	{ "volume-driver", false, do_driver },
	{ "volume-opt", false, do_volume_opt },
	{ "tmpfs-size", false, do_tmpfs_size },
	{ "tmpfs-mode", false, do_tmpfs_mode },
	{ "tmpcopyup", true, do_tmpcopyup },
	{ "notmpcopyup", true, do_tmpcopyup },
};

static int take_field(struct mount_words *w, char *field, struct err *e)
{
	char *value = strchr(field, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcasecmp(keys[i].key, field))
			continue;
		if (!value && !keys[i].bare)
			return err_set(e, EINVAL, "invalid field '%s' must be a key=value pair", keys[i].key);
		return keys[i].apply(w, keys[i].key, value, e);
	}
	if (!value)
		return err_set(e, EINVAL, "invalid field '%.60s' must be a key=value pair", field);
	return err_set(e, EINVAL, "unexpected key '%.60s'", field);
}

/* The next field of a line of CSV, where a field in quotes may hold commas and doubled quotes; *text goes behind it.
 * NULL when memory is out. */
static char *next_field(const char **text)
{
	bool quoted = **text == '"';
	struct buf b = { 0 };
	const char *p = *text + quoted;

	for (; *p && (quoted || *p != ','); p++) {
		if (quoted && *p == '"' && p[1] != '"')
			quoted = false;
		else
			buf_addc(&b, quoted && *p == '"' ? *p++ : *p);
	}
	*text = p;
	return buf_take(&b);
}

static int mixed(const char *word, const char *type, struct err *e)
{
	return err_set(e, EINVAL, "cannot mix '%s' with mount type '%s'", word, type);
}

static int check_mix(const struct mount_words *w, int type, struct err *e)
{
	const char *word = type != MOUNT_BIND && w->bind_word	    ? w->bind_word
			   : type != MOUNT_VOLUME && w->volume_word ? w->volume_word
			   : type != MOUNT_TMPFS && w->tmpfs_word   ? w->tmpfs_word
								    : NULL;

	return word ? mixed(word, mount_type_names[type], e) : 0;
}

static int type_of(const struct mount_words *w, int *ret, struct err *e)
{
	const char *type = w->type ? w->type : "volume";

	for (int i = 0; i < MOUNT_TYPE_N; i++) {
		if (!strcmp(mount_type_names[i], type)) {
			*ret = i;
			return 0;
		}
	}
	if (!strcmp(type, "image"))
		return err_set(e, ENOTSUP,
			       "type=image is not supported: ketch cp takes files out of an image");
	return err_set(e, EINVAL, "mount type unknown: '%.40s' (bind, volume and tmpfs are known)", type);
}

static int finish(struct mount_words *w, struct mount_spec *m, struct err *e)
{
	int type, r = type_of(w, &type, e);

	if (r == 0 && !w->target)
		r = err_set(e, EINVAL, "target is required");
	if (r == 0)
		r = check_mix(w, type, e);
	if (r == 0)
		r = mount_set_target(m, type, w->target, e);
	if (r < 0)
		return r;
	if (type == MOUNT_BIND && (!w->source || !*w->source))
		return err_set(e, EINVAL, "a bind needs a source");
	if (type == MOUNT_TMPFS && w->source && *w->source)
		return err_set(e, EINVAL, "a tmpfs has no source");
	if (type == MOUNT_BIND)
		return mount_set_bind(m, w->source, e);
	if (type == MOUNT_VOLUME)
		r = mount_set_volume(m, w->source, e);
	m->copy_up = type == MOUNT_VOLUME ? !w->nocopy && !m->subpath : w->tmpcopyup;
	return r;
}

int request_mount(const char *text, struct mount_spec *ret, struct err *e)
{
	AUTO(words_done) struct mount_words w = { 0 };
	const char *p = text;
	int r = 0;

	for (bool more = true; more && r == 0; p += more) {
		autofree char *field = next_field(&p);

		more = *p == ',';
		r = field ? take_field(&w, field, e) : err_set(e, ENOMEM, "out of memory");
	}
	*ret = w.mount; /* what it owns is freed with the spec */
	return r == 0 ? finish(&w, ret, e) : r;
}
