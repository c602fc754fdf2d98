/* hash.c - SHA-256 of a stream (OpenSSL) */
#include "unpack/hash.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/auto.h"

static EVP_MD *fetch(void)
{
	/* fetched once, in front of the sandbox; EVP_sha256() would look the provider up for each hash */
	static EVP_MD *md;

	if (!md)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	return md;
}

int hash_init(void)
{
	return fetch() ? 0 : -EIO;
}

struct hash *hash_new(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (c && !EVP_DigestInit_ex2(c, fetch(), NULL)) {
		EVP_MD_CTX_free(c);
		c = NULL;
	}
	return (struct hash *)c;
}

struct hash *hash_free(struct hash *h)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)h);
	return NULL;
}

void hash_add(struct hash *h, const void *data, size_t n)
{
	EVP_DigestUpdate((EVP_MD_CTX *)h, data, n);
}

void hash_end(struct hash *h, struct digest *ret)
{
	EVP_DigestFinal_ex((EVP_MD_CTX *)h, ret->sha256, NULL);
}

void hash_bytes(const void *data, size_t n, struct digest *ret)
{
	EVP_Q_digest(NULL, "SHA256", NULL, data, n, ret->sha256, NULL);
}
