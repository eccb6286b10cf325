"""The reference as one page of HTML: the guide, then the OpenAPI document. No script, no style but
its own, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from serve_app.http.reference.guide import Limits, guide, prose, table

Json = dict[str, Any]

_FOLDER = files("serve_app.http.reference")
_PAGE = Template((_FOLDER / "page.html").read_text(encoding="utf-8"))
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page: its style sheet is the only thing that takes effect."""

_SHOWN_PATTERN_CHARS = 90
_SHOWN_VALUES = 30


def page(document: Json, limits: Limits) -> str:
    """The page of an OpenAPI 3.1 document made by `serve_app.http.reference.openapi`."""
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = document["components"]["schemas"]
    return _PAGE.substitute(
        title=escape(document["info"]["title"]),
        version=escape(document["info"]["version"]),
        style=_STYLE,
        description=prose(document["info"]["description"]),
        guide=guide(limits),
        contents="".join(_entry(*operation) for operation in operations),
        operations="".join(_operation(*operation) for operation in operations),
        schemas="".join(_schema(name, schema) for name, schema in sorted(schemas.items())),
    )


def _entry(method: str, path: str, operation: Json) -> str:
    anchor = escape(operation["operationId"])
    title = escape(operation["summary"])
    return f'<li><a href="#{anchor}" title="{title}">{_method(method)}{_path(path)}</a></li>'


def _operation(method: str, path: str, operation: Json) -> str:
    key = '<a href="#key">key</a> needed' if operation.get("security") else "no key needed"
    body = operation.get("requestBody")
    about = operation.get("description", "")
    parts = [
        f'<article id="{escape(operation["operationId"])}">',
        f"<h3>{_method(method)}{_path(path)}</h3>",
        f"<p>{prose(operation['summary'])}; {key}. {prose(about)}</p>",
        _parameters(operation.get("parameters", [])),
        "" if body is None else f"<h4>Body</h4>{_content(body['content'])}",
        '<h4>Answers</h4><ul class="answers">',
        *(_answer(status, answer) for status, answer in operation["responses"].items()),
        "</ul></article>",
    ]
    return "".join(parts)


def _method(method: str) -> str:
    return f'<span class="method">{method.upper()}</span> '


def _path(path: str) -> str:
    return f"<code>{escape(path)}</code>"


def _parameters(parameters: list[Json]) -> str:
    if not parameters:
        return ""
    rows = (
        (
            f"<code>{escape(p['name'])}</code>",
            _type(p["schema"]),
            "; ".join(filter(None, (prose(p.get("description", "")), _rules(p["schema"])))),
        )
        for p in parameters
    )
    return "<h4>Parameters</h4>" + table(("name", "type", ""), rows)


def _answer(status: str, answer: Json) -> str:
    said = f'<li><span class="status">{status}</span>{escape(answer["description"])}'
    if "application/problem+json" in answer["content"]:
        return f'{said}, a <a href="#problems">problem</a></li>'
    return f"{said}{_content(answer['content'])}</li>"


def _content(content: Json) -> str:
    parts = []
    for media_type, shape in content.items():
        parts.append(f"<p><code>{escape(media_type)}</code> {_type(shape['schema'])}</p>")
        if "example" in shape:
            text = escape(json.dumps(shape["example"], indent=2))
            parts.append(f"<details><summary>Example</summary><pre>{text}</pre></details>")
    return "".join(parts)


def _schema(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = (
        (
            f"<code>{escape(field)}</code>",
            _type(shape),
            "yes" if field in required else "",
            _rules(shape),
        )
        for field, shape in schema.get("properties", {}).items()
    )
    return (
        f'<article id="{escape(name)}"><h3>{escape(name)}</h3>'
        f"<p>{prose(schema.get('description', ''))}</p>"
        f"{table(('field', 'type', 'always', ''), rows)}</article>"
    )


def _type(shape: Json) -> str:
    if "$ref" in shape:
        name = escape(shape["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for union in ("anyOf", "oneOf"):
        if union in shape:
            ways = [_type(option) for option in shape[union]]
            return " or ".join(dict.fromkeys(ways))
    if shape.get("type") == "array":
        return f"array of {_type(shape.get('items', {}))}"
    return escape(str(shape.get("type", "any")))


def _rules(shape: Json) -> str:
    """What a value must keep to, in words."""
    parts: list[str] = []
    items = shape.get("items", {})
    for option in (shape, *shape.get("anyOf", ()), *shape.get("oneOf", ())):
        parts += _rules_of(option)
    for option in items.get("oneOf", ()):
        parts += _rules_of(option)
    return "; ".join(dict.fromkeys(parts))


def _rules_of(option: Json) -> list[str]:
    parts = []
    if "description" in option:
        parts.append(prose(option["description"]))
    if "enum" in option:
        values = option["enum"]
        shown = ", ".join(escape(str(value)) for value in values[:_SHOWN_VALUES])
        more = len(values) - _SHOWN_VALUES
        parts.append(f"one of {shown}" + (f" and {more} more" if more > 0 else ""))
    for key, words in _WORDS.items():
        if key in option and (key, option[key]) not in _SELF_EVIDENT:
            parts.append(words.format(escape(f"{option[key]}")))
    pattern = option.get("pattern", "")
    if pattern and len(pattern) <= _SHOWN_PATTERN_CHARS:
        parts.append(f"pattern <code>{escape(pattern)}</code>")
    return parts


_SELF_EVIDENT = {("minLength", 1), ("minItems", 1)}
_WORDS = {
    "format": "format {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters at most",
    "minItems": "{} or more",
    "maxItems": "{} at most",
    "maxProperties": "{} keys at most",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "above {}",
}
