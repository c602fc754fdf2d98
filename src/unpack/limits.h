/* limits.h - how much one job may take from what it reads; each a refusal with one line when it is passed
 *
 * Chosen so that every image seen in the field fits several times and a bomb ends within seconds.
 */
#ifndef UNPACK_LIMITS_H
#define UNPACK_LIMITS_H

#include "files/entry.h" /* the limits of paths and attributes */

#define LAYER_BYTES_MAX	   (64LL << 30) /* a layer expanded, holes counted as if they were data */
#define RATIO_MAX	   250 /* expanded to compressed, by the decoder ... */
#define RATIO_FREE_BYTES   (256LL << 20) /* ... once it has made this much (an empty swap file is 1000:1) */
#define LAYER_ENTRIES_MAX  2000000
#define NAMES_BYTES_MAX	   (46LL << 20) /* of the tree in memory: a million names of 20 letters */
#define PACKAGE_PATHS_MAX  (2 << 20) /* bytes of the paths of files that tell about packages: 30000 of 70 */
#define TREE_DEPTH_MAX	   1024 /* of what links inside the layer make of paths */
#define ZSTD_WINDOW_LOG	   25 /* 32 MiB: zstd -19 and below; RFC 8878 asks for 8 MiB */
#define ARCHIVE_FILES_MAX  20000 /* in a docker-archive or an OCI archive */
#define ARCHIVE_IMAGES_MAX 256
#define SPOOL_BYTES_MAX	   LAYER_BYTES_MAX /* an archive that had to be written down first */
#define JOB_DATA_MAX	   (96LL << 20) /* RLIMIT_DATA: xz -9 alone wants 65 MiB */

#endif
