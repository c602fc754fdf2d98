/* volume_name.c - how a volume may be called, and what its options make of it; pure */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "engine/volume.h"

#define NAME_BYTES_MAX 255 /* it is a directory */

#define DIGITS_AND_LETTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

int volume_name_check(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (!n || !strchr(DIGITS_AND_LETTERS, name[0]) || strspn(name, DIGITS_AND_LETTERS "_.-") != n)
		return err_set(
			e, EINVAL,
			"\"%.140s\" includes invalid characters for a volume name, only "
			"[a-zA-Z0-9][a-zA-Z0-9_.-] are allowed; a directory of the host is given by its "
			"absolute path",
			name);
	if (n < 2)
		return err_set(e, EINVAL, "the volume name '%s' is too short: it has at least two characters",
			       name);
	if (n > NAME_BYTES_MAX)
		return err_set(e, EINVAL, "the volume name '%.40s...' is longer than %d bytes", name,
			       NAME_BYTES_MAX);
	return 0;
}

bool volume_o_has(const struct strv *options, const char *word)
{
	AUTO(strv_done) struct strv words = { 0 };
	const char *o = strv_env_get(options, "o");

	return o && strv_split(&words, o, ",") == 0 && strv_has(&words, word);
}

static int bind_kind(const char *device, enum volume_kind *ret, struct err *e)
{
	if (!device || *device != '/')
		return err_set(e, EINVAL, "a volume with o=bind needs device=DIRECTORY, an absolute path");
	*ret = VOLUME_BIND;
	return 0;
}

int volume_kind_of(const struct strv *options, enum volume_kind *ret, struct err *e)
{
	const char *type = strv_env_get(options, "type"), *device = strv_env_get(options, "device");

	for (size_t i = 0; i < options->n; i++) {
		size_t n = strcspn(options->v[i], "=");

		if (!(n == 4 && !strncmp(options->v[i], "type", n)) &&
		    !(n == 6 && !strncmp(options->v[i], "device", n)) && !(n == 1 && options->v[i][0] == 'o'))
			return err_set(e, EINVAL, "invalid option: \"%.*s\" (type, device and o are known)",
				       (int)(n < 40 ? n : 40), options->v[i]);
	}
	*ret = VOLUME_DIRECTORY;
	if (!options->n)
		return 0;
	if (volume_o_has(options, "bind") || volume_o_has(options, "rbind"))
		return bind_kind(device, ret, e);
	if (!type)
		return err_set(e, EINVAL, "missing required option: \"type\"");
	if (strcmp(type, "tmpfs"))
		return err_set(
			e, ENOTSUP,
			"a volume of type=%.40s is not mounted by Ketch: mount it on the host and give "
			"o=bind,device=DIRECTORY",
			type);
	*ret = VOLUME_TMPFS;
	return 0;
}
