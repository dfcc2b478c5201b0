/*
 * pulse.c - see pulse.h.  Runs in the master, and after the fork in workers; maps a page a worker.
 */
#include "proc/common/pulse.h"

#include "os/sys.h"

#define PULSE_BYTES 4096

weir_pulse_t *
weir_pulse_open(void)
{
    weir_pulse_t *pulse = weir_sys_map_family(PULSE_BYTES);

    if (pulse != NULL) {
        pulse->beat = 1;
    }
    return pulse;
}

void
weir_pulse_close(weir_pulse_t *pulse)
{
    if (pulse != NULL) {
        (void) weir_sys_unmap(pulse, PULSE_BYTES);
    }
}
