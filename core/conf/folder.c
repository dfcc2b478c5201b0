/*
 * folder.c - folders for temporary files: made by the master, owned by the workers' user.
 */
#include "conf/core.h"

#include "os/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool
weir_conf_make_folder(weir_conf_t *cf, const weir_conf_words_t *words, weir_str_t path)
{
    const weir_core_conf_t *core = weir_conf_of(cf->root, weir_core_index);

    if (!weir_bundle_makes(cf->bundle) || path.len == 0) {
        return true;                                     /* a worker: the master has made it */
    }
    if (!weir_file_make_dirs(path.at, true)
        || (geteuid() == 0 && !core->workers_user.ignored && chown(path.at, core->workers_user.uid, (gid_t) -1) != 0))
    {
        return weir_conf_error_at(cf, words, "the folder \"%s\" could not be made (%d: %s)", path.at, errno,
                                  strerror(errno));
    }
    return true;
}
