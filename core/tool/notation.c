/*
 * notation.c - see notation.h.  Runs as the user who typed it; a file is replaced as a whole or stays as it is.
 */
#include "tool/notation.h"

#include "base/mem.h"
#include "conf/tree_json.h"
#include "os/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTATION_CHUNK  65536
#define NOTATION_MISUSE 2
#define NOTATION_DIFFER 3                      /* fmt --check: a file is not as it would be written */

/* -- files -- */

/* All of standard input, in the arena; false: errno. */
static bool
notation_read_input(weir_arena_t *arena, weir_str_t *text)
{
    size_t room = NOTATION_CHUNK, n = 0, more;
    char  *bytes = weir_mem_need(room);

    while ((more = fread(bytes + n, 1, room - n, stdin)) != 0) {
        n += more;
        if (n > WEIR_TREE_JSON_MAX) {
            errno = EFBIG;
            weir_mem_free(bytes);
            return false;
        }
        if (n == room) {
            char *grown = weir_mem_need(room * 2);

            memcpy(grown, bytes, n);
            weir_mem_free(bytes);
            bytes = grown;
            room *= 2;
        }
    }
    *text = weir_str_dup(arena, weir_str(bytes, n));
    weir_mem_free(bytes);
    return ferror(stdin) == 0;
}

static bool
notation_read(weir_arena_t *arena, const char *file, weir_str_t *text)
{
    if (strcmp(file, "-") == 0 ? notation_read_input(arena, text)
                               : weir_file_read(arena, file, WEIR_TREE_JSON_MAX, text)) {
        return true;
    }
    fprintf(stderr, "weir: %s: %s\n", file, strerror(errno));
    return false;
}

static const char *
notation_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

static void
notation_say(const weir_error_t *error)
{
    fprintf(stderr, "weir: %s\n", error->text);    /* with its place */
}

/* Its mode and owner stay; a link is followed.  false: errno. */
static bool
notation_replace(const char *file, weir_str_t text)
{
    char        path[PATH_MAX];
    struct stat st;

    return realpath(file, path) != NULL && stat(path, &st) == 0 && weir_file_write_secret(path, text)
        && (chown(path, st.st_uid, st.st_gid) == 0 || geteuid() != 0) && chmod(path, st.st_mode & 07777) == 0;
}

/* -- fmt -- */

typedef struct { bool writes, checks; } notation_fmt_t;

/* The text as it is to be; heap (free), NULL: it was said why not. */
static char *
notation_format(weir_arena_t *arena, const char *file, weir_str_t text, size_t *len)
{
    weir_error_t      error = { .text = "" };
    weir_tree_node_t *root = weir_tree_read(arena, text, notation_name(file), &error);
    char             *made = NULL;
    FILE             *out;

    if (root == NULL) {
        notation_say(&error);
        return NULL;
    }
    out = open_memstream(&made, len);
    weir_assert(out != NULL);
    weir_tree_write(root, out);
    weir_assert(fclose(out) == 0);
    return made;
}

static int
notation_fmt_file(const notation_fmt_t *fmt, const char *file)
{
    weir_arena_t arena;
    weir_str_t   text;
    size_t       len = 0;
    char        *made;
    int          code = 0;

    weir_arena_init(&arena, NOTATION_CHUNK);
    made = notation_read(&arena, file, &text) ? notation_format(&arena, file, text, &len) : NULL;
    if (made == NULL) {
        code = 1;
    } else if (fmt->checks) {
        code = weir_str_eq(text, weir_str(made, len)) ? 0 : NOTATION_DIFFER;
        if (code != 0) {
            printf("%s\n", notation_name(file));
        }
    } else if (!fmt->writes || strcmp(file, "-") == 0) {
        code = fwrite(made, 1, len, stdout) == len && fflush(stdout) == 0 ? 0 : 1;
    } else if (!weir_str_eq(text, weir_str(made, len)) && !notation_replace(file, weir_str(made, len))) {
        fprintf(stderr, "weir: %s: %s\n", file, strerror(errno));
        code = 1;
    }
    free(made);
    weir_arena_fini(&arena);
    return code;
}

int
weir_notation_fmt(const weir_conf_source_t *source WEIR_UNUSED, char *const *argv)
{
    notation_fmt_t fmt = { .writes = false };
    int            code = 0, one;

    for (; *argv != NULL && (*argv)[0] == '-' && (*argv)[1] != '\0'; argv++) {
        if (strcmp(*argv, "-w") == 0) {
            fmt.writes = true;
        } else if (strcmp(*argv, "--check") == 0) {
            fmt.checks = true;
        } else {
            fprintf(stderr, "weir: fmt: unexpected \"%s\": expected -w, --check or files\n", *argv);
            return NOTATION_MISUSE;
        }
    }
    if (*argv == NULL || (fmt.writes && fmt.checks)) {
        fprintf(stderr, "weir: fmt: expected -w or --check, and files (- is standard input)\n");
        return NOTATION_MISUSE;
    }
    for (; *argv != NULL; argv++) {
        one = notation_fmt_file(&fmt, *argv);
        code = code == 0 || one == 1 ? one : code;
    }
    return code;
}

/* -- convert -- */

typedef struct { const char *to; weir_tree_json_dollar_t dollar; } notation_convert_t;

static int
notation_convert_file(const notation_convert_t *convert, const char *file)
{
    bool              to_json = strcmp(convert->to, "json") == 0, good = false;
    weir_error_t      error = { .text = "" };
    weir_tree_node_t *root = NULL;
    weir_arena_t      arena;
    weir_str_t        text;
    size_t            len = 0;
    char             *made = NULL;
    FILE             *out;

    weir_arena_init(&arena, NOTATION_CHUNK);
    if (notation_read(&arena, file, &text)) {
        root = to_json ? weir_tree_read(&arena, text, notation_name(file), &error)
                       : weir_tree_json_read(&arena, text, notation_name(file), convert->dollar, &error);
    }
    if (root != NULL) {
        out = open_memstream(&made, &len);
        weir_assert(out != NULL);
        good = true;
        if (to_json) {
            good = weir_tree_json_write(root, out, &error);
            (void) fputc('\n', out);
        } else {
            weir_tree_write(root, out);
        }
        weir_assert(fclose(out) == 0);
        good = good && fwrite(made, 1, len, stdout) == len && fflush(stdout) == 0;
    }
    if (weir_error_is_set(&error)) {
        notation_say(&error);
    }
    free(made);
    weir_arena_fini(&arena);
    return good ? 0 : 1;
}

int
weir_notation_convert(const weir_conf_source_t *source WEIR_UNUSED, char *const *argv)
{
    notation_convert_t convert = { .to = NULL, .dollar = WEIR_TREE_JSON_LITERAL };
    const char        *file = NULL;

    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--to") == 0 && argv[1] != NULL
            && (strcmp(argv[1], "json") == 0 || strcmp(argv[1], "conf") == 0))
        {
            convert.to = *++argv;
        } else if (strcmp(*argv, "--variables") == 0) {
            convert.dollar = WEIR_TREE_JSON_VARIABLES;
        } else if (file == NULL && ((*argv)[0] != '-' || (*argv)[1] == '\0')) {
            file = *argv;
        } else {
            fprintf(stderr, "weir: convert: unexpected \"%s\"\n", *argv);
            return NOTATION_MISUSE;
        }
    }
    if (convert.to == NULL || file == NULL
        || (convert.dollar == WEIR_TREE_JSON_VARIABLES && strcmp(convert.to, "conf") != 0))
    {
        fprintf(stderr, "weir: convert: expected --to json or --to conf, with the latter perhaps --variables, and a "
                "file (- is standard input)\n");
        return NOTATION_MISUSE;
    }
    return notation_convert_file(&convert, file);
}
