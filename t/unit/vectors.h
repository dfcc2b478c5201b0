/*
 * vectors.h - test vectors of public suites, which lie beside this repository (../shared/vectors) and are not a part of
 * it: where they are not, a test skips what needs them and says so.
 */
#ifndef WEIR_T_VECTORS_H
#define WEIR_T_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The path of a file or folder of them; NULL: they are not here, which was said. */
static inline const char *
vectors_path(const char *name)
{
    static const char *const places[] = { "../shared/vectors", "../../shared/vectors" };
    static char              path[512];
    const char              *said = getenv("WEIR_VECTORS");

    for (size_t i = 0; i < 3; i++) {
        const char *place = i == 0 ? said : places[i - 1];

        if (place != NULL) {
            snprintf(path, sizeof(path), "%s/%s", place, name);
            if (access(path, R_OK) == 0) {
                return path;
            }
        }
    }
    printf("# skipped: %s is not in ../shared/vectors\n", name);
    return NULL;
}

#endif
