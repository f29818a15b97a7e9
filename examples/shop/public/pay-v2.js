// The payment page of PortOne V2: one button that opens the payment window. It is opened from the
// click itself, because browsers block windows that open by themselves.
(() => {
  const button = document.getElementById('pay');
  const problem = document.getElementById('problem');
  const request = JSON.parse(button.dataset.request);

  if (!window.PortOne) {
    problem.hidden = false;
    return;
  }
  button.textContent = button.dataset.ready;
  button.disabled = false;

  button.addEventListener('click', async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      const response = await window.PortOne.requestPayment(request);
      // What the browser says is only a hint: the server reads the payment for itself.
      const query = new URLSearchParams(response.code === undefined ? {} : { message: response.message });
      location.href = `${request.redirectUrl}?${query}`;
    } catch (error) { // no window was opened
      problem.textContent = error.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });

  // Back from the payment window by the back button: the page may come from memory.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) button.disabled = false;
  });
})();
