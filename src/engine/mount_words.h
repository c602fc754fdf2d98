/* mount_words.h - what -v, --mount and --tmpfs have in common: sources, targets and the words of a mount */
#ifndef ENGINE_MOUNT_WORDS_H
#define ENGINE_MOUNT_WORDS_H

#include "instance/spec.h"

/* Type and target of a mount (zeroed before): the target becomes absolute and clean, and is not the root. */
int mount_set_target(struct mount_spec *m, int type, const char *target, struct err *e);
/* Sets the source of a bind, which must be there. */
int mount_set_bind(struct mount_spec *m, const char *path, struct err *e);
/* Sets the name of a volume; "" and NULL: anonymous. */
int mount_set_volume(struct mount_spec *m, const char *name, struct err *e);
/* One word of -v or of bind-propagation: "ro", "nosuid", "rslave", "nocopy".  What Ketch cannot do is refused by
 * name. */
int mount_apply_word(struct mount_spec *m, const char *word, struct err *e);
/* Appends to m->options. */
int mount_add_option(struct mount_spec *m, const char *option, struct err *e);

#endif
