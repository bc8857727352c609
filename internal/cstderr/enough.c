//go:build (linux || darwin) && cgo

// Under limits that are too low Go's runtime crashes during its start, with a page of text
// and exit code 2, before any of our Go code runs. A C constructor runs earlier. It refuses
// limits under which carve has been seen to crash, with a margin.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// Go reserves more than half a GB of addresses for its heap. The C library maps up to
// 128 MB and a stack for each thread, and the number of threads at a time is random: of
// 40 starts each, some crashed with 1700 MB and none with 1800 MB, on two processors;
// with Go set to 16 processors some crashed with 1800 MB and none with 2000 MB.
#define ADDRESSES ((rlim_t)2000 << 20)

// The heap and the stacks, without reserved addresses: 150 MB were enough, 100 MB were
// not, on two processors.
#define DATA ((rlim_t)256 << 20)

// Every thread gets a stack of this size. ONNX Runtime overflows one of 64 KB.
#define STACK ((rlim_t)512 << 10)

// Go needs three files for its poller, and this package nine. Segmenting the demo clip
// worked with 16 in total. This is the number of further files, since some may be open
// already.
#define FILES 24

// With Go set to 16 processors and 8 threads some starts crashed, with 10 none did.
#define THREADS 16

// jsonAsked tells whether errors are JSON. The last --log-format counts. It needs a C
// library that passes the command line to constructors.
static int jsonAsked(int argc, char **argv) {
	static const char name[] = "--log-format";
	const size_t n = sizeof name - 1;
	int asked = 0;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], name, n) != 0) continue;
		if (argv[i][n] == '=') asked = strcmp(argv[i] + n + 1, "json") == 0;
		else if (argv[i][n] == 0 && i + 1 < argc) asked = strcmp(argv[++i], "json") == 0;
	}
	return asked;
}

static void refuse(int json, const char *message, const char *hint) {
	dprintf(2, json ? "{\"message_type\":\"error\",\"message\":\"%s\",\"hint\":\"%s\",\"exit_code\":1}\n" : "carve: error: %s\ncarve: hint: %s\n",
		message, hint);
	_exit(1);
}

// tooLow tells whether a limit is lower than needed, and returns it.
static int tooLow(int what, rlim_t need, rlim_t *is) {
	struct rlimit limit;
	if (getrlimit(what, &limit)) return 0;
	*is = limit.rlim_cur;
	return *is != RLIM_INFINITY && *is < need;
}

static void *hold(void *gate) {
	pthread_mutex_lock(gate);
	pthread_mutex_unlock(gate);
	return NULL;
}

// threads tries to start n threads at a time, and returns how many it could start. It is
// not possible to ask for the number: the limit counts all processes of the user, a
// container has another one, and some users have none.
static int threads(int n) {
	pthread_t started[THREADS];
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	pthread_attr_t small;
	int i = 0;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 << 10);
	pthread_mutex_lock(&gate);
	while (i < n && pthread_create(&started[i], &small, hold, &gate) == 0) i++;
	pthread_mutex_unlock(&gate);
	for (int k = 0; k < i; k++) pthread_join(started[k], NULL);
	pthread_attr_destroy(&small);
	return i;
}

// files tries to open n files at a time, and returns how many it could open.
static int files(int n) {
	struct rlimit limit;
	int opened[FILES], i = 0;
	// Go raises the soft limit to the hard one.
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < limit.rlim_max) return n;
	while (i < n && (opened[i] = open("/", O_RDONLY | O_CLOEXEC)) >= 0) i++;
	if (i < n && errno != EMFILE && errno != ENFILE) n = 0; // another error says nothing about the limit
	for (int k = 0; k < i; k++) close(opened[k]);
	return n ? i : FILES;
}

#if defined(__GLIBC__) || defined(__APPLE__)
__attribute__((constructor)) static void enough(int argc, char **argv) {
#else
__attribute__((constructor)) static void enough(void) {
	int argc = 0;
	char **argv = NULL;
#endif
	int json = jsonAsked(argc, argv);
	char message[200];
	rlim_t is;
	const struct {
		int what;
		rlim_t need, unit;
		const char *flag, *units, *of;
	} limits[] = {
		{RLIMIT_AS, ADDRESSES, 1 << 20, "v", " MB", " MB of addresses"},
		{RLIMIT_DATA, DATA, 1 << 20, "d", " MB", " MB of memory"},
		{RLIMIT_STACK, STACK, 1 << 10, "s", " KB", " KB of stack"},
	};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		if (!tooLow(limits[i].what, limits[i].need, &is)) continue;
		char hint[80];
		snprintf(message, sizeof message, "too low a limit to start: ulimit -%s allows %llu%s, and %llu%s are needed", limits[i].flag,
			(unsigned long long)(is / limits[i].unit), limits[i].of,
			(unsigned long long)(limits[i].need / limits[i].unit), limits[i].units);
		snprintf(hint, sizeof hint, "raise ulimit -%s; a run needs more than it takes to start", limits[i].flag);
		refuse(json, message, hint);
	}
	int n = files(FILES);
	if (n < FILES) {
		snprintf(message, sizeof message, "too low a limit to start: only %d more files can be opened, and %d are needed", n, FILES);
		refuse(json, message, "raise the limit on open files (ulimit -n); a run needs more than it takes to start");
	}
	n = threads(THREADS);
	if (n < THREADS) {
		snprintf(message, sizeof message, "too low a limit to start: only %d more threads can be started, and %d are needed", n, THREADS);
		refuse(json, message, "raise the limit on processes (ulimit -u, or that of the container); a run needs more than it takes to start");
	}
}
