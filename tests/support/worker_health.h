/* What a worker says of its health, to whoever asks. */
#ifndef HOLDPORT_SUPPORT_WORKER_HEALTH_H
#define HOLDPORT_SUPPORT_WORKER_HEALTH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The status of an answer to GET path: of /health what stands in the file, if any. */
static inline int worker_status_for(const char *path, const char *health_file)
{
	FILE *file = health_file && !strcmp(path, "/health") ? fopen(health_file, "r") : NULL;
	int status = 200;

	if (file && fscanf(file, "%d", &status) != 1)
		status = 200;
	if (file)
		fclose(file);
	return status;
}

/* So many MiB, and it keeps them. */
static inline void worker_eat(int mib)
{
	static char *eaten;

	eaten = realloc(eaten, (size_t)mib << 20);
	if (eaten)
		memset(eaten, 'x', (size_t)mib << 20);
}

#endif
