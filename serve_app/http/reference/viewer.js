// Shows the OpenAPI document with Swagger UI.
"use strict";

// The examples in the document have fixed dates, and Quorum refuses payments that are too old. Give
// the examples the current time and a new transaction id, so that "Try it out" works as it stands.
function withCurrentExamples(text) {
  const example = (path) =>
    JSON.parse(text).paths[path].post.requestBody.content["application/json"].example;
  const payment = example("/v1/decisions");
  const label = example("/v1/labels");
  const now = Date.now();
  const current = text
    .replaceAll(payment.transaction_id, `t-${now}`)
    .replaceAll(payment.timestamp, new Date(now - 60_000).toISOString())
    .replaceAll(label.known_at, new Date(now).toISOString());
  return JSON.parse(current);
}

// The request of an operation's example, for Swagger UI's curl block.
function exampleRequest(system, path, method) {
  const operation = system.specSelectors.specJson().getIn(["paths", path, method]);
  const body = operation.getIn(["requestBody", "content", "application/json", "example"]);
  const keys = system.authSelectors.authorized();
  const key = keys.getIn(["apiKey", "value"]) ?? keys.getIn(["bearer", "value"]) ?? "YOUR_KEY";
  return system.Im.fromJS({
    url: location.origin + path.replaceAll(/\{(\w+)\}/g, (_, name) => name.toUpperCase()),
    method: method.toUpperCase(),
    headers: {
      ...(operation.has("security") && { "X-API-Key": key }),
      ...(body && { "Content-Type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body.toJS(), null, 2) }),
  });
}

// Swagger UI shows curl only after a call was made. Show it before as well.
const curlBeforeTheCall = (system) => ({
  wrapComponents: {
    responses: (Responses) => (props) => {
      const { createElement, Fragment } = system.React;
      const request = exampleRequest(system, props.path, props.method);
      const curl = createElement(system.getComponent("curl"), {
        request,
        getComponent: system.getComponent,
      });
      return createElement(
        Fragment,
        null,
        props.tryItOutResponse ? null : createElement("div", { className: "example-call" }, curl),
        createElement(Responses, props),
      );
    },
  },
});

function followColorScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}

async function show() {
  const response = await fetch("/openapi.json");
  SwaggerUIBundle({
    dom_id: "#viewer",
    spec: withCurrentExamples(await response.text()),
    plugins: [curlBeforeTheCall],
    deepLinking: true,
    filter: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    requestSnippetsEnabled: true,
    validatorUrl: null,
  });
}

followColorScheme();
show();
