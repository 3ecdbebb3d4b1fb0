/* What a worker says of its health, to whoever asks. */
#ifndef HOLDPORT_SUPPORT_WORKER_HEALTH_H
#define HOLDPORT_SUPPORT_WORKER_HEALTH_H

#include <stdio.h>
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

#endif
