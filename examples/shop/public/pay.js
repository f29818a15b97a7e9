// The payment page: one button that opens the payment window. It is opened from the click
// itself, because browsers block windows that open by themselves.
(() => {
  const button = document.getElementById('pay');
  const request = JSON.parse(button.dataset.request);

  if (!window.IMP) {
    document.getElementById('problem').hidden = false;
    return;
  }
  window.IMP.init(button.dataset.code);
  button.textContent = button.dataset.ready;
  button.disabled = false;

  button.addEventListener('click', () => {
    button.disabled = true;
    window.IMP.request_pay(request, (answer) => {
      // What the browser says is only a hint: the server reads the payment for itself.
      const query = new URLSearchParams();
      if (answer.imp_uid) query.set('imp_uid', answer.imp_uid);
      if (answer.error_msg) query.set('error_msg', answer.error_msg);
      location.href = `/orders/${request.merchant_uid}/return?${query}`;
    });
  });

  // Back from the payment window by the back button: the page may come from memory.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) button.disabled = false;
  });
})();
