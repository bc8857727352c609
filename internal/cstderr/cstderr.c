//go:build (linux || darwin) && cgo

// The thread below is C's and not Go's because it has to work while Go does not: when
// Go's runtime has met an error that it cannot go on from, goroutines no longer run, and
// what it prints would go into a pipe that nobody reads.

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
static int printed = -1;      // what was printed on descriptor 2
static int crashed = -1;      // what Go's runtime prints when it crashes
static int handed = -1;       // on to Go
static int stop[2];           // something in it ends the thread
static pthread_t thread;
static atomic_int json, whole; // how a crash is told

// A crash is told by the last of what was printed before Go's runtime said that it is
// one, and by what comes after.
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

// take reads what has been printed, without waiting. It returns what read returns.
static ssize_t take(char *p, size_t n) {
	ssize_t r;
	do r = read(printed, p, n);
	while (r < 0 && errno == EINTR);
	return r;
}

// keep remembers the last 2 KiB of what was printed.
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

// reason finds the whole line in which Go's runtime says why it cannot go on. It returns
// NULL when there is none yet.
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

// shortages are how the lack of memory is said: by Go, by C, by C++.
static const char *const shortages[] = {"out of memory", "annot allocate memory", "failed to create new OS thread",
	"pthread_create failed", "failed to reserve page summary memory", "std::bad_alloc", NULL};

// tell writes the one line that a crash is worth, in the form of all errors, and the
// hint. Only plain characters of it are kept: there is no Go any more to escape others,
// and nothing that could be a URL with a password in it.
static void tell(const char *why, size_t n) {
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

// more waits for more from the runtime, which a busy machine may hold up.
static int more(void) {
	struct pollfd p[] = {{.fd = printed, .events = POLLIN}, {.fd = crashed, .events = POLLIN}};
	int r;
	do r = poll(p, 2, 2000);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

// crash ends the process. The runtime writes each piece of its text to descriptor 2 first
// and to the pipe of crashes second, then the next piece. The pipe of crashes has room for
// one piece. So when the runtime has written a second one it waits until this thread has
// read the first: it cannot end the process before this thread has seen what it said.
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
	if (!asked) tell(why, n);
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
	// All signals are for the other threads.
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
		// Without waiting for the other side: what it has no room for is dropped.
		while ((r = take(part, sizeof part)) > 0) {
			keep(part, (size_t)r);
			if (write(handed, part, (size_t)r) < 0) {}
		}
		if (p[1].revents & POLLHUP) p[1].fd = -1;
		if (p[2].revents) break;
	}
	close(handed);
	return NULL;
}

static int flags(int fd, int nonblock) {
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -1;
	return nonblock ? fcntl(fd, F_SETFL, O_NONBLOCK) : 0;
}

// tube makes a pipe whose ends no child inherits. What is written to one that is full is
// lost instead of holding up the writer.
static int tube(int ends[2]) {
	if (pipe(ends) < 0) return -1;
	return flags(ends[0], 1) < 0 || flags(ends[1], 1) < 0 ? -1 : 0;
}

// narrow makes the pipe of crashes: one that has room for one write at a time, where the
// system has such pipes.
static int narrow(int ends[2]) {
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
	if (real < 0 || flags(real, 0) < 0 || tube(in) < 0 || tube(on) < 0 || narrow(dying) < 0 || tube(stop) < 0) {
		err = errno;
		goto failed;
	}
	printed = in[0];
	handed = on[1];
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
	if (write(stop[1], "", 1) != 1) return; // there is no more to be done about it
	pthread_join(thread, NULL);
	shut(&printed);
	shut(&crashed);
	shut(&stop[0]);
	shut(&stop[1]);
}
