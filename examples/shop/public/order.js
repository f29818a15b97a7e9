// The order page: copies the account number.
(() => {
  const button = document.getElementById('copy');
  button?.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById('account').textContent);
    button.textContent = button.dataset.done;
  });
})();
