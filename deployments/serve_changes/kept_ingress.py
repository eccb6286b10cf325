"""While Serve builds a new version of an application, the old one goes on getting requests.

A new version means other arguments or another `runtime_env`. Serve forgets the name of the
application's ingress until the new version is built, which takes seconds, and HAProxy meanwhile
knows no replica of it: every request is a 503, although all replicas of the old version run.

`after_serve.py` imports it for its effect: it replaces a method that Ray does not document, so
`tests/unit/deployments/serve_changes/test_kept_ingress.py` fails when a release changes what it
relies on.
"""

from __future__ import annotations

from typing import Any

from ray.serve._private.application_state import ApplicationState

_set_target_state = ApplicationState._set_target_state


def _keeping_ingress(self: Any, deployment_infos: Any, **options: Any) -> Any:
    """See ApplicationState._set_target_state."""
    ingress = self._ingress_deployment_name
    result = _set_target_state(self, deployment_infos, **options)
    if deployment_infos is None and not options.get("deleting"):
        self._ingress_deployment_name = ingress
    return result


ApplicationState._set_target_state = _keeping_ingress  # type: ignore[method-assign]
