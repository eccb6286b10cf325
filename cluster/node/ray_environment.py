"""Tuning of Ray and Serve: variables that every process of a node must see before Ray starts, on
this machine as in a container.

The figures are CPU seconds a minute of an idle node with seven replicas, four of them in pools that
scale: 13.3 in all before and 10.0 after. A busy node pays them too. What remains: 0.4 for each
Python worker (Ray checks for signals every 10 ms, which cannot be turned off) and 2.5 for dashboard
and agent.

Tried without gain: `RAY_event_stats`, `RAY_task_events_report_interval_ms`, `MALLOC_ARENA_MAX`.
"""

from __future__ import annotations

from pathlib import Path

from cluster.edge.install import BINARY, PROGRAM

TUNING = {
    # gRPC between replicas, user code on the replica's loop.
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # The throughput option also buffers a thousand log lines: a warning would reach the file a day
    # later. We log nothing for a request, so the buffer gains nothing.
    "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1",
    # HAProxy in front instead of Python proxies. One thread: it is never the bottleneck.
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_HAPROXY_NBTHREAD": "1",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    # A replica that refuses a connection is dead: requests go to the others from then on.
    "RAY_SERVE_HAPROXY_OBSERVE_ERROR_LIMIT": "1",
    "RAY_SERVE_HAPROXY_HEALTH_CHECK_INTER": "2s",
    # Ends requests to a replica that hangs. Above Serve's own limit, which gives a better answer.
    "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": "35",
    # Serve replaces its HAProxy actor after three failed checks in a row.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "2",
    # Decisions bypass Serve's own handling of each request of an ingress.
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "serve_app.http.express:middlewares",
    # The controller runs its loop twice a second instead of ten times: saves 1.7 in the controller
    # and 0.4 in the GCS. Once a second would save 0.3 more, but slows each step of a roll-out.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    # Replicas send Serve's counters every 5 s instead of ten times a second, as Ray exports them
    # every 10 s only: saves 0.8.
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "5000",
    # By default Ray's workers have the lowest priority of the machine (nice 15). PostgreSQL storing
    # records, or any other job, would then take the CPU from payments that clients wait for.
    "RAY_worker_niceness": "0",
    # 40 MB less in each process of Serve, and replicas listen at the node's address only.
    "RAY_preload_python_modules": "deployments.preload",
    # Ray serves its own metrics without authentication. RAY_enable_metrics_collection=1 and a port
    # for the dashboard's metrics turn them on.
    "RAY_enable_metrics_collection": "0",
    "DASHBOARD_METRIC_PORT": "-1",
}
"""Name -> value. Values in the environment override these."""

START_OPTIONS = (
    # The log monitor sends workers' output to drivers that ask for it; ours do not. Saves 0.7.
    "--include-log-monitor=false",
)
"""Further options of `ray start`."""

SEVERAL_NODES = {
    # Servers listen at the node's address. Clients prove themselves by the token.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",
    # Nodes go on deciding without a head for so long. By default they end after a minute.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
    # A node that is cut off counts as dead after about 20 s instead of 65 s.
    "RAY_health_check_period_ms": "2000",
    "RAY_health_check_timeout_ms": "4000",
    "RAY_health_check_failure_threshold": "4",
}
"""Variables of a node that can have others beside it. They override the environment."""


def node_variables(folder: Path, edge: Path, *, address: str, fallback_port: int) -> dict[str, str]:
    """Return the variables that tell Ray and Serve which addresses and files are this node's.

    Args:
        folder: folder of sockets, for this user only. By default Serve uses a folder that users
            share.
        edge: the folder that `cluster.edge.install` has written.
        address: address of the node, `host:port`.
        fallback_port: port of Serve's fallback proxy. Processes can share a port: by default all
            Serves of the machine would.
    """
    return {
        "RAY_ADDRESS": address,
        "RAY_USAGE_STATS_ENABLED": "0",
        BINARY: str(edge / PROGRAM),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback_port),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
    }
