/* fake_image.h - the header of a kernel image that says its version, and nothing behind it */
#ifndef TEST_FAKE_IMAGE_H
#define TEST_FAKE_IMAGE_H

#include <stdio.h>
#include <string.h>

#define FAKE_IMAGE_BYTES 4096

static inline void fake_image_fill(unsigned char image[FAKE_IMAGE_BYTES], const char *version)
{
	memset(image, 0, FAKE_IMAGE_BYTES);
	image[0x1f1] = 4;
	image[0x1fe] = 0x55;
	image[0x1ff] = 0xaa;
	memcpy(image + 0x202, "HdrS", 4);
	memcpy(image + 0x206, "\x0f\x02", 2);
	memcpy(image + 0x20e, "\x00\x04", 2);
	image[0x236] = 1;
	snprintf((char *)image + 0x600, 64, "%s (x) #1", version);
}

#endif
