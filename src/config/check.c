#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option.h"
#include "config/understand.h"

static void required(const struct section *s, const char *key, const char *example,
		     struct faults *faults)
{
	const struct entry *e = section_find(s, key);

	if (e ? !*e->value : !s->damaged)
		faults_add(faults, s->place.file, e ? e->line : s->place.line,
			   "[%s:%s] has no %s; add one such as \"%s = %s\"", s->kind, s->name, key,
			   key, example);
}

/* A unix path is relative to the file; put back into the list, so that it is
 * printed as it was understood. */
static void make_absolute(char **text, const struct section *s)
{
	const struct option row = { .key = "listen" };
	const struct reading r = { .here = s->source->here };
	char *path;

	if (strncmp(*text, "unix:", 5) != 0 || (*text)[5] == '/' || (*text)[5] == '@' ||
	    !(*text)[5])
		return;
	path = option_absolute(&row, *text + 5, &r);
	free(*text);
	*text = mem_format("unix:%s", path);
	free(path);
}

static bool same_address(const struct address *a, const struct address *b)
{
	return a->length == b->length && memcmp(&a->sa, &b->sa, a->length) == 0;
}

/* The section that has this address already, or NULL.  TCP and UDP have their
 * own ports, abstract names are apart by type; a path is one file. */
static const struct socket_settings *taken_by(const struct settings *s, const struct address *a,
					      int type)
{
	for (size_t i = 0; i < s->socket_count; i++)
		for (size_t k = 0; k < s->sockets[i]->address_count; k++)
			if (same_address(&s->sockets[i]->addresses[k], a) &&
			    (s->sockets[i]->type == type || address_path(a)))
				return s->sockets[i];
	return NULL;
}

/* seqpacket has no protocol over IP that we would know (SCTP is rare). */
static int check_type(const struct socket_settings *k, const struct address *a, const char *text,
		      struct err *err)
{
	if (k->type == SOCK_SEQPACKET && a->sa.ss_family != AF_UNIX)
		return err_set(err, 0, "type: seqpacket is for unix sockets; \"%s\" needs stream "
			       "or datagram", text);
	if (k->mptcp && k->type != SOCK_STREAM)
		return err_set(err, 0, "mptcp: it is for streams; \"%s\" is none", text);
	if (k->reuse_port && a->sa.ss_family == AF_UNIX)
		return err_set(err, 0, "reuse_port: SO_REUSEPORT is for addresses of the network; "
			       "\"%s\" is none", text);
	return 0;
}

static void check_address(struct settings *s, struct socket_settings *k, const char *text,
			  const struct section *section, struct faults *faults)
{
	unsigned line = section_line_of(section, "listen");
	const struct socket_settings *other;
	struct address a;
	struct err err;

	memset(&a, 0, sizeof(a));
	if (address_parse(text, &a, &err) < 0) {
		faults_add(faults, section->place.file, line, "listen: %s", err.text);
		return;
	}
	if (check_type(k, &a, text, &err) < 0) {
		faults_add(faults, section->place.file, line, "%s", err.text);
		return;
	}
	other = taken_by(s, &a, k->type);
	if (other) {
		faults_add(faults, section->place.file, line,
			   "listen: [socket:%s] has the address \"%s\" already; programs can share "
			   "a socket, so name that one",
			   other->name, text);
		return;
	}
	k->addresses = mem_grow(k->addresses, k->address_count + 1, sizeof(a));
	k->addresses[k->address_count++] = a;
}

void check_socket(struct settings *s, const struct section *section, struct faults *faults)
{
	struct socket_settings *k = section->object;

	required(section, "listen", "*:8080", faults);
	for (size_t i = 0; i < k->listen.count; i++) {
		make_absolute(&k->listen.items[i], section);
		check_address(s, k, k->listen.items[i], section, faults);
	}
	if (k->when_down == DOWN_REFUSE && k->type == SOCK_DGRAM)
		faults_add(faults, section->place.file, section_line_of(section, "when_down"),
			   "when_down: nobody connects to a datagram socket, so nobody can be "
			   "refused; only hold is possible");
	if (k->reuse_port && k->exclusive == CHOICE_YES)
		faults_add(faults, section->place.file, section_line_of(section, "reuse_port"),
			   "reuse_port: the sockets of a group share their address, which "
			   "exclusive = yes forbids");
	if (k->reuse_port && k->mptcp)
		faults_add(faults, section->place.file, section_line_of(section, "reuse_port"),
			   "reuse_port: a group of multipath sockets cannot be steered to those "
			   "that are served; leave out reuse_port or mptcp");
	accounts_of_socket(k, section, faults);
}

static bool has_program(const struct settings *s, const char *socket, bool intercepts)
{
	for (size_t i = 0; i < s->program_count; i++)
		if (text_list_has(&s->programs[i]->sockets, socket) &&
		    !!(s->programs[i]->handoff & HANDOFF_INTERCEPT) == intercepts)
			return true;
	return false;
}

/* Sockets before programs, for programs look at sockets. */
void settings_check(struct settings *s, struct faults *faults)
{
	const struct document *d = s->owned;

	for (size_t i = 0; i < d->section_count; i++)
		if (d->sections[i]->object == &s->supervisor)
			accounts_of_supervisor(&s->supervisor, d->sections[i], faults);
	for (size_t i = 0; i < d->section_count; i++)
		if (d->sections[i]->object && strcmp(d->sections[i]->kind, "socket") == 0)
			check_socket(s, d->sections[i], faults);
	for (size_t i = 0; i < d->section_count; i++)
		if (d->sections[i]->object && strcmp(d->sections[i]->kind, "program") == 0) {
			required(d->sections[i], "command", "/srv/app/server --verbose", faults);
			check_program(s, d->sections[i], faults);
		}
	check_order(s, faults);
	for (size_t i = 0; i < s->socket_count; i++)
		s->sockets[i]->by_worker = !s->sockets[i]->reuse_port &&
					   has_program(s, s->sockets[i]->name, true) &&
					   !has_program(s, s->sockets[i]->name, false);
}
