// Starts the browser of one document; its address stands on the element.
window.addEventListener('load', () => {
  const target = document.getElementById('document');
  window.ui = window.SwaggerUIBundle({
    url: target.dataset.url,
    domNode: target,
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: false,
    validatorUrl: null,
  });
});
