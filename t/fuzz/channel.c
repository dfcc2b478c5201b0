/*
 * channel.c - what a worker in a stranger's hands may send to the master: the first byte tells the end that reads.
 */
#include "os/sys.h"
#include "proc/common/channel.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int             fds[2] = { -1, -1 };
    weir_channel_message_t message;
    weir_channel_end_t     end;
    int                    borrowed[WEIR_SOCK_MAX_FDS] = { 0 };
    size_t                 n;

    if (size < 3 || (fds[0] < 0 && !weir_channel_open(fds))) {
        return 0;
    }
    end = data[0] % 2 == 0 ? WEIR_CHANNEL_OF_MASTER : WEIR_CHANNEL_OF_WORKER;
    n = data[1] % (WEIR_SOCK_MAX_FDS + 1);
    if (!weir_sock_send_fds(fds[0], data + 2, size - 2, borrowed, n)) {
        return 0;
    }
    switch (weir_channel_recv(fds[1], end, &message)) {
    case WEIR_OK:
        if (message.n_fds > n || (end == WEIR_CHANNEL_OF_MASTER && message.n_fds != 0)) {
            abort();
        }
        weir_channel_close_fds(&message);
        break;
    case WEIR_ERROR:
        break;
    default:
        abort();
    }
    return 0;
}
