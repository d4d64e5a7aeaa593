"use strict";

const place = document.getElementById("swagger-ui");

// Requests that are tried out go as they are shown: no cookie's token is added to them.
SwaggerUIBundle({
  url: place.dataset.document,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor(request) {
    // JSON is answered with JSON and CSV with CSV, whatever is chosen below.
    const sent = request.headers?.["Content-Type"];
    if (sent) request.headers.accept = sent;
    return request;
  },
});

// Swagger UI leaves these without a name for who hears the page.
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
