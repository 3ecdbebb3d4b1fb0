#include "supervisor/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "config/unsafe.h"
#include "keeper/bequest.h"
#include "keeper/keeper.h"
#include "supervisor/heir.h"
#include "supervisor/supervisor.h"

enum { LOOK_MS = 5, NUMBER_DIGITS = 12 };

static const char *state_word(enum upgrade_state s)
{
	static const char *const words[] = {
#define X(name, word) [UPGRADE_##name] = word,
		UPGRADE_STATES(X)
#undef X
	};
	return words[s];
}

static void leave_off(struct upgrade *u)
{
	preflight_stop(&u->preflight);
	loop_timer_stop(&u->look);
	loop_timer_stop(&u->patience);
	if (u->number)
		fd_close(&u->image);
}

static void conclude(struct supervisor *s, enum upgrade_state how, char *text)
{
	struct upgrade *u = &s->upgrade;

	leave_off(u);
	s->rollout.hush = false;
	u->state = how;
	free(u->text);
	u->text = text;
	if (how == UPGRADE_DONE)
		log_notice("upgrade %u: %s", u->number, text);
	else
		log_error("upgrade %u: %s", u->number, text);
	memory_of_whole(s);
	control_upgraded(&s->control);
}

static void nothing_changed(struct supervisor *s, const char *why)
{
	conclude(s, UPGRADE_FAILED, mem_format("nothing was changed: %s", why));
}

/* manage 5 run -c FILE → succeed 5:9 run -c FILE.  Returns only when it cannot. */
static void become(struct supervisor *s, int left, struct err *err)
{
	static char word[] = KEEPER_SUCCEED, numbers[2 * NUMBER_DIGITS];

	(void)snprintf(numbers, sizeof(numbers), "%d:%d", s->link.fd, left);
	(void)fcntl(s->link.fd, F_SETFD, 0);
	(void)err_sys(err, supervisor_become(s, s->upgrade.image, word, numbers, s->environment),
		      "%s cannot be executed", s->words[0]);
	(void)fcntl(s->link.fd, F_SETFD, FD_CLOEXEC);
	(void)link_say(&s->link, CHANNEL_STAYED, 0, NULL, -1);
}

/* The keeper may end in these moments: what it holds is left to the new image, too. */
static void go(struct supervisor *s)
{
	int64_t patience = s->settings->supervisor.upgrade_timeout;
	struct upgrade *u = &s->upgrade;
	struct err err;
	int left;

	log_notice("upgrade %u: this manager goes on as %s", u->number, s->words[0]);
	u->state = UPGRADE_GOING;
	memory_of_upgrade(s);
	left = bequest_write(&s->memory.custody, &err);
	if (left >= 0 && link_say(&s->link, CHANNEL_UPGRADE, patience, NULL, u->image) < 0)
		(void)err_set(&err, 0, "the keeper has ended; ask again");
	else if (left >= 0)
		become(s, left, &err);
	bequest_undo(&s->memory.custody, &left);
	memory_checkpoint(s);		/* what it says of this moment is over */
	nothing_changed(s, err.text);
}

static void on_look(struct loop_timer *t);

/* A signal that comes from now on is for the image that we shall be. */
static void on_hushed(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, upgrade.look);

	if (s->state == MANAGER_RUNNING && rollout_is_still(&s->rollout))
		go(s);
	else
		loop_timer_start(s->loop, t, LOOK_MS, on_look);
	platform_take_signals();
}

static void on_look(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, upgrade.look);

	if (s->state != MANAGER_RUNNING)
		nothing_changed(s, "the supervisor is shutting down");
	else if (rollout_is_still(&s->rollout))
		loop_hush(s->loop, t, on_hushed);
	else
		loop_timer_start(s->loop, t, LOOK_MS, on_look);
}

static void on_patience_over(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, upgrade.patience);

	platform_take_signals();
	nothing_changed(s, "a process that was just started has not come to its exec(2), or a "
			   "check of readiness or health does not end");
}

/* Between two turns, when what was said to those who asked is on its way. */
static void on_told(struct preflight *p, const char *why)
{
	struct supervisor *s = OWNER(p, struct supervisor, upgrade.preflight);
	struct upgrade *u = &s->upgrade;
	char *text;

	if (!why) {
		u->state = UPGRADE_WAITING;
		s->rollout.hush = true;
		loop_timer_start(s->loop, &u->look, 0, on_look);
		loop_timer_start(s->loop, &u->patience,
				 s->settings->supervisor.upgrade_timeout, on_patience_over);
		return;
	}
	text = mem_format("%s: %s", s->words[0], why);
	nothing_changed(s, text);
	free(text);
}

static int check_image(int image, const char *path, struct err *err)
{
	struct stat st;
	const char *unsafe;
	char *where = NULL;
	int rc = 0;

	if (fstat(image, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, 0, "%s is not a file", path);
	unsafe = file_unsafe(&st);
	if (!unsafe)
		unsafe = where = path_unsafe(path);
	if (unsafe)
		rc = err_set(err, 0, "%s %s", path, unsafe);
	free(where);
	return rc;
}

/* By the path that we were started by: what is installed there now. */
static int open_image(const char *path, struct err *err)
{
	int image = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (image < 0)
		return err_sys(err, errno, "cannot open %s", path);
	if (check_image(image, path, err) < 0)
		fd_close(&image);
	return image;
}

static int may_begin(const struct supervisor *s, struct err *err)
{
	if (s->state != MANAGER_RUNNING)
		return err_set(err, 0, "the supervisor is shutting down");
	if (upgrade_under_way(&s->upgrade))
		return err_set(err, 0, "upgrade %u is under way; one at a time", s->upgrade.number);
	if (s->link.fd < 0)
		return err_set(err, 0, "nothing was changed: there is no keeper that could go back "
				       "to the old version");
	return 0;
}

static void begin_number(struct upgrade *u, const char *request)
{
	u->number++;
	u->state = UPGRADE_ASKING;
	free(u->text);
	u->text = NULL;
	free(u->from);
	u->from = mem_text(HOLDPORT_VERSION);
	free(u->request);
	u->request = mem_text(request);
}

static int ask_image(struct supervisor *s, struct err *err)
{
	struct upgrade *u = &s->upgrade;
	struct preflight_spec spec = {
		.loop = s->loop, .state = s->memory.journal.fd, .name = s->words[0],
		.env = s->environment, .patience = s->settings->supervisor.upgrade_timeout,
	};

	spec.image = u->image = open_image(s->words[0], err);
	if (u->image < 0)
		return -1;
	return preflight_start(&u->preflight, &spec, on_told, err);
}

/* One that cannot be asked has failed, with a number as any other. */
int upgrade_begin(struct supervisor *s, const char *request, struct err *err)
{
	struct err why;

	if (may_begin(s, err) < 0)
		return -1;
	leave_off(&s->upgrade);
	begin_number(&s->upgrade, request);
	memory_of_whole(s);
	log_notice("upgrade %u: to %s", s->upgrade.number, s->words[0]);
	if (ask_image(s, &why) < 0)
		nothing_changed(s, why.text);
	return (int)s->upgrade.number;
}

void upgrade_stop(struct supervisor *s)
{
	leave_off(&s->upgrade);
	free(s->upgrade.text);
	free(s->upgrade.from);
	free(s->upgrade.request);
	s->upgrade = (struct upgrade){ 0 };
}

void upgrade_record(const struct upgrade *u, struct str *out)
{
	if (!u->number)
		return;
	fact_number(out, "upgrade", u->number);
	fact_text(out, "upgrade_state", state_word(u->state));
	fact_text(out, "upgrade_text", u->text);
	fact_text(out, "upgrade_from", u->from);
	fact_text(out, "upgrade_request", u->request);
}

static enum upgrade_state state_of(const char *word)
{
	for (int i = 0; word && i < UPGRADE_STATE_COUNT; i++)
		if (strcmp(state_word((enum upgrade_state)i), word) == 0)
			return (enum upgrade_state)i;
	return UPGRADE_FAILED;
}

/* A manager whose upgrade was under way has ended, or is us. */
static void fail_half_done(struct supervisor *s)
{
	struct upgrade *u = &s->upgrade;
	const char *rolled_back = s->memory.custody.rolled_back;

	if (!*rolled_back && (s->succeeds || !upgrade_under_way(u)))
		return;
	u->state = UPGRADE_FAILED;
	free(u->text);
	if (*rolled_back)
		u->text = mem_format("rolled back: %s; holdport %s goes on", rolled_back,
				     HOLDPORT_VERSION);
	else
		u->text = mem_text("nothing was changed: the manager ended while it asked");
}

void upgrade_recall(struct supervisor *s, const struct fact *f)
{
	struct upgrade *u = &s->upgrade;

	*u = (struct upgrade){ .image = -1, .number = (unsigned)fact_int(f, "upgrade", 0) };
	if (!u->number)
		return;
	u->state = state_of(fact_get(f, "upgrade_state"));
	u->text = mem_text(fact_get(f, "upgrade_text"));
	u->from = mem_text(fact_get(f, "upgrade_from"));
	u->request = mem_text(fact_get(f, "upgrade_request"));
	fail_half_done(s);
}

/* Said before the keeper is told: if we end in between, it knows better. */
void upgrade_settle(struct supervisor *s)
{
	if (s->succeeds && s->upgrade.state == UPGRADE_GOING)
		conclude(s, UPGRADE_DONE, mem_format("holdport %s supervises, in the place of %s",
						     HOLDPORT_VERSION, s->upgrade.from));
}
