"use strict";

const place = document.getElementById("swagger-ui");

// "Try it out" sends requests as shown: without the CSRF token of a cookie.
SwaggerUIBundle({
  url: place.dataset.document,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor(request) {
    // The answer to JSON is JSON and to CSV is CSV, regardless of the choice below.
    const sent = request.headers?.["Content-Type"];
    if (sent) request.headers.accept = sent;
    return request;
  },
});

// Swagger UI gives these no name for screen readers.
const NAMES = {
  "#servers": "Server",
  ".examples-select-element": "Example",
  ".body-param__text": "Request body",
  ".close-modal": "Close",
};

function name(selector, said) {
  for (const control of place.querySelectorAll(selector)) {
    if (!control.ariaLabel) control.ariaLabel = said(control);
  }
}

new MutationObserver(() => {
  for (const [selector, said] of Object.entries(NAMES)) name(selector, () => said);
  name(".parameters td :is(input, select, textarea)", (control) =>
    control.closest("tr").querySelector(".parameter__name")?.firstChild?.textContent ?? "Value");
}).observe(place, { childList: true, subtree: true });
