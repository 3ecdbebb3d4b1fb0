/* What the keeper says to the manager. */
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
	default:
		break;
	}
}

static void on_lost(struct keeper_link *l)
{
	(void)l;
	log_error("the keeper above us has ended; its work goes on without it");
}

void supervisor_listen_to_keeper(struct supervisor *s)
{
	s->link.heard = on_heard;
	s->link.lost = on_lost;
	link_start(&s->link, s->loop);
}
