// The payment window in a shop's page, for both generations of the script. sdk.go puts this file
// in front of one of them and both into one function, with `source`, the address that the script
// came from.

const isMobile = () => /Android|iPhone|iPad|iPod|Mobile|webOS|BlackBerry|Opera Mini/i.test(navigator.userAgent) || (navigator.platform === 'MacIntel' && navigator.maxTouchPoints > 1);

const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

// pick takes the named members of what a shop gave. Every other key is the shop's own affair.
function pick(given, names) {
  const picked = {};
  for (const name of names) if (given?.[name] !== undefined && typeof given[name] !== 'function') picked[name] = given[name];
  return picked;
}

// withQuery is a web address with further parameters, or null if it is none.
function withQuery(text, parameters) {
  try {
    const address = new URL(text);
    if (!/^https?:$/.test(address.protocol)) return null;
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    return address.href;
  } catch {
    return null;
  }
}

// paymentWindow opens windows, one at a time. `place` finds the script's own name at the end of an
// address; in front of it lives the server. `door` is where a window is asked for, and `prefix`
// begins the class names of the layer, which shops style.
//
// A request is
//   how       'frame', 'popup' or 'redirect'
//   text      {window, close} in the buyer's language
//   body      what the door is told of the order
//   center    whether a popup is to be in the middle of the screen
//   clear     whether the shop's page shows undimmed behind a frame
//   refuse    the answer when the script itself says no: (kind) => answer, where kind is one of
//             'open', 'replaced', 'blocked', 'network', 'cancel', 'unknown'
//   accept    whether an answer of the server says what came of the window
//   tell      is called once with the answer, and whether a window had been there; never when the
//             page leaves for the window
function paymentWindow({ place, door, prefix }) {
  const from = source || [...document.scripts].find((one) => place.test(one.src))?.src || ''; // a script put in as text has no address of its own
  const base = from.replace(place, '');
  const server = base ? new URL(base).origin : '';
  let current = null; // the request whose window is open or opening

  function start(request) {
    if (current?.address) { current.popup?.focus(); request.tell(request.refuse('open'), false); return; }
    const before = current; // still opening, as after a double click: the last one counts
    if (before) { drop(before); before.tell(before.refuse('replaced'), false); }
    current = Object.assign(request, { nonce: random(), abort: new AbortController() });
    if (request.how === 'frame') show(request);
    if (request.how === 'popup' && !pop(request)) { finish(request, request.refuse('blocked'), false); return; }
    open(request);
  }

  // open asks the server for a window. Nothing but this answer is needed before the window
  // shows, and no cookie is sent or kept.
  async function open(request) {
    const redirect = request.how === 'redirect';
    const body = JSON.stringify({ ...request.body, nonce: request.nonce, mobile: isMobile(), redirect });
    const reply = await ask(`${base}${door}`, body, request.abort.signal);
    if (current !== request) return;
    if (!reply?.url) { finish(request, reply && request.accept(reply) ? reply : request.refuse('network'), false); return; }
    request.address = new URL(reply.url, `${base}/`).href;
    request.opened = reply;
    if (redirect) { current = null; window.location.assign(request.address); return; }
    if (request.popup) request.popup.location.replace(request.address); else request.frame.src = request.address;
  }

  async function ask(address, body, signal) {
    try {
      const reply = await fetch(address, { method: 'POST', body, signal, credentials: 'omit', cache: 'no-store', keepalive: body === '' }); // a close outlives the page
      return await reply.json();
    } catch {
      return null;
    }
  }

  // close ends the window from outside it. The server says what the payment has come to: an
  // account that was issued stays issued.
  async function close() {
    const request = current;
    if (!request || request.closing) return;
    if (!request.address) { finish(request, request.refuse('cancel'), true); return; }
    request.closing = true;
    const reply = await ask(`${request.address}/close`, '');
    if (current !== request) return;
    finish(request, reply && request.accept(reply) ? reply : request.refuse('unknown'), true);
  }

  // Only the window itself, from its own server, with this request's nonce, is heard.
  window.addEventListener('message', (event) => {
    const request = current;
    const inside = request?.popup ?? request?.frame?.contentWindow;
    if (!inside || event.origin !== server || event.source !== inside) return;
    if (event.data?.holdfast !== 'result' || event.data.nonce !== request.nonce) return;
    finish(request, event.data.result, true);
  });

  function finish(request, answer, wasThere) {
    drop(request);
    request.tell(answer, wasThere);
  }

  function drop(request) {
    if (current === request) current = null;
    request.abort.abort();
    clearInterval(request.watch);
    request.popup?.close();
    if (!request.layer) return;
    request.layer.remove();
    document.body.classList.remove(`${prefix}-payment-progress`);
    request.focus?.focus?.();
  }

  // pop opens a popup and watches it for closing. It reports whether the browser allowed it.
  function pop(request) {
    const [width, height] = [480, 760];
    const middle = request.center ? `,left=${Math.round(screen.availLeft + (screen.availWidth - width) / 2) || 0},top=${Math.round(screen.availTop + (screen.availHeight - height) / 2) || 0}` : '';
    request.popup = window.open('', '_blank', `popup,width=${width},height=${height}${middle}`);
    if (!request.popup) return false;
    request.watch = setInterval(() => { if (request.popup.closed) close(); }, 300);
    return true;
  }

  // The layer's own look weighs nothing in the cascade, so any rule of the shop wins; only the
  // button weighs as much as a shop's rule for all buttons, and comes after it. On a narrow screen
  // the button has a bar of its own above the frame, so that it never covers the window.
  const look = `
    :where(.${prefix}-dialog){position:fixed;inset:0;z-index:2147483000;display:flex;align-items:center;justify-content:center;background:rgb(10 20 18/55%);overscroll-behavior:contain}
    :where(.${prefix}-dialog.clear){background:none}
    :where(.${prefix}-dialog .${prefix}-frame){width:480px;height:min(760px,calc(100% - 80px));border:0;border-radius:16px;background:#fff;box-shadow:0 20px 60px rgb(0 0 0/30%);color-scheme:normal}
    :where(.${prefix}-dialog .${prefix}-header){position:absolute;top:0;right:0;padding:14px}
    :where(.${prefix}-dialog .${prefix}-header) button{width:44px;height:44px;margin:0;padding:0;border:0;border-radius:50%;background:rgb(0 0 0/45%);color:#fff;font:400 26px/44px system-ui,sans-serif;text-align:center;cursor:pointer}
    :where(.${prefix}-dialog .${prefix}-header) button:focus-visible{outline:3px solid #fff;outline-offset:2px}
    :where(body:has(>.${prefix}-dialog)){overflow:hidden}
    @media(max-width:600px){
      :where(.${prefix}-dialog){flex-direction:column}
      :where(.${prefix}-dialog .${prefix}-frame){width:100%;height:auto;min-height:0;flex:1;border-radius:16px 16px 0 0}
      :where(.${prefix}-dialog .${prefix}-header){position:static;order:-1;align-self:flex-end;padding:calc(4px + env(safe-area-inset-top)) 6px 4px}
    }`;

  let styled = false;
  function style() {
    if (styled) return;
    styled = true;
    try {
      const sheet = new CSSStyleSheet(); // allowed also where a shop's policy forbids inline styles
      sheet.replaceSync(look);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    } catch {
      document.head.append(Object.assign(document.createElement('style'), { textContent: look }));
    }
  }

  function show(request) {
    style();
    const { text } = request;
    request.focus = document.activeElement;
    const layer = element('div', `${prefix}-dialog customizable payment-holdfast${request.clear ? ' clear' : ''}`, { role: 'dialog', 'aria-modal': 'true', 'aria-label': text.window });
    const frame = element('iframe', `${prefix}-frame`, { title: text.window, allow: 'clipboard-write', referrerpolicy: 'no-referrer' });
    const header = element('div', `${prefix}-header`, {});
    const button = element('button', `${prefix}-close`, { type: 'button', 'aria-label': text.close });
    button.textContent = '×';
    button.addEventListener('click', close);
    layer.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(); });
    frame.addEventListener('load', () => frame.focus());
    header.append(button);
    layer.append(frame, header);
    document.body.append(layer);
    if (isMobile()) document.body.classList.add(`${prefix}-payment-progress`);
    button.focus();
    Object.assign(request, { layer, frame });
  }

  function element(name, className, attributes) {
    const made = document.createElement(name);
    made.className = className;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  return { start, close };
}
