#ifndef CARVE_CSTDERR_H
#define CARVE_CSTDERR_H

// carveStderrTake replaces descriptor 2 by a pipe and starts the thread that reads it. It
// returns 0, or an error number if nothing has been changed.
int carveStderrTake(int *real, int *lines, int *crash);

// carveStderrForm sets how a crash is reported.
void carveStderrForm(int json, int whole);

// carveStderrGive restores descriptor 2, and returns when everything written to the pipe
// has been passed on.
void carveStderrGive(void);

#endif
