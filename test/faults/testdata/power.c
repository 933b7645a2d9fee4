/*
 * Loaded into PostgreSQL (LD_PRELOAD), this keeps what would be left if the power failed: what was written and then synced, and
 * nothing that was written only. Each sync is a copy in the folder KEPT:
 *
 *	KEY   what a file had when it was synced last
 *	tree  path and KEY of all that was in the folder DATA at the last sync of anything, as a journal of names would have it
 *
 * A file has one key for life, whatever its name. All that was there at the first sync counts as synced.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int kept; /* the folder */
static int first;
static FILE *tree;

static void fail(const char *what) {
	perror(what);
	abort(); /* PostgreSQL goes down, and the test with it */
}

/* look returns the type of a file, and its key: the kernel gives its number to another when it is gone, hence the time. */
static mode_t look(int fd, const char *path, char key[64]) {
	struct statx s;
	if (statx(fd, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &s) != 0) return 0;
	snprintf(key, 64, "%llu-%lld.%09u", (unsigned long long)s.stx_ino, (long long)s.stx_btime.tv_sec, s.stx_btime.tv_nsec);
	return s.stx_mode;
}

static void copy(const char *path, const char *key) {
	static char buffer[1 << 20], older[80];
	ssize_t n;
	int to, from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 && errno == ENOENT) return; /* it was removed at this moment */
	to = openat(kept, "unfinished", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (from < 0 || to < 0) fail(path);
	while ((n = read(from, buffer, sizeof buffer)) > 0)
		if (write(to, buffer, n) != n) fail("write");
	if (n < 0) fail("read");
	close(from);
	close(to);
	snprintf(older, sizeof older, "%s.older", key);
	renameat(kept, key, kept, older); /* which is missing the first time; ext4 would write out what replaces a file */
	if (renameat(kept, "unfinished", kept, key) != 0) fail("rename");
	unlinkat(kept, older, 0);
}

static int list(const char *path, const struct stat *s, int type, struct FTW *at) {
	char key[64];
	mode_t mode = look(AT_FDCWD, path, key);
	(void)s, (void)type, (void)at;
	if (S_ISREG(mode) && first) copy(path, key);
	if (S_ISREG(mode)) fprintf(tree, "%s\t%s\n", path, key);
	if (S_ISDIR(mode)) fprintf(tree, "%s\n", path);
	return 0;
}

/* stale tells whether the tree is older than the last change of a folder in it. */
static int stale(void) {
	struct stat listed, folder;
	char line[4096];
	int is = 0, names = openat(kept, "tree", O_RDONLY | O_CLOEXEC);
	if (names < 0) return first = 1;
	if ((tree = fdopen(names, "r")) == NULL || fstat(names, &listed) != 0) fail("tree");
	while (!is && fgets(line, sizeof line, tree) != NULL) {
		if (strchr(line, '\t') != NULL) continue;
		line[strcspn(line, "\n")] = 0;
		is = stat(line, &folder) != 0 || folder.st_mtim.tv_sec > listed.st_mtim.tv_sec ||
			(folder.st_mtim.tv_sec == listed.st_mtim.tv_sec && folder.st_mtim.tv_nsec >= listed.st_mtim.tv_nsec);
	}
	fclose(tree);
	return is;
}

static void list_all(void) {
	struct timespec began[2];
	int names = openat(kept, "names", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (names < 0 || (tree = fdopen(names, "w")) == NULL) fail("tree");
	clock_gettime(CLOCK_REALTIME_COARSE, &began[0]); /* the clock of files */
	began[1] = began[0];
	nftw(getenv("DATA"), list, 64, FTW_PHYS);
	if (fflush(tree) != 0 || futimens(names, began) != 0 || fclose(tree) != 0) fail("tree");
	if (renameat(kept, "names", kept, "tree") != 0) fail("tree");
}

static int keep(int fd) {
	char path[64], key[64];
	kept = open(getenv("KEPT"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (kept < 0 || flock(kept, LOCK_EX) != 0) fail(getenv("KEPT"));
	if (S_ISREG(look(fd, "", key))) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		copy(path, key);
	}
	if (stale()) list_all();
	close(kept);
	return 0;
}

int fsync(int fd) { return keep(fd); }
int fdatasync(int fd) { return keep(fd); }
