"use strict";

// The digits of the reference's own example: `cnx-mock serve` greets with the same key.
const READY_KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c";

// swagger-ui's dark colours hang on a class, not on the medium.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

const ui = SwaggerUIBundle({
  dom_id: "#docs",
  url: "/openapi.json",
  validatorUrl: null, // else the document would be sent to swagger.io
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  onComplete: () => ui.preauthorizeApiKey("api_key", READY_KEY),
});
