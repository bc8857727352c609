#ifndef CARVE_CSTDERR_H
#define CARVE_CSTDERR_H

// carveStderrTake puts a pipe in the place of descriptor 2 and starts the thread that
// reads it. It returns 0, or an error number when nothing has changed.
int carveStderrTake(int *real, int *lines, int *crash);

// carveStderrForm says how a crash is told.
void carveStderrForm(int json, int whole);

// carveStderrGive puts descriptor 2 back, and returns when all that was written to the
// pipe has been handed on.
void carveStderrGive(void);

#endif
