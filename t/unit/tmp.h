/*
 * tmp.h - a folder of a unit test's own, gone when it ends.  The test defines _GNU_SOURCE first, for nftw.
 */
#ifndef WEIR_T_TMP_H
#define WEIR_T_TMP_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char  tmp_folder[64];
static pid_t tmp_owner;

static inline int
tmp_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;
    return remove(path);
}

static inline void
tmp_remove(void)
{
    if (tmp_owner == getpid()) {    /* not in a child that exits */
        (void) nftw(tmp_folder, tmp_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

/* The path of `name` in the folder; good until eight others were asked for. */
static inline const char *
tmp_path(const char *name)
{
    static char paths[8][256];
    static int  next;
    char       *path = paths[next++ % 8];

    if (tmp_owner == 0) {
        strcpy(tmp_folder, "/tmp/weir-unit-XXXXXX");
        if (mkdtemp(tmp_folder) == NULL) {
            perror("mkdtemp");
            exit(1);
        }
        tmp_owner = getpid();
        atexit(tmp_remove);
    }
    snprintf(path, sizeof(paths[0]), "%s/%s", tmp_folder, name);
    return path;
}

/* What the file holds, up to 64 KiB; empty when there is none. */
static inline const char *
tmp_text(const char *path)
{
    static char text[65536];
    FILE       *file = fopen(path, "r");

    text[0] = '\0';
    if (file != NULL) {
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
    return text;
}

#endif
