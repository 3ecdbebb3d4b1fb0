/* What ld.so(8) does with LD_PRELOAD. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/platform.h"

enum { HEADERS_MOST = 64, LINE_MOST = 256 };

bool platform_preloads(void)
{
	return true;
}

char *platform_own_directory(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	slash = strrchr(self, '/');
	return slash ? mem_text_n(self, (size_t)(slash - self)) : NULL;
}

/* It asks for a loader: that is what reads LD_PRELOAD. */
static bool has_loader(int fd, const ElfW(Ehdr) *e)
{
	ElfW(Phdr) p;

	for (unsigned i = 0; i < e->e_phnum && i < HEADERS_MOST; i++)
		if (pread(fd, &p, sizeof(p), (off_t)(e->e_phoff + i * sizeof(p))) ==
			    (ssize_t)sizeof(p) && p.p_type == PT_INTERP)
			return true;
	return false;
}

static int judge(int fd, const char *file, struct err *err)
{
	const int own = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	ElfW(Ehdr) e;
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_mode & (S_ISUID | S_ISGID))
		return err_set(err, EPERM, "%s is set-user-id, and preloads nothing", file);
	if (pread(fd, &e, sizeof(e), 0) != (ssize_t)sizeof(e) ||
	    memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;	/* exec(2) will say what it is */
	if (e.e_ident[EI_CLASS] != own)
		return err_set(err, ENOEXEC, "%s is of another word size, and cannot preload ours",
			       file);
	if (!has_loader(fd, &e))
		return err_set(err, ENOEXEC, "%s is linked statically, and preloads nothing", file);
	return 0;
}

/* A script is run by the program that its first line names. */
static char *interpreter(int fd)
{
	char line[LINE_MOST] = "", *start = line + 2;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);

	if (n < 2 || memcmp(line, "#!", 2) != 0)
		return NULL;
	start += strspn(start, " \t");
	return mem_text_n(start, strcspn(start, " \t\n"));
}

int platform_preload_reaches(const char *file, struct err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), rc = 0;
	char *by = fd >= 0 ? interpreter(fd) : NULL;

	if (by) {
		fd_close(&fd);
		fd = open(by, O_RDONLY | O_CLOEXEC);
	}
	if (fd >= 0)
		rc = judge(fd, by ? by : file, err);
	free(by);
	fd_close(&fd);
	return rc;
}
