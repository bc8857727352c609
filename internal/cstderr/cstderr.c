//go:build (linux || darwin) && cgo

// The thread below is in C because it must work when Go does not: after a fatal error of
// Go's runtime goroutines no longer run, and the runtime's message would go into a pipe
// that is not read.

#define _GNU_SOURCE // pipe2, O_DIRECT, F_SETPIPE_SZ, memmem
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cstderr.h"

static int real = -1;         // the standard error that the process was started with
static int printed = -1;      // read end of the pipe in place of descriptor 2
static int crashed = -1;      // read end of the pipe for crashes of Go's runtime
static int forward = -1;      // write end of the pipe to Go
static int stop[2];           // a byte in it ends the thread
static pthread_t thread;
static atomic_int json, whole; // how a crash is reported

// The text of a crash: the last output before Go's runtime reported it, and the output
// after that.
static char text[8192];
static size_t length;

static void put(int fd, const char *p, size_t n) {
	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR) continue;
		if (w <= 0) return;
		p += w;
		n -= (size_t)w;
	}
}

static void say(const char *s) { put(real, s, strlen(s)); }

// take reads what has been printed, without blocking. It returns the result of read.
static ssize_t take(char *p, size_t n) {
	ssize_t r;
	do r = read(printed, p, n);
	while (r < 0 && errno == EINTR);
	return r;
}

// keep stores the last 2 KiB of the output.
static void keep(const char *p, size_t n) {
	const size_t most = 2048;
	if (n > most) {
		p += n - most;
		n = most;
	}
	if (length + n > most) {
		size_t drop = length + n - most;
		memmove(text, text + drop, length - drop);
		length -= drop;
	}
	memcpy(text + length, p, n);
	length += n;
}

static int begins(const char *line, const char *with) { return strncmp(line, with, strlen(with)) == 0; }

// reason finds the complete line with the reason of the crash. It returns NULL if there
// is none yet.
static const char *reason(size_t *n) {
	static const char *const heads[] = {"panic: ", "fatal error: ", "SIG", NULL};
	const char *line = text, *end;
	while ((end = memchr(line, '\n', length - (size_t)(line - text)))) {
		for (int i = 0; heads[i]; i++) {
			if (!begins(line, heads[i])) continue;
			*n = (size_t)(end - line);
			return line;
		}
		line = end + 1;
	}
	return NULL;
}

// shortages are messages about a lack of memory, of Go, C and C++.
static const char *const shortages[] = {"out of memory", "annot allocate memory", "failed to create new OS thread",
	"pthread_create failed", "failed to reserve page summary memory", "std::bad_alloc", NULL};

// reportCrash reports a crash in one line, in the form of all errors, with a hint. Only
// printable ASCII characters are kept, because Go's code for escaping cannot run any more.
// The line is cut before anything that may be a URL with a password.
static void reportCrash(const char *why, size_t n) {
	static const char memory[] = "out of memory";
	static const char report[] = "this is a fault of carve or of a library in it: please report it, with what "
		"GOTRACEBACK=all in front of the same command prints";
	static const char less[] = "close other programs, raise the limits on memory and threads (ulimit -v, ulimit -u), or give it less to do";
	char line[512];
	size_t m = 0;
	const char *hint = report;
	for (int i = 0; shortages[i]; i++) {
		if (!memmem(text, length, shortages[i], strlen(shortages[i]))) continue;
		why = memory;
		n = sizeof memory - 1;
		hint = less;
		break;
	}
	for (size_t i = 0; i < n && m < 400; i++) {
		unsigned char c = (unsigned char)why[i];
		if (n - i >= 3 && memcmp(why + i, "://", 3) == 0) {
			memcpy(line + m, "...", 3);
			m += 3;
			break;
		}
		line[m++] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '\'' : (char)c;
	}
	line[m] = 0;
	const char *kind = hint == less ? "" : "internal error: ";
	if (atomic_load(&json)) {
		say("{\"message_type\":\"error\",\"message\":\"");
		say(kind);
		say(line);
		say("\",\"hint\":\"");
		say(hint);
		say("\",\"exit_code\":1}\n");
		return;
	}
	if (isatty(real)) say("\r\x1b[K");
	say("carve: error: ");
	say(kind);
	say(line);
	say("\ncarve: hint: ");
	say(hint);
	say("\n");
}

// more waits for more output of the runtime, which may be slow on a busy machine.
static int more(void) {
	struct pollfd p[] = {{.fd = printed, .events = POLLIN}, {.fd = crashed, .events = POLLIN}};
	int r;
	do r = poll(p, 2, 2000);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

// crash ends the process. The runtime writes each piece of its text first to descriptor 2
// and then to the pipe for crashes, which has room for one piece. So the runtime blocks
// with its second piece until this thread has read the first, and cannot end the process
// before this thread has seen the message.
static void crash(void) {
	char part[4096];
	size_t n;
	const char *why;
	while (!(why = reason(&n)) && length < sizeof text - 1) {
		ssize_t r = take(text + length, sizeof text - 1 - length);
		if (r > 0) {
			length += (size_t)r;
			continue;
		}
		if (read(crashed, part, sizeof part) <= 0 && !more()) break;
	}
	if (!why) {
		why = "the program cannot go on";
		n = strlen(why);
	}
	int asked = begins(why, "SIGQUIT"); // by Ctrl-\, to see what hangs
	if (!asked) reportCrash(why, n);
	if (atomic_load(&whole) || asked) {
		put(real, text, length);
		do {
			ssize_t r;
			while ((r = take(part, sizeof part)) > 0) put(real, part, (size_t)r);
			while (read(crashed, part, sizeof part) > 0) {}
		} while (more());
	}
	if (asked) {
		signal(SIGQUIT, SIG_DFL);
		kill(getpid(), SIGQUIT);
		pause();
	}
	_exit(1);
}

static void *watch(void *nothing) {
	(void)nothing;
	// Signals are handled by the other threads.
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	struct pollfd p[] = {{.fd = crashed, .events = POLLIN}, {.fd = printed, .events = POLLIN}, {.fd = stop[0], .events = POLLIN}};
	for (;;) {
		if (poll(p, 3, -1) < 0 && errno != EINTR) break;
		if (p[0].revents & POLLIN) crash();
		if (p[0].revents) p[0].fd = -1;
		char part[4096];
		ssize_t r;
		// This does not block: what the pipe has no room for is dropped.
		while ((r = take(part, sizeof part)) > 0) {
			keep(part, (size_t)r);
			if (write(forward, part, (size_t)r) < 0) {}
		}
		if (p[1].revents & POLLHUP) p[1].fd = -1;
		if (p[2].revents) break;
	}
	close(forward);
	return NULL;
}

static int flags(int fd, int nonblock) {
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -1;
	return nonblock ? fcntl(fd, F_SETFL, O_NONBLOCK) : 0;
}

// makePipe makes a pipe that children do not inherit. Writing to it when it is full fails
// instead of blocking.
static int makePipe(int ends[2]) {
	if (pipe(ends) < 0) return -1;
	return flags(ends[0], 1) < 0 || flags(ends[1], 1) < 0 ? -1 : 0;
}

// makeCrashPipe makes the pipe for crashes: one with room for one write at a time, if the
// system supports that.
static int makeCrashPipe(int ends[2]) {
#ifdef __linux__
	if (pipe2(ends, O_DIRECT) < 0 || fcntl(ends[1], F_SETPIPE_SZ, 4096) < 0) return -1;
#else
	if (pipe(ends) < 0) return -1;
#endif
	return flags(ends[0], 1) < 0 || flags(ends[1], 0) < 0 ? -1 : 0;
}

static void shut(int *fd) {
	if (*fd >= 0) close(*fd);
	*fd = -1;
}

int carveStderrTake(int *to_real, int *to_lines, int *to_crash) {
	int in[2] = {-1, -1}, on[2] = {-1, -1}, dying[2] = {-1, -1};
	int err = 0;
	pthread_attr_t small;
	stop[0] = stop[1] = -1;
	real = dup(2);
	if (real < 0 || flags(real, 0) < 0 || makePipe(in) < 0 || makePipe(on) < 0 || makeCrashPipe(dying) < 0 || makePipe(stop) < 0) {
		err = errno;
		goto failed;
	}
	printed = in[0];
	forward = on[1];
	crashed = dying[0];
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 << 10);
	err = pthread_create(&thread, &small, watch, NULL);
	pthread_attr_destroy(&small);
	if (err) goto failed;
	if (dup2(in[1], 2) < 0) {
		err = errno;
		if (write(stop[1], "", 1) == 1) pthread_join(thread, NULL);
		on[1] = -1; // the thread has closed it
		goto failed;
	}
	close(in[1]);
	*to_real = real;
	*to_lines = on[0];
	*to_crash = dying[1];
	return 0;

failed:
	shut(&real);
	for (int i = 0; i < 2; i++) {
		shut(&in[i]);
		shut(&on[i]);
		shut(&dying[i]);
		shut(&stop[i]);
	}
	return err;
}

void carveStderrForm(int as_json, int with_everything) {
	atomic_store(&json, as_json);
	atomic_store(&whole, with_everything);
}

void carveStderrGive(void) {
	dup2(real, 2);
	if (write(stop[1], "", 1) != 1) return; // nothing else can be done
	pthread_join(thread, NULL);
	shut(&printed);
	shut(&crashed);
	shut(&stop[0]);
	shut(&stop[1]);
}
