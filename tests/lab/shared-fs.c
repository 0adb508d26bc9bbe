/*
 * Preloaded into a lab host's libvirtd: the lab's shared folder answers statfs(2) as NFS does.
 *
 * The hosts of a lab share one local file system. libvirt knows shared storage by its file system type
 * and refuses to migrate a guest whose disk is on any other; without this every migration in the lab
 * would need --unsafe, which no tool should use on its own account.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <linux/magic.h>

static int pretend(const char *path, int result, struct statfs64 *buf)
{
	const char *shared = getenv("LAB_SHARED");
	size_t length = shared ? strlen(shared) : 0;

	if (result == 0 && length && strncmp(path, shared, length) == 0 &&
	    (path[length] == '/' || path[length] == '\0'))
		buf->f_type = NFS_SUPER_MAGIC;
	return result;
}

int statfs64(const char *path, struct statfs64 *buf)
{
	int (*real)(const char *, struct statfs64 *) =
		(int (*)(const char *, struct statfs64 *))dlsym(RTLD_NEXT, "statfs64");
	return pretend(path, real(path, buf), buf);
}

/* On 64-bit machines both names mean the same structure. */
int statfs(const char *path, struct statfs *buf)
{
	return statfs64(path, (struct statfs64 *)buf);
}
