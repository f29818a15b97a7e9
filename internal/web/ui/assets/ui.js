// Comfort for every page; nothing here is needed to use one.
(() => {
  'use strict';

  // A button with data-copy copies the text of the element with that id.
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const text = (source.dataset.value ?? source.textContent).trim();
    if (!(await copy(text, source))) return;
    const label = button.textContent;
    button.textContent = button.dataset.done;
    button.disabled = true;
    setTimeout(() => { button.textContent = label; button.disabled = false; button.focus(); }, 1600);
  });

  // The clipboard may be forbidden in a frame; a selection can still be copied.
  async function copy(text, source) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return document.execCommand('copy');
    }
  }

  // A form is sent once: its buttons rest until the page changes, and wake when
  // the page comes back by the back button. The button that was pressed keeps
  // its name and value, so it is put to rest after the form was read.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.dataset.many !== undefined) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = 'yes';
    event.submitter?.setAttribute('aria-busy', 'true');
  });
  window.addEventListener('pageshow', () => {
    for (const form of document.forms) delete form.dataset.sent;
    for (const busy of document.querySelectorAll('form [aria-busy]')) busy.removeAttribute('aria-busy');
  });
})();
