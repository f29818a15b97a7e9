// IMP, the browser interface of PortOne V1, answered by Holdfast.
//
// A shop changes the address of its script tag and nothing else. What the callback or the
// redirect says is a hint: the shop's server reads the payment before it believes it.
(() => {
  'use strict';

  // Where this script came from is where the payment window lives.
  const place = /\/(?:v1\/iamport|js\/iamport\.payment-[^/?#]+)\.js(?:[?#].*)?$/;
  const script = document.currentScript ?? [...document.scripts].find((one) => place.test(one.src));
  const base = (script?.src ?? '').replace(place, '');
  const server = base ? new URL(base).origin : '';

  const cancelled = '사용자가 결제를 취소하셨습니다';
  const words = {
    ko: {
      window: '결제창', close: '결제창 닫기',
      init: '가맹점 식별코드가 설정되지 않았습니다. IMP.init(가맹점 식별코드)을 먼저 호출해 주십시오.',
      params: '결제 정보가 없습니다. IMP.request_pay에 결제 정보를 객체로 전달해 주십시오.',
      open: '결제창이 이미 열려 있습니다.',
      network: '결제 서버에 연결할 수 없습니다. 인터넷 연결을 확인하고 다시 시도해 주십시오.',
      unknown: '결제 결과를 확인하지 못했습니다. 주문 내역에서 결제 상태를 확인해 주십시오.',
      unsupported: (name) => `IMP.${name} 기능은 지원하지 않습니다.`,
    },
    en: {
      window: 'Payment window', close: 'Close the payment window',
      init: 'The shop code is not set. Call IMP.init(code) first.',
      params: 'There is nothing to pay. Hand IMP.request_pay an object with the payment.',
      open: 'A payment window is open already.',
      network: 'The payment server cannot be reached. Check the connection and try again.',
      unknown: 'The result of the payment is not known. Check the order before you pay again.',
      unsupported: (name) => `IMP.${name} is not supported.`,
    },
  };
  const say = (params) => words[params?.language] ?? (params?.language ? words.en : words.ko);

  // What is sent on. Every other key is the shop's own affair.
  const known = ['pg', 'channelKey', 'pay_method', 'escrow', 'merchant_uid', 'name', 'amount', 'tax_free', 'vat_amount', 'currency', 'language',
    'buyer_name', 'buyer_tel', 'buyer_email', 'buyer_addr', 'buyer_postcode', 'custom_data', 'notice_url', 'confirm_url', 'digital', 'vbank_due',
    'm_redirect_url', 'products', 'kcpProducts', 'kiccProducts'];

  const shop = { code: '', tier: '' };
  let waiting = null; // a request made before the page was ready; only the last is kept
  let current = null; // the request whose window is open or opening

  function init(code) { shop.code = String(code ?? '').trim(); shop.tier = ''; }
  function agency(code, tier) { init(code); shop.tier = String(tier ?? '').trim(); }

  function request_pay(params, callback) {
    if (!shop.code) { window.alert(say(params).init); return; }
    if (document.readyState === 'loading') {
      if (!waiting) document.addEventListener('DOMContentLoaded', () => { const last = waiting; waiting = null; begin(...last); }, { once: true });
      waiting = [params, callback];
      return;
    }
    begin(params, callback);
  }

  function begin(given, callback) {
    const params = complete(given);
    const request = { params, callback: typeof callback === 'function' ? callback : null, nonce: random(), abort: new AbortController() };
    if (given === null || typeof given !== 'object') return answer(request, refusal(params, 'INVALID_REQUEST', say(given).params));
    if (current?.address) return answer(request, refusal(params, 'WINDOW_OPEN', say(params).open));
    if (current) drop(current); // still opening, as after a double click: the last one counts
    current = request;
    request.redirects = isMobile() && Boolean(params.m_redirect_url);
    if (!request.redirects) show(request);
    open(request);
  }

  function complete(given) {
    const params = {};
    for (const key of known) if (given?.[key] !== undefined && typeof given[key] !== 'function') params[key] = given[key];
    params.merchant_uid ??= `nobody_${Date.now()}`;
    params.pay_method ??= 'card';
    return params;
  }

  // open asks the server for a window. Nothing but this answer is needed before the window
  // shows, and no cookie is sent or kept.
  async function open(request) {
    const body = JSON.stringify({ code: shop.code, tier: shop.tier, nonce: request.nonce, mobile: isMobile(), redirect: request.redirects, params: request.params });
    const reply = await ask(`${base}/pay/v1/open`, body, request.abort.signal);
    if (current !== request) return;
    if (!reply?.url) { finish(request, reply?.error_code ? reply : refusal(request.params, 'NETWORK', say(request.params).network)); return; }
    request.address = new URL(reply.url, `${base}/`).href;
    request.impUid = reply.imp_uid;
    if (request.redirects) { current = null; window.location.assign(request.address); return; }
    request.frame.src = request.address;
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
    if (!request.address) { request.abort.abort(); finish(request, refusal(request.params, 'USER_CANCEL', cancelled)); return; }
    request.closing = true;
    const reply = await ask(`${request.address}/close`, '');
    if (current !== request) return;
    finish(request, typeof reply?.success === 'boolean' ? reply : { ...refusal(request.params, 'UNKNOWN', say(request.params).unknown), imp_uid: request.impUid });
  }

  // Only the window itself, from its own server, with this request's nonce, is heard.
  window.addEventListener('message', (event) => {
    const request = current;
    if (!request?.frame || event.origin !== server || event.source !== request.frame.contentWindow) return;
    if (event.data?.holdfast !== 'result' || event.data.nonce !== request.nonce) return;
    finish(request, event.data.result);
  });

  function finish(request, result) {
    drop(request);
    answer(request, result);
  }

  function drop(request) {
    if (current === request) current = null;
    request.abort.abort();
    if (!request.layer) return;
    request.layer.remove();
    document.body.classList.remove('imp-payment-progress');
    request.focus?.focus?.();
  }

  // answer tells the shop: by its callback, or, where it gave none, by its redirect address.
  function answer(request, result) {
    if (request.callback) { request.callback(result); return; }
    const back = webAddress(request.params.m_redirect_url);
    if (back) {
      back.searchParams.set('imp_uid', result.imp_uid ?? '');
      back.searchParams.set('merchant_uid', result.merchant_uid ?? '');
      back.searchParams.set('imp_success', String(result.success));
      if (!result.success) { back.searchParams.set('error_code', result.error_code); back.searchParams.set('error_msg', result.error_msg); }
      window.location.assign(back.href);
    } else if (!result.success) {
      window.alert(result.error_msg);
    }
  }

  function webAddress(text) {
    try {
      const address = new URL(text);
      return /^https?:$/.test(address.protocol) ? address : null;
    } catch {
      return null;
    }
  }

  function refusal(params, code, message) {
    return { success: false, imp_success: false, imp_uid: null, merchant_uid: params.merchant_uid ?? null, pay_method: params.pay_method ?? null, error_code: code, error_msg: message };
  }

  // The layer keeps the class names that shops style. Its own look weighs nothing in the
  // cascade, so any rule of the shop wins; only the button weighs as much as a shop's rule for
  // all buttons, and comes after it.
  const look = `
    :where(.imp-dialog){position:fixed;inset:0;z-index:2147483000;display:flex;align-items:center;justify-content:center;background:rgb(10 20 18/55%);overscroll-behavior:contain}
    :where(.imp-dialog .imp-frame){width:480px;height:min(760px,calc(100% - 80px));border:0;border-radius:16px;background:#fff;box-shadow:0 20px 60px rgb(0 0 0/30%);color-scheme:normal}
    :where(.imp-dialog .imp-header){position:absolute;top:0;right:0;padding:14px}
    :where(.imp-dialog .imp-header) button{width:44px;height:44px;margin:0;padding:0;border:0;border-radius:50%;background:rgb(0 0 0/45%);color:#fff;font:400 26px/44px system-ui,sans-serif;text-align:center;cursor:pointer}
    :where(.imp-dialog .imp-header) button:focus-visible{outline:3px solid #fff;outline-offset:2px}
    :where(body:has(>.imp-dialog)){overflow:hidden}
    @media(max-width:600px){:where(.imp-dialog .imp-frame){width:100%;height:100%;border-radius:0}:where(.imp-dialog .imp-header){padding:6px}}`;

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
    const text = say(request.params);
    request.focus = document.activeElement;
    const layer = element('div', 'imp-dialog customizable payment-holdfast', { role: 'dialog', 'aria-modal': 'true', 'aria-label': text.window });
    const frame = element('iframe', 'imp-frame', { title: text.window, allow: 'clipboard-write', referrerpolicy: 'no-referrer' });
    const header = element('div', 'imp-header', {});
    const button = element('button', 'imp-close', { type: 'button', 'aria-label': text.close });
    button.textContent = '×';
    button.addEventListener('click', close);
    layer.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(); });
    frame.addEventListener('load', () => frame.focus());
    header.append(button);
    layer.append(frame, header);
    document.body.append(layer);
    if (isMobile()) document.body.classList.add('imp-payment-progress');
    button.focus();
    Object.assign(request, { layer, frame });
  }

  function element(name, className, attributes) {
    const made = document.createElement(name);
    made.className = className;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  const isMobile = () => /Android|iPhone|iPad|iPod|Mobile|webOS|BlackBerry|Opera Mini/i.test(navigator.userAgent) || (navigator.platform === 'MacIntel' && navigator.maxTouchPoints > 1);

  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

  // What PortOne V1 offers beside payments is answered, so that no shop waits for ever.
  function unsupported(name) {
    return (...given) => {
      const params = given.find((one) => one !== null && typeof one === 'object') ?? {};
      const callback = given.findLast?.((one) => typeof one === 'function');
      const result = refusal(params, 'NOT_SUPPORTED', say(params).unsupported(name));
      if (callback) callback(result); else console.error(result.error_msg);
    };
  }

  const IMP = { init, agency, request_pay, close, holdfast: 1 };
  for (const name of ['certification', 'naver_zzim', 'naver_chkitem', 'communicate', 'loadModule', 'loadUI', 'updateLoadUIRequest']) IMP[name] = unsupported(name);
  window.IMP = IMP;
})();
