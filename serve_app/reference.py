"""The OpenAPI document as one page of HTML: no script, nothing loaded from anywhere."""

from __future__ import annotations

import json
import re
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

Json = dict[str, Any]

_PAGE = Template((files("serve_app") / "reference.html").read_text(encoding="utf-8"))


def page(document: Json) -> str:
    """The page of an OpenAPI 3.1 document made by `serve_app.openapi`."""
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = document["components"]["schemas"]
    return _PAGE.substitute(
        title=escape(document["info"]["title"]),
        version=escape(document["info"]["version"]),
        description=_prose(document["info"]["description"]),
        contents="".join(_entry(*operation) for operation in operations),
        operations="".join(_operation(*operation) for operation in operations),
        schemas="".join(_schema(name, schema) for name, schema in sorted(schemas.items())),
    )


def _entry(method: str, path: str, operation: Json) -> str:
    anchor = escape(operation["operationId"])
    return (
        f'<li><a href="#{anchor}"><b>{method.upper()}</b> <code>{escape(path)}</code></a> '
        f"{escape(operation['summary'])}</li>"
    )


def _operation(method: str, path: str, operation: Json) -> str:
    key = "<p>Needs an API key.</p>" if operation.get("security") else "<p>Needs no key.</p>"
    body = operation.get("requestBody")
    parts = [
        f'<section id="{escape(operation["operationId"])}">',
        f"<h3><b>{method.upper()}</b> <code>{escape(path)}</code></h3>",
        f"<p>{escape(operation['summary'])}. {_prose(operation.get('description', ''))}</p>",
        key,
        "" if body is None else f"<h4>Body</h4>{_content(body['content'])}",
        "<h4>Answers</h4><dl>",
        *(_answer(status, answer) for status, answer in operation["responses"].items()),
        "</dl></section>",
    ]
    return "".join(parts)


def _answer(status: str, answer: Json) -> str:
    text = escape(answer["description"])
    if status.startswith(("4", "5")):
        return f"<dt>{status}</dt><dd>{text}</dd>"
    return f"<dt>{status}</dt><dd>{text}{_content(answer['content'])}</dd>"


def _content(content: Json) -> str:
    parts = []
    for media_type, shape in content.items():
        parts.append(f"<p><code>{escape(media_type)}</code> {_type(shape['schema'])}</p>")
        if "example" in shape:
            parts.append(f"<pre>{escape(json.dumps(shape['example'], indent=2))}</pre>")
    return "".join(parts)


def _schema(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(shape)}</td>"
        f"<td>{'yes' if field in required else ''}</td><td>{_limits(shape)}</td></tr>"
        for field, shape in schema.get("properties", {}).items()
    )
    return (
        f'<section id="{escape(name)}"><h3>{escape(name)}</h3>'
        f"<p>{_prose(schema.get('description', ''))}</p>"
        "<table><tr><th>field</th><th>type</th><th>required</th><th>rules</th></tr>"
        f"{rows}</table></section>"
    )


def _type(shape: Json) -> str:
    if "$ref" in shape:
        name = escape(shape["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for union in ("anyOf", "oneOf"):
        if union in shape and "type" not in shape:
            return " or ".join(_type(option) for option in shape[union])
    if shape.get("type") == "array":
        return f"array of {_type(shape.get('items', {}))}"
    return escape(str(shape.get("type", "string" if "enum" in shape else "any")))


def _limits(shape: Json) -> str:
    """What a value must keep to, in words."""
    parts = []
    for option in (shape, *shape.get("anyOf", ()), *shape.get("oneOf", ())):
        if "description" in option:
            parts.append(_prose(option["description"]))
        if "enum" in option:
            values = option["enum"]
            shown = ", ".join(escape(str(value)) for value in values[:12])
            more = f" and {len(values) - 12} more" if len(values) > 12 else ""
            parts.append(f"one of {shown}{more}")
        for key, words in _WORDS.items():
            if key in option:
                parts.append(f"{words} {escape(str(option[key]))}")
    return "; ".join(parts)


_WORDS = {
    "minLength": "characters at least",
    "maxLength": "characters at most",
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "above",
    "pattern": "pattern",
    "format": "format",
}


def _prose(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(" ".join(text.split())))
