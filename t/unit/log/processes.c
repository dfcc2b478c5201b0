/* processes.c - many processes write one file, and no record mixes with another. */
#define _GNU_SOURCE 1

#include "log/log.h"

#include <sys/wait.h>

#include "capture.h"

#define WRITERS 4
#define RECORDS 60

int
main(void)
{
    char  filler[160];
    char *text, *line, *end;
    int   i, j, whole = 0;

    memset(filler, 'x', sizeof(filler));
    capture_open(false, WEIR_LOG_INFO);
    for (i = 0; i < WRITERS; i++) {
        if (fork() == 0) {
            for (j = 0; j < RECORDS; j++) {
                weir_log(WEIR_LOG_INFO, NULL, 0, "<%.*s>", (int) sizeof(filler) - j % 7, filler);
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    text = strdup(capture_text());
    for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        whole += line[4] == '/' && strstr(line, "[info]") != NULL && end[-1] == '>' && strchr(line, '<') != NULL
              && strspn(strchr(line, '<') + 1, "x") >= 154;
    }
    is_int(whole, WRITERS * RECORDS, "every record is whole");
    ok(*line == '\0', "and nothing else is there");
    free(text);
    weir_log_use(NULL);
    weir_log_close(&capture_sink);
    return done();
}
