/* A held socket under other settings. */
#include "base/log.h"
#include "socket/group.h"
#include "socket/held.h"
#include "socket/open.h"
#include "socket/tune.h"

void held_take_settings(struct held *h, const struct socket_settings *settings)
{
	struct settings *was = h->settings ? h->settings->whole : NULL;
	bool changed = h->settings && (h->settings->when_busy != settings->when_busy ||
				       h->settings->busy_timeout != settings->busy_timeout);

	(void)settings_ref(settings->whole);
	h->settings = settings;
	settings_unref(was);
	if (changed)
		gate_patience(&h->gate, held_patience(h));
}

static int tune_one(struct held *h, const struct socket_settings *settings, struct err *err)
{
	int rc = 0;

	if (h->fd >= 0 && (tune_reset(h->fd, &h->key, h->settings, settings, err) ||
			   socket_retune(h->fd, &h->key, settings, err))) {
		(void)tune_reset(h->fd, &h->key, settings, h->settings, NULL);
		(void)socket_retune(h->fd, &h->key, h->settings, NULL);
		rc = -1;
	}
	if (rc == 0)
		held_take_settings(h, settings);
	if (h->state == HELD_REFUSING)	/* a new backlog made it listen */
		socket_refuse(h->fd, &h->key);
	return rc;
}

int held_retune(struct held *h, const struct socket_settings *settings, struct err *err)
{
	const struct socket_settings *was = h->settings;
	struct settings *whole = settings_ref(was->whole);
	size_t done = 0;
	int rc = 0;

	while (rc == 0 && done < group_size(h))
		rc = tune_one(group_slot(h, done++), settings, err);
	if (rc < 0)
		for (done--; done-- > 0;)
			(void)tune_one(group_slot(h, done), was, NULL);
	settings_unref(whole);
	list_each(o, &h->store->sockets, struct held, node)
		if (rc == 0 && o->permit == h)
			rc = tune_one(o, settings, err);
	return rc;
}

void held_settings(struct held *h, const struct socket_settings *settings, unsigned index)
{
	for (size_t i = 0; i < group_size(h); i++) {
		struct held *one = group_slot(h, i);

		held_take_settings(one, settings);
		one->index = index;
		if (settings->reuse_port && one->fd >= 0 &&
		    socket_set_owner(one->fd, settings, NULL) < 0)
			log_warning("socket %s: its slots cannot be given to the user of its "
				    "program", settings->name);
	}
	list_each(o, &h->store->sockets, struct held, node)
		if (o->permit == h) {
			held_take_settings(o, settings);
			o->index = index;
		}
}
