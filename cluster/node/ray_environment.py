"""What Ray and Serve are tuned by: the variables that every process of every node must see before
Ray starts there, on this machine as in a container.

Costs are processor seconds a minute of an idle node with seven replicas, four of them in pools that
scale: 13.3 in all before and 10.0 after. A node that decides pays them all the same. What stays:
0.4 for each Python worker (Ray looks for signals every 10 ms, which nothing turns off), 2.5 for
dashboard and agent.

Tried without gain: `RAY_event_stats`, `RAY_task_events_report_interval_ms`, `MALLOC_ARENA_MAX`.
"""

from __future__ import annotations

TUNING = {
    # gRPC between replicas, user code on the replica's loop.
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # What it brings as well is a buffer of a thousand lines: a warning would be in the file a day
    # later. Nothing is logged for a request, so nothing is gained by it.
    "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1",
    # HAProxy in front instead of Python proxies. One thread: it is never the bottleneck.
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_HAPROXY_NBTHREAD": "1",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    # A replica that refuses a connection is dead: the others are asked from then on, and it is
    # looked for four times a second.
    "RAY_SERVE_HAPROXY_OBSERVE_ERROR_LIMIT": "1",
    "RAY_SERVE_HAPROXY_HEALTH_CHECK_INTER": "2s",
    # Above Serve's own limit, which gives the better answer: a replica that hangs is no reason to
    # hold a client for ever.
    "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": "35",
    # Three in a row replace what Serve runs HAProxy by.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "2",
    # Decisions pass by what Serve does around each request of an ingress.
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "serve_app.http.express:middlewares",
    # The controller compares what is with what should be twice a second instead of ten times:
    # 1.7 of the controller, 0.4 of the GCS that it asks. Once a second saves 0.3 more and makes
    # each step of a roll-out wait for it.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    # Serve's own counters leave a replica every 5 s instead of ten times a second: Ray exports
    # them every 10 s in any case. 0.8.
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "5000",
    # Ray's workers stand behind everything else of the machine (nice 15): a PostgreSQL that takes
    # records in, or anybody's job, then takes the processor from payments that are waited for.
    "RAY_worker_niceness": "0",
    # 40 MB less in each process of Serve, and replicas that listen at the node's address alone.
    "RAY_preload_python_modules": "deployments.preload",
    # Ray's own metrics are on ports that ask nobody who he is: RAY_enable_metrics_collection=1 and
    # a port for the dashboard's turn them on.
    "RAY_enable_metrics_collection": "0",
    "DASHBOARD_METRIC_PORT": "-1",
}
"""Name -> value. Whoever sets one of them otherwise is heeded."""

START_OPTIONS = (
    # It sends what workers print to drivers that ask for it, and none of ours does: 0.7.
    "--include-log-monitor=false",
    # It would start and stop machines, of which there is one, and shows its figures to anybody.
    "--no-monitor",
)
"""What `ray start` is told besides."""
