#include "intercept/catch.h"

#include <signal.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/owner.h"

struct catch {
	struct list node;
	struct process process;
	int result;
	struct loop *loop;
	struct loop_child child;
	struct loop_timer deadline;
	void (*caught)(int result, void *ctx);	/* NULL: forgotten */
	void *ctx;
};

/* Those that nobody waits for any more among them. */
static struct list all = { &all, &all };

static void catch_free(struct catch *c)
{
	list_remove(&c->node);
	loop_timer_stop(&c->deadline);
	loop_child_stop(&c->child);
	fd_close(&c->process.handle);
	fd_close(&c->result);
	free(c);
}

static void tell(struct catch *c, int result)
{
	void (*caught)(int result, void *ctx) = c->caught;

	c->caught = NULL;
	if (caught)
		caught(result, c->ctx);
}

static void on_end(struct loop_child *child)
{
	struct catch *c = OWNER(child, struct catch, child);
	struct process_end end;

	if (platform_peek(&c->process, &end) == 0) {
		loop_child_start(c->loop, &c->child, &c->process, on_end);
		return;
	}
	platform_reap(&c->process);
	tell(c, c->result);
	catch_free(c);
}

/* What holds it may hold it beyond its death: a file system that does not answer.
 * So nobody waits for that. */
static void on_deadline(struct loop_timer *t)
{
	struct catch *c = OWNER(t, struct catch, deadline);

	(void)platform_signal(&c->process, SIGKILL);
	tell(c, -1);
}

struct catch *catch_start(struct loop *loop, catch_begin_fn *begin, int from,
			  void (*caught)(int result, void *ctx), void *ctx, struct err *err)
{
	struct catch *c = MEM_NEW(struct catch);

	*c = (struct catch){ .loop = loop, .caught = caught, .ctx = ctx };
	if (begin(from, &c->process, &c->result, err) < 0) {
		free(c);
		return NULL;
	}
	list_append(&all, &c->node);
	loop_child_start(loop, &c->child, &c->process, on_end);
	loop_timer_start(loop, &c->deadline, CATCH_MS, on_deadline);
	return c;
}

void catch_forget(struct catch *c)
{
	if (!c)
		return;
	c->caught = NULL;
	(void)platform_signal(&c->process, SIGKILL);
}

void catch_outlast(struct catch *c, void (*ended)(int result, void *ctx))
{
	c->caught = ended;
}

void catches_end(void)
{
	list_each_safe(c, &all, struct catch, node)
		catch_free(c);
}
