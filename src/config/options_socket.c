/* The rows of [socket:NAME].  What a socket option does is socket(7), tcp(7)
 * and ip(7)'s to say; the help says when one would want it. */
#include <sys/socket.h>

#include "config/option.h"

#define SELF struct socket_settings
#define FIELD(f, T, t)	.key = #f, .type = &(t), .offset = OPTION_FIELD(SELF, f, T)
#define NUMBER(f)	FIELD(f, int64_t, option_number)
#define DURATION(f)	FIELD(f, int64_t, option_duration), .max = 86400000
#define SIZE(f)		FIELD(f, int64_t, option_size), .min = 1, .max = 1 << 30
#define FLAG(f)		FIELD(f, int64_t, option_flag)
#define CHOICE(f, w)	FIELD(f, int, option_words), .words = (w)
#define TEXT(f)		FIELD(f, char *, option_text)
#define ONLY(name)	.key = name, .type = &option_fixed

/* clang-format off */
static const struct option_word types[] = {
	{ "stream", SOCK_STREAM }, { "datagram", SOCK_DGRAM }, { "seqpacket", SOCK_SEQPACKET },
	{ NULL, 0 },
};
static const struct option_word yes_no[] = { { "no", 0 }, { "yes", 1 }, { NULL, 0 } };
static const struct option_word downs[] = {
	{ "hold", DOWN_HOLD }, { "refuse", DOWN_REFUSE }, { NULL, 0 },
};
static const struct option_word busies[] = {
	{ "wait", BUSY_WAIT }, { "fail", BUSY_FAIL }, { "reset", BUSY_RESET }, { NULL, 0 },
};
static const struct option_word auto_yes_no[] = {
	{ "auto", CHOICE_AUTO }, { "yes", CHOICE_YES }, { "no", CHOICE_NO }, { NULL, 0 },
};
static const struct option_word keep_yes_no[] = {
	{ "keep", CHOICE_AUTO }, { "yes", CHOICE_YES }, { "no", CHOICE_NO }, { NULL, 0 },
};

const struct option options_socket[] = {
	{ FIELD(listen, struct text_list, option_list), .preset = "", .effect = EFFECT_REBIND,
	  .help = "Addresses, a list: 8080 or *:8080 (one dual-stack socket where IPv6 exists), "
		  "HOST:PORT, [V6]:PORT, unix:/PATH, unix:@NAME (abstract). Required." },
	{ CHOICE(type, types), .preset = "stream", .effect = EFFECT_REBIND,
	  .help = "stream: TCP and unix; datagram: UDP and unix; seqpacket: unix." },
	{ NUMBER(backlog), .preset = "0", .max = 1 << 20, .effect = EFFECT_LIVE,
	  .help = "Connections that may wait to be accepted. 0: what the system allows." },
	{ CHOICE(ipv6_only, auto_yes_no), .preset = "auto", .effect = EFFECT_REBIND,
	  .help = "Whether an IPv6 socket refuses IPv4. auto: dual-stack for *, IPv6 only for "
		  "[...]." },
	{ CHOICE(exclusive, auto_yes_no), .preset = "auto", .effect = EFFECT_REBIND,
	  .help = "Who else may bind here. auto: SO_REUSEADDR on stream sockets, so that a "
		  "restart is never refused, nothing on others; yes: neither reuse option; no: "
		  "SO_REUSEPORT as well, another process of the same user may bind beside." },
	{ CHOICE(reuse_port, yes_no), .preset = "no", .effect = EFFECT_REBIND,
	  .help = "yes: one held socket for each worker, in an SO_REUSEPORT group of the "
		  "program's user; each has its own queue. For addresses of the network, and one "
		  "program. no: all workers share one." },
	{ CHOICE(non_blocking, keep_yes_no), .preset = "keep", .effect = EFFECT_LIVE,
	  .help = "O_NONBLOCK of the shared socket. keep: as a worker leaves it." },
	{ FLAG(free_bind), .preset = "", .effect = EFFECT_REBIND,
	  .help = "IP_FREEBIND: bind to an address that this host does not have yet." },
	{ FLAG(transparent), .preset = "", .effect = EFFECT_REBIND,
	  .help = "IP_TRANSPARENT: accept for addresses that are not this host's." },
	{ TEXT(bind_device), .preset = "", .effect = EFFECT_REBIND,
	  .help = "SO_BINDTODEVICE: listen on this network interface only." },
	{ NUMBER(mark), .preset = "", .max = 0xffffffff, .effect = EFFECT_LIVE,
	  .help = "SO_MARK, for routing and packet filters." },
	{ NUMBER(priority), .preset = "", .max = 6, .effect = EFFECT_LIVE,
	  .help = "SO_PRIORITY: the queueing priority of what is sent." },
	{ NUMBER(tos), .preset = "", .max = 255, .effect = EFFECT_LIVE,
	  .help = "IP_TOS and IPV6_TCLASS of what is sent." },
	{ FLAG(no_delay), .preset = "", .effect = EFFECT_LIVE,
	  .help = "TCP_NODELAY, inherited by accepted connections." },
	{ DURATION(defer_accept), .preset = "", .effect = EFFECT_LIVE,
	  .help = "TCP_DEFER_ACCEPT: wake a worker only when the first data is there, or this "
		  "time has passed. Not together with ready = tcp." },
	{ NUMBER(fast_open), .preset = "", .max = 1 << 20, .effect = EFFECT_LIVE,
	  .help = "TCP_FASTOPEN: how many connections may carry data before they are "
		  "established." },
	{ TEXT(congestion), .preset = "", .effect = EFFECT_LIVE,
	  .help = "TCP_CONGESTION: the algorithm, such as bbr or cubic." },
	{ FLAG(keep_alive), .preset = "", .effect = EFFECT_LIVE,
	  .help = "SO_KEEPALIVE, inherited by accepted connections." },
	{ DURATION(keep_alive_idle), .preset = "", .min = 1000, .effect = EFFECT_LIVE,
	  .help = "TCP_KEEPIDLE: silence before the first probe; whole seconds." },
	{ DURATION(keep_alive_interval), .preset = "", .min = 1000, .effect = EFFECT_LIVE,
	  .help = "TCP_KEEPINTVL: time between probes; whole seconds." },
	{ NUMBER(keep_alive_probes), .preset = "", .min = 1, .max = 127, .effect = EFFECT_LIVE,
	  .help = "TCP_KEEPCNT: unanswered probes until a connection is given up." },
	{ SIZE(receive_buffer), .preset = "", .effect = EFFECT_LIVE,
	  .help = "SO_RCVBUF. Empty: the system sizes it, which is nearly always better." },
	{ SIZE(send_buffer), .preset = "", .effect = EFFECT_LIVE,
	  .help = "SO_SNDBUF. Empty: the system sizes it, which is nearly always better." },
	{ DURATION(user_timeout), .preset = "", .effect = EFFECT_LIVE,
	  .help = "TCP_USER_TIMEOUT: how long sent data may stay unacknowledged." },
	{ CHOICE(mptcp, yes_no), .preset = "no", .effect = EFFECT_REBIND,
	  .help = "Multipath TCP." },
	{ FIELD(mode, int, option_mode), .preset = "0666", .effect = EFFECT_LIVE,
	  .help = "Permissions of a unix socket's path, in octal." },
	{ TEXT(owner), .preset = "", .effect = EFFECT_LIVE,
	  .help = "Owner of a unix socket's path, a name or a number. Empty: the supervisor's." },
	{ TEXT(group), .preset = "", .effect = EFFECT_LIVE,
	  .help = "Group of a unix socket's path, a name or a number. Empty: the supervisor's." },
	{ CHOICE(when_busy, busies), .preset = "wait", .not_yet = "adopt", .effect = EFFECT_LIVE,
	  .help = "What to do about what blocks the address. wait: tried again when it may be "
		  "free, a fault after busy_timeout, and tried on; fail: a fault at once, a reload "
		  "changes nothing; reset: after busy_timeout the connections in the way that "
		  "nobody serves are ended." },
	{ DURATION(busy_timeout), .preset = "90s", .effect = EFFECT_LIVE,
	  .help = "How long a blocked address is waited for before when_busy does its part." },
	{ CHOICE(when_down, downs), .preset = "hold", .effect = EFFECT_LIVE,
	  .help = "What clients meet when every program of the socket is stopped or failed. hold: "
		  "they queue; refuse: their connections are refused, the address stays ours." },
	{ 0 },
};

const char *const socket_not_yet[] = { NULL };
/* clang-format on */
