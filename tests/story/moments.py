"""Moments of a restart at which something else happens: options of the worker, lines of its
section, the event that says that it is now."""

RESTARTING = {
    "starting": ("--start-delay 300", "", lambda e: e["what"] == "worker" and
                 e["generation"] == 2 and e["state"] == "starting"),
    "proving": ("--start-delay 300", "workers = 2\nstrategy = overlap",
                lambda e: e["generation"] == 2 and e["state"] == "proving"),
    "partial": ("--start-delay 200", "workers = 3",
                lambda e: e["generation"] == 2 and e["state"] == "partial"),
    "current": ("--stop-delay 300", "workers = 2",
                lambda e: e["generation"] == 2 and e["state"] == "current"),
    "draining": ("--stop-delay 300", "",
                 lambda e: e["what"] == "worker" and e["state"] == "draining"),
    "replacing": ("--start-delay 200", "strategy = replace",
                  lambda e: e["what"] == "worker" and e["state"] == "gone"),
}
