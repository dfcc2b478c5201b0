/*
 * replay.c - main() for a fuzz target without libFuzzer: feeds it every file named, and every file of every folder
 * named, one TAP line an argument.  A finding is a crash, as under libFuzzer: the last line on standard output names
 * the input being fed.
 *
 * Each input lies at the end of an allocation of exactly its size: a sanitizer sees the first byte read beyond it.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
replay_file(const char *path)
{
    FILE    *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long     size = -1;
    bool     good = false;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        data = malloc(size > 0 ? (size_t) size : 1);
        good = data != NULL && fread(data, 1, (size_t) size, file) == (size_t) size;
    }
    if (good) {
        printf("# %s\n", path);
        fflush(stdout);
        (void) LLVMFuzzerTestOneInput(data, (size_t) size);
    } else {
        printf("# cannot read %s\n", path);
    }

    free(data);
    if (file != NULL) {
        fclose(file);
    }
    return good;
}

/* Feeds path, or what is in the folder path.  Adds to *files; false when anything could not be read. */
static bool
replay_path(const char *path, size_t *files)
{
    struct stat     info;
    struct dirent **names;
    bool            good = true;
    int             n;

    if (stat(path, &info) != 0) {
        printf("# there is no %s\n", path);
        return false;
    }
    if (!S_ISDIR(info.st_mode)) {
        (*files)++;
        return replay_file(path);
    }

    n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        printf("# cannot list %s\n", path);
        return false;
    }
    for (int i = 0; i < n; i++) {
        size_t room = strlen(path) + strlen(names[i]->d_name) + 2;
        char  *inner = malloc(room);

        if (inner != NULL && names[i]->d_name[0] != '.') {
            snprintf(inner, room, "%s/%s", path, names[i]->d_name);
            good = replay_path(inner, files) && good;
        }
        free(inner);
        free(names[i]);
    }
    free(names);
    return good;
}

int
main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        size_t files = 0;
        bool   good = replay_path(argv[i], &files) && files > 0;

        printf("%sok %d - %s: %zu inputs\n", good ? "" : "not ", i, argv[i], files);
        failed += !good;
    }
    printf("1..%d\n", argc - 1);
    return failed > 0 || argc < 2;
}
