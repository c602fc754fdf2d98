/* signature.c - is an image signed as policy.json wants it?  cosign's simple signing, by a key; that of containers, by GPG */
#include "unpack/signature.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/buf.h"

#define RSA_BITS_MIN 2048

/* --- what is said */

struct payload {
	char *type, *reference, *digest;
};

static const struct jfield identity_fields[] = { JK(J_STR, struct payload, reference, "docker-reference"),
						 { 0 } };
static const struct jtable identity_table = { sizeof(struct payload), identity_fields };
static const struct jfield image_fields[] = { JK(J_STR, struct payload, digest, "docker-manifest-digest"),
					      { 0 } };
static const struct jtable image_table = { sizeof(struct payload), image_fields };
static const struct jfield critical_fields[] = {
	J(J_STR, struct payload, type),
	JP("identity", &identity_table),
	JP("image", &image_table),
	{ 0 },
};
static const struct jtable critical_table = { sizeof(struct payload), critical_fields };
static const struct jfield payload_fields[] = { JP("critical", &critical_table), { 0 } };
static const struct jtable payload_table = { sizeof(struct payload), payload_fields };

/* GPG's has these keys and no others (containers-signature(5)). */
static const struct jfield gpg_identity_fields[] = { JR(J_STR, struct payload, reference, "docker-reference"),
						     { 0 } };
static const struct jtable gpg_identity_table = { sizeof(struct payload), gpg_identity_fields, true };
static const struct jfield gpg_image_fields[] = { JR(J_STR, struct payload, digest, "docker-manifest-digest"),
						  { 0 } };
static const struct jtable gpg_image_table = { sizeof(struct payload), gpg_image_fields, true };
#define MUST(k, table)                                                                                       \
	{                                                                                                    \
		.type = J_OBJ, .must = true, .key = (k), .sub = (table)                                      \
	}
static const struct jfield gpg_critical_fields[] = {
	JR(J_STR, struct payload, type, "type"),
	MUST("identity", &gpg_identity_table),
	MUST("image", &gpg_image_table),
	{ 0 },
};
static const struct jtable gpg_critical_table = { sizeof(struct payload), gpg_critical_fields, true };
static const struct jfield optional_fields[] = { { 0 } };
static const struct jtable optional_table = { sizeof(struct payload), optional_fields };
static const struct jfield gpg_payload_fields[] = {
	MUST("critical", &gpg_critical_table),
	MUST("optional", &optional_table),
	{ 0 },
};
static const struct jtable gpg_payload_table = { sizeof(struct payload), gpg_payload_fields, true };

static void payload_done(struct payload *p)
{
	json_done(&payload_table, p);
}

/* The name without tag and digest. */
static size_t repository_length(const char *reference)
{
	const char *slash = strrchr(reference, '/');
	const char *from = slash ? slash : reference;

	return (size_t)(from - reference) + strcspn(from, ":@");
}

static bool is_for(const struct job_signer *s, const char *reference)
{
	size_t n = strlen(s->reference);

	if (!s->repository)
		return !strcmp(reference, s->reference);
	return repository_length(reference) == n && !strncmp(reference, s->reference, n);
}

static int check_payload(const struct payload *p, const char *type, const struct job_signer *s,
			 const struct digest *manifest, struct err *e)
{
	struct digest d;

	if (!p->type || strcmp(p->type, type) != 0)
		return err_set(e, EINVAL, "a signature of something else than an image");
	if (!p->digest || digest_parse(p->digest, &d) < 0 || !digest_equal(&d, manifest))
		return err_set(e, EBADMSG, "a signature of another image");
	if (!p->reference || !is_for(s, p->reference))
		return err_set(e, EPERM, "it is signed as %.100s, not as %.100s",
			       p->reference ? p->reference : "\"\"", s->reference);
	return 0;
}

/* --- who says it */

static bool key_is_good(EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
	case EVP_PKEY_ED25519:
		return true;
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
	default:
		return false;
	}
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = b ? PEM_read_bio_PUBKEY(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	if (key && !key_is_good(key)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static bool verifies(EVP_PKEY *key, const struct signature *sig, const struct buf *raw)
{
	const char *hash = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : "SHA256";
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c && EVP_DigestVerifyInit_ex(c, NULL, hash, NULL, NULL, key, NULL) == 1 &&
		  EVP_DigestVerify(c, (const unsigned char *)raw->data, raw->len,
				   (const unsigned char *)sig->payload, sig->payload_bytes) == 1;

	EVP_MD_CTX_free(c);
	return ok;
}

/* 1: signed by one of the keys. */
static int check_keys(const struct signature *sig, const struct job_signer *s, struct err *e)
{
	AUTO(buf_done) struct buf raw = { 0 };

	if (base64_decode(&raw, sig->base64, strlen(sig->base64)) < 0 || !buf_ok(&raw) || !raw.len)
		return err_set(e, EINVAL, "a signature that is no base64");
	for (size_t i = 0; i < s->keys.n; i++) {
		EVP_PKEY *key = read_key(s->keys.v[i]);
		bool ok = key && verifies(key, sig, &raw);

		if (!key)
			return err_set(
				e, EINVAL,
				"policy.json names a key that is none (PEM of EC, Ed25519 or RSA of %d bits)",
				RSA_BITS_MIN);
		EVP_PKEY_free(key);
		if (ok)
			return 1;
	}
	return 0;
}

/* Nothing is read of a payload that nobody has signed. */
int signature_check(const struct signature *sig, const struct job_signer *signer,
		    const struct digest *manifest, struct err *e)
{
	AUTO(payload_done) struct payload p = { 0 };
	int r = check_keys(sig, signer, e);

	if (r <= 0)
		return r < 0 ? r : err_set(e, EPERM, "it is signed by another key");
	r = json_parse(&payload_table, sig->payload, sig->payload_bytes, JSON_UNIQUE, &p, e);
	return r < 0 ? err_wrap(e, r, "a signature")
		     : check_payload(&p, "cosign container image signature", signer, manifest, e);
}

int signature_check_gpg(const char *payload, size_t n, const struct job_signer *signer,
			const struct digest *manifest, struct err *e)
{
	AUTO(payload_done) struct payload p = { 0 };
	int r = json_parse(&gpg_payload_table, payload, n, JSON_UNIQUE, &p, e);

	return r < 0 ? err_wrap(e, r, "a signature")
		     : check_payload(&p, "atomic container signature", signer, manifest, e);
}
