/* fuzz_auth_file.c - any bytes as a file of credentials: an error that tells nothing of it, or a file that can be changed */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "registry/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct credentials ann = { (char[]){ "ann" }, (char[]){ "secret" }, NULL };
	AUTO(auth_answer_done) struct auth_answer a = { 0 }, again = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	const char *text = (const char *)data;
	struct err e = { 0 };
	bool changed;

	if (auth_file_find(text, size, "a.example/x", &a, &e) < 0)
		return 0;
	if (a.found && !a.helper && !a.credentials.user && !a.credentials.identity_token)
		abort();
	if (auth_file_change(text, size, "a.example", &ann, &out, &changed, &e) < 0)
		return 0;
	/* whoever is kept is found, unless the file names a helper */
	if (auth_file_find(out.data, out.len, "a.example", &again, &e) < 0)
		abort();
	if (!again.found || (!again.helper && strcmp(again.credentials.password, "secret") != 0))
		abort();
	return 0;
}
