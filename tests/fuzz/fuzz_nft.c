/* fuzz_nft.c - any bytes as an answer of nf_tables: elements within their bounds, or refused */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/nft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nft_element *list = NULL;
	struct nlmsghdr *m;
	size_t n = 0;

	if (size < sizeof(*m) || size > UINT16_MAX)
		return 0;
	m = malloc(size); /* exactly as long, so that a read behind it is seen */
	if (!m)
		return 0;
	memcpy(m, data, size);
	m->nlmsg_len = (uint32_t)size; /* the kernel's own, checked by NLMSG_OK */
	nft_elements_parse(m, &list, &n);
	for (size_t i = 0; i < n; i++)
		if (list[i].key_len > NFT_KEY_MAX || list[i].data_len > NFT_DATA_MAX ||
		    !memchr(list[i].comment, '\0', sizeof(list[i].comment)))
			abort();
	free(list);
	free(m);
	return 0;
}
