/* What the keeper says to the manager. */
#include "supervisor/heir.h"

#include "base/log.h"
#include "base/owner.h"
#include "supervisor/supervisor.h"

static void on_heard(struct keeper_link *l, const struct channel_message *m, int *fd)
{
	struct supervisor *s = OWNER(l, struct supervisor, link);

	(void)fd;
	switch (m->word) {
	case CHANNEL_SIGNAL:
		/* First the answer: what follows from it may take a while. */
		link_say(l, CHANNEL_TAKEN, m->number, NULL, -1);
		supervisor_signal(s, (int)m->number);
		break;
	case CHANNEL_NOTIFIED:
		upward_answered(&s->upward, m->number, (int)m->other);
		break;
	case CHANNEL_ENDED:
		memory_ended(s, (pid_t)m->number, m->other);
		break;
	default:
		break;
	}
}

static void tell(struct foster *f, enum channel_word word, pid_t pid)
{
	struct supervisor *s = OWNER(f, struct supervisor, foster);

	link_say(&s->link, word, pid, NULL, -1);
}

static void adopt(struct foster *f, pid_t pid)
{
	struct supervisor *s = OWNER(f, struct supervisor, foster);

	s->adopted.pids[s->adopted.count++] = pid;
	if (s->adopted.count == CHANNEL_PIDS)
		link_foster(&s->link, &s->adopted);
}

/* Nobody to ask: the kernel may know (platform_end_of_stranger). */
static void peek(struct foster *f, pid_t pid)
{
	struct supervisor *s = OWNER(f, struct supervisor, foster);

	if (s->link.fd >= 0)
		tell(f, CHANNEL_PEEK, pid);
	else
		memory_ended(s, pid, END_UNKNOWN);
}

static void reap(struct foster *f, pid_t pid)
{
	tell(f, CHANNEL_REAP, pid);
}

static void on_lost(struct keeper_link *l)
{
	supervisor_lose_keeper(OWNER(l, struct supervisor, link));
}

void supervisor_listen_to_keeper(struct supervisor *s)
{
	s->link.heard = on_heard;
	s->link.lost = on_lost;
	s->foster = (struct foster){ .adopt = adopt, .peek = peek, .reap = reap };
	link_start(&s->link, s->loop);
}
