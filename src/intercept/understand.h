/* From what a worker calls bind(2) with to what it asks for. */
#ifndef HOLDPORT_INTERCEPT_UNDERSTAND_H
#define HOLDPORT_INTERCEPT_UNDERSTAND_H

#include "intercept/decide.h"

struct own_socket {
	int domain, type, protocol;	/* as socket(2) made it */
	bool v6only;
};

/* Of a descriptor of the worker's.  Returns ret. */
const struct own_socket *own_socket(int fd, struct own_socket *ret);

/* The address is the worker's: any bytes.  False: none that could be held. */
bool understand_bind(const struct own_socket *own, const struct sockaddr_storage *sa,
		     socklen_t length, struct asked *ret);

#endif
