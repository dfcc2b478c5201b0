/*
 * h2_client.c - fuzz target: a whole HTTP/2 connection, Weir being its client (see h2_driver.h).
 */
#include "h2_driver.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return driver_run(data, size, false);
}
