// The payment window: hands the result to the page that opened it and shows the time left.
// Everything else works without scripts.
(() => {
  'use strict';

  const answer = document.getElementById('answer');
  const opener = window.parent !== window ? window.parent : window.opener;
  const done = document.querySelector('[data-finish]');
  document.documentElement.classList.toggle('framed', window.parent !== window);

  function tell() {
    opener.postMessage({ holdfast: 'result', nonce: answer.dataset.nonce, result: JSON.parse(answer.dataset.message) }, answer.dataset.origin);
  }

  if (answer && opener) {
    done.hidden = false;
    done.addEventListener('click', tell);
    const auto = document.querySelector('[data-auto]');
    if (auto) setTimeout(tell, Number(auto.dataset.auto));
  } else if (answer) {
    // Opened by hand, without a shop's page around it: nobody waits for the result.
    for (const text of document.querySelectorAll('.alone')) text.hidden = false;
    for (const text of document.querySelectorAll('.together')) text.hidden = true;
  }

  const left = document.getElementById('left');
  if (left) {
    const end = performance.now() + Number(left.dataset.left) * 1000;
    const korean = document.documentElement.lang === 'ko';
    const show = () => {
      const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
      const days = Math.floor(seconds / 86400);
      const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map((n) => String(n).padStart(2, '0')).join(':');
      left.textContent = days === 0 ? clock : korean ? `${days}일 ${clock}` : `${days} d ${clock}`;
    };
    show();
    setInterval(show, 1000);
    for (const part of document.querySelectorAll('.left')) part.hidden = false;
  }

  // A form that came back shows its first fault.
  document.querySelector('[aria-invalid=true]')?.focus();
})();
