/* fuzz_signature.c - any bytes as what GPG has signed: refused, or it names this image */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unpack/signature.h"

#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[] = "h.example/x:1";
	const struct job_signer signer = { .gpg = true, .reference = name };
	struct digest d;
	struct err e = { 0 };

	if (digest_parse("sha256:" HEX, &d) < 0)
		abort();
	if (signature_check_gpg((const char *)data, size, &signer, &d, &e) == 0 &&
	    size < strlen("{\"critical\":{\"image\":{\"docker-manifest-digest\":\"sha256:" HEX))
		abort();
	return 0;
}
