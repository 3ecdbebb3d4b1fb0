/* What the manager and the process that writes logs say to each other, over a
 * SOCK_SEQPACKET pair.  Both are one executable: the messages are its structs. */
#ifndef HOLDPORT_LOGS_ORDER_H
#define HOLDPORT_LOGS_ORDER_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_ORIGIN_SIZE = 160, LOG_PATH_SIZE = 2048, LOG_TEXT_SIZE = 1024 };

enum log_to { LOG_TO_FILE, LOG_TO_SYSLOG, LOG_TO_JOURNAL };

/* Where a worker's output goes, and in which form. */
struct log_target {
	enum log_to to;
	int facility;			/* as in syslog(3) */
	int64_t pid;			/* of who says it */
	int64_t max_size;		/* bytes; 0: it is not turned over */
	int64_t max_age;		/* ms; 0: likewise */
	int64_t keep;			/* old ones beside it */
	int64_t rate, burst;		/* lines of its program: a second, at once; 0: any */
	bool pack;			/* those but the newest */
	bool stamps, prefix;		/* in front of each line: when, who */
	char *path;			/* of no file: what it is called, "syslog:web" */
};

enum order_word {
	ORDER_ADD,			/* with a descriptor to read from */
	ORDER_END,			/* its worker has ended: the rest is all there is */
	ORDER_REOPEN,			/* every file */
};

struct order {
	enum order_word word;
	uint32_t number;		/* of the stream */
	uint32_t tail;			/* which one is its */
	char origin[LOG_ORIGIN_SIZE];	/* "web/3/0" */
	struct log_target target;	/* its path is that here */
	char path[LOG_PATH_SIZE];	/* last: it is sent as long as it is */
};

enum answer_word { ANSWER_ENDED /* all of a stream is written */, ANSWER_SAY };

struct answer {
	enum answer_word word;
	uint32_t number;		/* of the stream; a log level */
	char text[LOG_TEXT_SIZE];
};

/* 1: sent, 0: not now, -1: nobody is there. */
int order_send(int fd, const struct order *o, int pass);
/* 1 and what; 0: nothing now; -1: the end.  The caller owns *ret_fd, -1: none. */
int order_receive(int fd, struct order *ret, int *ret_fd);
int answer_send(int fd, const struct answer *a);
int answer_receive(int fd, struct answer *ret);

#endif
