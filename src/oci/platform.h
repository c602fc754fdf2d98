/* platform.h - which of several images is for a machine: OS/ARCH[/VARIANT], as containerd chooses; pure */
#ifndef OCI_PLATFORM_H
#define OCI_PLATFORM_H

#include "oci/manifest.h"

/* What is wanted; members are owned. */
struct platform_want {
	char *architecture, *variant; /* variant NULL: not said */
};

/* "linux/amd64", "linux/arm/v7", "arm64", or NULL: this machine.  Other names of architectures are taken, too. */
int platform_parse(const char *s, struct platform_want *ret, struct err *e);
void platform_want_done(struct platform_want *w);
/* The best of them, or NULL: none runs there.  One that does not say its platform is the last choice. */
const struct descriptor *platform_choose(const struct platform_want *w, const struct descriptor *list,
					 size_t n);
/* What there is, as a line: "linux/amd64, linux/arm/v7"; owned, NULL when memory is out. */
char *platform_list(const struct descriptor *list, size_t n);

#endif
