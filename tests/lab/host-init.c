/*
 * The process that stands for a lab host: others enter the host through it, and it adopts the host's
 * orphans as init(8) does.
 *
 * libvirt waits for a QEMU that it stops until the process is gone, and an orphan is gone only when its
 * adopter has asked for its exit status. Process 1 of a test machine may take seconds for that; here it
 * takes no time.
 *
 *   host-init COMMAND ARGUMENT...   runs COMMAND once; at each SIGUSR1 again with the argument `libvirtd`
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void run(char **argv, sigset_t *mask)
{
	if (fork() != 0)
		return;
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	char **again = calloc((size_t)argc + 1, sizeof *again);
	sigset_t awaited, before;

	if (argc < 2 || !again)
		return 2;
	for (int i = 1; i < argc; i++)
		again[i - 1] = argv[i];
	again[argc - 1] = "libvirtd";

	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGUSR1);
	sigprocmask(SIG_BLOCK, &awaited, &before);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run(argv + 1, &before);
	for (;;) {
		if (sigwaitinfo(&awaited, NULL) == SIGUSR1)
			run(again, &before);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
