/* detach_keys.c - the keys that part a terminal from its instance */
#include "cli/detach_keys.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/strv.h"

#define CTRL_PREFIX "ctrl-"
#define DEL	    127

/* "a" is itself, "ctrl-a" is 1.  0 or -EINVAL. */
static int parse_key(const char *word, char *ret)
{
	size_t prefix = strlen(CTRL_PREFIX);
	char c;

	if (!strcasecmp(word, "del")) {
		*ret = DEL;
		return 0;
	}
	if (strlen(word) == 1) {
		*ret = word[0];
		return 0;
	}
	if (strncasecmp(word, CTRL_PREFIX, prefix) != 0 || strlen(word) != prefix + 1)
		return -EINVAL;
	c = (char)toupper((unsigned char)word[prefix]);
	if (c < '@' || c > '_')
		return -EINVAL;
	*ret = (char)(c - '@');
	return 0;
}

int detach_keys_parse(const char *text, struct detach_keys *ret, struct err *e)
{
	AUTO(strv_done) struct strv words = { 0 };
	struct detach_keys k = { 0 };

	text = text ? text : DETACH_KEYS_DEFAULT;
	if (*text && strv_split(&words, text, ",") < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (words.n > DETACH_KEYS_MAX)
		return err_set(e, EINVAL, "--detach-keys: at most %d keys", DETACH_KEYS_MAX);
	for (size_t i = 0; i < words.n; i++)
		if (parse_key(words.v[i], &k.keys[k.n++]) < 0)
			return err_set(e, EINVAL, "invalid detach keys (%.100s) provided", text);
	*ret = k;
	return 0;
}

bool detach_keys_feed(struct detach_keys *k, const char *in, size_t n, char *out, size_t *ret_n)
{
	char typed[DETACH_KEYS_MAX];
	size_t held = k->held, used = 0;

	memcpy(typed, k->keys, held);
	for (size_t i = 0; i < n && (held < k->n || !k->n); i++) {
		if (!k->n) {
			out[used++] = in[i];
			continue;
		}
		typed[held++] = in[i];
		while (held && memcmp(typed, k->keys, held) != 0) {
			out[used++] = typed[0];
			memmove(typed, typed + 1, --held);
		}
	}
	k->held = held;
	*ret_n = used;
	return k->n && held == k->n;
}
