/* What an upgrade finds in the place of holdportd: it answers as one, and then does
 * what the file beside it, its own name and ".plays", says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nobody is left behind. */
static void hang(void)
{
	pid_t parent = getppid();

	while (getppid() == parent)
		(void)usleep(10000);
	exit(0);
}

static void crash(void)
{
	abort();
}

static void give_up(void)
{
	exit(3);
}

static void refuse(void)
{
	fputs("program web: \"nonsense\" is no key\n", stderr);
	exit(1);
}

static void say_something_else(void)
{
	puts("hello");
	exit(0);
}

static void answer(void)
{
	puts("holdport 9.9");
	exit(0);
}

/* When the keeper is gone, as the executable that stands behind the word.  A file says
 * that it waits for that. */
static void go_on_late(void);

static const struct {
	const char *word;
	void (*asked)(void);		/* whether it understands what runs */
	void (*run)(void);		/* as the manager */
} parts[] = {
	{ "crash", answer, crash },	 { "exit", answer, give_up },
	{ "hang", answer, hang },	 { "refuse", refuse, NULL },
	{ "mute", hang, NULL },		 { "fall", crash, NULL },
	{ "stranger", say_something_else, NULL },
	{ "late", answer, go_on_late },
};

static char **words;			/* argv */
static char other[512];			/* executable */

static void go_on_late(void)
{
	pid_t parent = getppid();
	char name[512];

	(void)snprintf(name, sizeof(name), "%s.waits", words[0]);
	(void)fclose(fopen(name, "we"));
	while (getppid() == parent)
		(void)usleep(10000);
	(void)execv(other, words);
}

int main(int argc, char **argv)
{
	char name[512], word[32] = "";
	FILE *f;

	words = argv;
	(void)snprintf(name, sizeof(name), "%s.plays", argv[0]);
	f = fopen(name, "re");
	if (!f || fscanf(f, "%31s %511s", word, other) < 1 || argc < 2)
		return 100;
	(void)fclose(f);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(parts[i].word, word) == 0)
			strcmp(argv[1], "check-state") == 0 ? parts[i].asked() : parts[i].run();
	return 101;
}
