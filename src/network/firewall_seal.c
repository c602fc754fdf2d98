/* firewall_seal.c - are chains and rules as they were put there?
 *
 * That is known by a seal: right after `nft -f` what the kernel lists of them is hashed, and the digest kept as the one
 * element of a set, together with that of the text.  To list them takes most of a millisecond, so who has looked notes the
 * kernel's number of the state of all rules, with his own changes: as long as it stays, nobody has changed anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "network/firewall_int.h"

#define SEAL_PART FW_TEXT_BYTES /* bytes of either digest */
#define NOTE	  "rules" /* the file */
#define NOTE_MAX  80

/* --- the seal */

static int hash_text(const struct firewall *fw, unsigned guard, uint8_t ret[SEAL_PART])
{
	AUTO(buf_done) struct buf text = { 0 };
	uint8_t digest[SHA256_BYTES];
	struct sha256 h;

	fw_script_rules(fw->table, guard, &text);
	if (!buf_ok(&text))
		return -ENOMEM;
	sha256_init(&h);
	sha256_add(&h, text.data, text.len);
	sha256_end(&h, digest);
	memcpy(ret, digest, SEAL_PART);
	return 0;
}

static int hash_kernel(const struct firewall *fw, uint8_t ret[SEAL_PART])
{
	uint8_t digest[SHA256_BYTES];
	size_t n_inet = 0, n_bridge = 0;
	struct sha256 h;
	int r;

	sha256_init(&h);
	r = nft_digest(fw->fd, NFPROTO_INET, fw->table, &h, &n_inet);
	if (r == 0)
		r = nft_digest(fw->fd, NFPROTO_BRIDGE, fw->table, &h, &n_bridge);
	sha256_end(&h, digest);
	memcpy(ret, digest, SEAL_PART);
	return r == 0 && (!n_inet || !n_bridge) ? -ENOENT : r;
}

/* As it has to be. */
static int make_seal(const struct firewall *fw, struct nft_element *ret)
{
	*ret = (struct nft_element){ .key_len = 2 * SEAL_PART, .comment = "seal" };
	memcpy(ret->key, fw->text, SEAL_PART);
	return hash_kernel(fw, ret->key + SEAL_PART);
}

int fw_seal(struct firewall *fw, unsigned guard, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	struct nft_element seal;
	int r = hash_text(fw, guard, fw->text);

	if (r == 0)
		r = make_seal(fw, &seal);
	if (r < 0)
		return err_sys(e, -r, "the rule set was put there and is not");
	*fw_element_new(&l, FW_SEAL, "seal") = seal;
	return fw_add(fw, &l, NULL, e);
}

static int look_at_seal(const struct firewall *fw)
{
	const struct nft_set s = fw_set(fw->table, FW_SEAL);
	struct nft_element seal, there;
	int r = make_seal(fw, &seal);

	if (r == 0)
		r = nft_element_get(fw->fd, &s, &seal, &there);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

int firewall_is_whole(struct firewall *fw, unsigned guard, struct err *e)
{
	uint8_t text[SEAL_PART];
	uint32_t now;
	int r = fw_use(fw, e);

	if (r < 0)
		return r;
	r = hash_text(fw, guard, text);
	if (r == 0)
		r = nft_generation(fw->fd, &now);
	if (r == 0 && fw->whole && fw->generation == now && !memcmp(text, fw->text, sizeof(text)))
		return 1;
	if (r == 0) {
		memcpy(fw->text, text, sizeof(text));
		fw->generation = now;
		r = look_at_seal(fw);
	}
	fw->whole = r > 0;
	return r < 0 ? err_sys(e, -r, "the rule set cannot be read") : r;
}

/* --- the note: the text, the network namespace, the state of its rules */

static int print_note(const struct firewall *fw, char ret[NOTE_MAX])
{
	uint64_t text;
	struct stat st;

	if (stat("/proc/self/ns/net", &st) < 0)
		return -errno;
	memcpy(&text, fw->text, sizeof(text));
	return snprintf(ret, NOTE_MAX, "%016" PRIx64 " %" PRIu64 " %" PRIu32 "\n", text, (uint64_t)st.st_ino,
			fw->generation);
}

/* Only one that would be written just so for the rules as they are now says anything. */
void firewall_recall(struct firewall *fw, int dir_fd)
{
	autoclose int fd = openat(dir_fd, NOTE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char there[NOTE_MAX] = "", note[NOTE_MAX];
	uint64_t text;

	if (fd < 0 || read(fd, there, sizeof(there) - 1) < 0 || fw_use(fw, NULL) < 0 ||
	    nft_generation(fw->fd, &fw->generation) < 0)
		return;
	text = strtoull(there, NULL, 16);
	memcpy(fw->text, &text, sizeof(text));
	fw->whole = print_note(fw, note) > 0 && !strcmp(there, note);
}

void firewall_note(const struct firewall *fw, int dir_fd)
{
	autoclose int fd = -1;
	char note[NOTE_MAX];
	uint32_t now;
	int len;

	if (!fw->whole || nft_generation(fw->fd, &now) < 0 || now != fw->generation) {
		unlinkat(dir_fd, NOTE, 0); /* the one that is there is old, or there are no rules any more */
		return;
	}
	len = print_note(fw, note);
	fd = openat(dir_fd, NOTE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && len > 0)
		write_full(fd, note, (size_t)len); /* one that is torn says nothing */
}
