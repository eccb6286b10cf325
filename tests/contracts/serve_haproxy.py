"""HAProxy's configuration as the installed Serve writes it: two replicas of `decisions`, one of
`jobs`, and its fallback."""

from __future__ import annotations

from pathlib import Path


def written_by_serve(folder: Path) -> str:
    """Return the configuration for two applications, with `/F` in place of `folder`."""
    from ray.serve._private import haproxy
    from ray.serve.config import HTTPOptions

    config = haproxy.HAProxyConfig(
        http_options=HTTPOptions(host="127.0.0.1", port=8000),
        socket_path=str(folder / "admin.sock"),
        server_state_base=str(folder),
        server_state_file=str(folder / "server-state"),
        stats_port=8404,
        metrics_port=9101,
        metrics_enabled=False,
        nbthread=1,
        is_head=True,
        observe_error_limit=1,
    )
    api = haproxy.HAProxyApi(config, config_file_path=str(folder / "haproxy.cfg"))
    server = haproxy.ServerConfig
    backend = haproxy.BackendConfig(
        name="http-decisions",
        path_prefix="/",
        app_name="decisions",
        servers=[server("one", "127.0.0.1", 30000), server("two", "127.0.0.1", 30001)],
        fallback_server=server("fallback", "127.0.0.1", 8500),
    )
    jobs = haproxy.BackendConfig(
        name="http-jobs",
        path_prefix="/v1/jobs",
        app_name="jobs",
        servers=[server("three", "127.0.0.1", 30002)],
        fallback_server=server("fallback", "127.0.0.1", 8500),
    )
    api.set_backend_configs({"http-decisions": backend, "http-jobs": jobs})
    api._generate_config_file_internal()
    return (folder / "haproxy.cfg").read_text().replace(str(folder), "/F")
