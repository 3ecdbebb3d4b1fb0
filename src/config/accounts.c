/* Names of users and groups to numbers.  Looked up when the file is read: a
 * worker's start must not wait for a directory service. */
#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/quantity.h"
#include "config/understand.h"

#define ID_MOST 0xfffffffeLL	/* (uid_t)-1 means "none" to chown(2) and setresuid(2) */

static void wrong(const struct section *s, const char *key, const char *what, const char *name,
		  struct faults *faults)
{
	faults_add(faults, s->place.file, section_line_of(s, key), "%s: %s \"%.80s\"", key, what,
		   name);
}

static bool numeric(const char *name, int64_t *ret)
{
	return isdigit((unsigned char)*name) && number_parse(name, ret, NULL) == 0 &&
	       *ret <= ID_MOST;
}

/* The entry of a user by name or number; ret_uid alone for a number without one. */
static const struct passwd *find_user(const char *name, uid_t *ret_uid, bool *ret_found)
{
	const struct passwd *pw = getpwnam(name);
	int64_t n;

	*ret_found = pw != NULL;
	if (!pw && numeric(name, &n)) {
		pw = getpwuid((uid_t)n);
		*ret_uid = (uid_t)n;
		*ret_found = true;
	}
	if (pw)
		*ret_uid = pw->pw_uid;
	return pw;
}

static bool find_group(const char *name, gid_t *ret)
{
	const struct group *gr = getgrnam(name);
	int64_t n;

	if (gr)
		*ret = gr->gr_gid;
	else if (numeric(name, &n))
		*ret = (gid_t)n;
	else
		return false;
	return true;
}

static void groups_of_user(struct program_settings *p, const struct passwd *pw)
{
	int count = 32, room;

	do {
		room = count;
		p->groups = mem_grow(p->groups, (size_t)room, sizeof(gid_t));
	} while (getgrouplist(pw->pw_name, p->gid, p->groups, &count) < 0 && count > room);
	p->group_count = (size_t)(count < room ? count : room);
}

static void resolve_user(struct program_settings *p, const struct section *s,
			 struct faults *faults)
{
	const struct passwd *pw;
	bool found;

	if (!p->user)
		return;
	pw = find_user(p->user, &p->uid, &found);
	if (!found) {
		wrong(s, "user", "there is no user", p->user, faults);
		return;
	}
	p->set_user = true;
	if (!p->set_group && !pw && !p->group) {
		wrong(s, "user", "group is needed as well, for there is no entry for user", p->user,
		      faults);
		return;
	}
	if (!p->set_group && pw) {
		p->gid = pw->pw_gid;
		p->set_group = true;
	}
	if (pw && !p->supplementary_groups.count)
		groups_of_user(p, pw);
}

static void resolve_supplementary(struct program_settings *p, const struct section *s,
				  struct faults *faults)
{
	const struct text_list *names = &p->supplementary_groups;

	if (!names->count)
		return;
	p->groups = mem_new(names->count * sizeof(gid_t));
	for (size_t i = 0; i < names->count; i++)
		if (find_group(names->items[i], &p->groups[p->group_count]))
			p->group_count++;
		else
			wrong(s, "supplementary_groups", "there is no group", names->items[i],
			      faults);
}

/* Without root nothing can be changed, so only what is so already may be
 * asked for; then there is nothing to set. */
static void without_root(struct program_settings *p, const struct section *s,
			 struct faults *faults)
{
	if (p->set_user && p->uid != geteuid())
		wrong(s, "user", "only root can run a program as", p->user, faults);
	if (p->set_group && p->group && p->gid != getegid())
		wrong(s, "group", "only root can run a program as group", p->group, faults);
	if (p->supplementary_groups.count)
		wrong(s, "supplementary_groups", "only root can give a program the group",
		      p->supplementary_groups.items[0], faults);
	p->set_user = p->set_group = false;
	free(p->groups);
	p->groups = NULL;
	p->group_count = 0;
}

void accounts_of_program(struct program_settings *p, const struct section *section,
			 struct faults *faults)
{
	if (p->group) {
		p->set_group = find_group(p->group, &p->gid);
		if (!p->set_group)
			wrong(section, "group", "there is no group", p->group, faults);
	}
	resolve_supplementary(p, section, faults);
	resolve_user(p, section, faults);
	if (geteuid() != 0)
		without_root(p, section, faults);
}

static void resolve_group(const struct section *s, const char *key, const char *name, gid_t *ret,
			  struct faults *faults)
{
	if (name && !find_group(name, ret))
		wrong(s, key, "there is no group", name, faults);
}

void accounts_of_supervisor(struct supervisor_settings *v, const struct section *section,
			    struct faults *faults)
{
	resolve_group(section, "read_group", v->read_group, &v->read_gid, faults);
	resolve_group(section, "change_group", v->change_group, &v->change_gid, faults);
}

void accounts_of_socket(struct socket_settings *k, const struct section *section,
			struct faults *faults)
{
	bool found = true;

	if (k->owner)
		(void)find_user(k->owner, &k->uid, &found);
	if (!found)
		wrong(section, "owner", "there is no user", k->owner, faults);
	resolve_group(section, "group", k->group, &k->gid, faults);
}
