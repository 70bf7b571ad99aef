// Draws the reference of the document. It only shows: requests are for clients.
"use strict";
(function () {
  const place = document.getElementById("reference");
  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    supportedSubmitMethods: [],
    validatorUrl: null, // asks nobody else
  });
})();
