/*
 * The only program of a lab guest: process 1 of a virtual machine, or of a container.
 *
 * It prints `tick N` at an even pace, so that a log shows whether the guest kept running and for how
 * long it did not; it dirties memory at a chosen rate, so that a live migration has work to do; and it
 * powers the guest off when asked to, as an orderly guest does.
 *
 * Parameters come from the environment. The kernel puts unknown words of its command line there for
 * process 1, and libvirt does the same with <initenv> of a container:
 *
 *   tick=MS       time between two ticks (100)
 *   dirty=MIB     memory written per second, in MiB (0: none)
 *   dirtyset=MIB  size of the memory that is written to (16)
 *   button=ignore do not power off when asked to
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <linux/input.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MAX_BUTTONS 8
#define INITCTL "/run/initctl"
#define PAGE 4096

static volatile sig_atomic_t asked_to_stop;
static struct pollfd buttons[MAX_BUTTONS]; /* input devices; in a container, the pipe of init(8) */
static int button_count;
static int tick_log = -1; /* containers only: a terminal nobody reads loses lines, a file does not */

static void on_signal(int signal)
{
	(void)signal;
	asked_to_stop = 1;
}

static long parameter(const char *name, long otherwise)
{
	const char *value = getenv(name);
	return value && *value ? atol(value) : otherwise;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void say(const char *line)
{
	/* What a full terminal does not take is lost; the counter goes on. */
	(void)!write(STDOUT_FILENO, line, strlen(line));
	if (tick_log >= 0)
		(void)!write(tick_log, line, strlen(line));
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	syscall(SYS_finit_module, fd, "", 0);
	close(fd);
}

/* A virtual machine has nothing yet: devices, the power button, and a console that leaves lines alone. */
static void set_up_machine(void)
{
	struct termios tty;
	char path[32];

	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	load_module("/button.ko");
	load_module("/evdev.ko");
	for (int i = 0; i < MAX_BUTTONS; i++) {
		snprintf(path, sizeof path, "/dev/input/event%d", i);
		int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			buttons[button_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	if (tcgetattr(STDOUT_FILENO, &tty) == 0) {
		cfmakeraw(&tty);
		tcsetattr(STDOUT_FILENO, TCSANOW, &tty);
	}
}

/* libvirt asks a container to power off through this pipe, or by a signal. */
static void set_up_container(void)
{
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	mkdir("/run", 0755);
	unlink(INITCTL);
	mkfifo(INITCTL, 0600);
	int fd = open(INITCTL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		buttons[button_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	tick_log = open("/tick.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* A child process, of low priority so that the ticks stay even. */
static void dirty_memory(long mib_per_second, long mib_of_set)
{
	if (mib_per_second <= 0 || mib_of_set <= 0 || fork() != 0)
		return;
	(void)!nice(19);
	long pages = mib_of_set * (1024 * 1024 / PAGE);
	long batch = mib_per_second * (1024 * 1024 / PAGE) / 100;
	volatile uint64_t *memory = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	const struct timespec pause = {.tv_nsec = 10 * 1000000};
	for (long page = 0;;) {
		for (long i = 0; i < (batch ? batch : 1); i++) {
			memory[page * (PAGE / sizeof *memory)]++;
			page = (page + 1) % pages;
		}
		nanosleep(&pause, NULL);
	}
}

/* A press of the power key; in a container, any message to init. */
static int power_key_pressed(void)
{
	struct input_event event;
	int pressed = tick_log >= 0;

	for (int i = 0; i < button_count; i++)
		while (read(buttons[i].fd, &event, sizeof event) == sizeof event)
			pressed |= event.type == EV_KEY && event.code == KEY_POWER && event.value == 1;
	return pressed;
}

/* Sleeps to the given time, or less when a signal arrives or the power button is pressed. */
static void wait_until(int64_t when)
{
	int64_t left;

	while (!asked_to_stop && (left = when - now_ns()) > 0) {
		struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
		if (ppoll(buttons, (nfds_t)button_count, &t, NULL) > 0 && power_key_pressed())
			asked_to_stop = 1;
	}
}

int main(void)
{
	const struct sigaction stop = {.sa_handler = on_signal};
	const char *button = getenv("button");
	int ignores_button = button && strcmp(button, "ignore") == 0;
	int64_t period = parameter("tick", 100) * 1000000;
	char line[32];

	if (getenv("container"))
		set_up_container();
	else
		set_up_machine();
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPWR, &stop, NULL);
	dirty_memory(parameter("dirty", 0), parameter("dirtyset", 16));

	int64_t next = now_ns();
	for (unsigned long n = 0; !asked_to_stop; n++) {
		snprintf(line, sizeof line, "tick %lu\n", n);
		say(line);
		/* A tick that was missed is not made up for: the log shows the gap. */
		next = next + period > now_ns() ? next + period : now_ns();
		wait_until(next);
		if (ignores_button)
			asked_to_stop = 0;
	}
	say("poweroff\n");
	tcdrain(STDOUT_FILENO);
	sync();
	reboot(RB_POWER_OFF);
	return 0; /* where a container may not do that, its end is the end of process 1 */
}
