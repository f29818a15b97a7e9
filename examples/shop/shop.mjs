// The shop as a request handler: what it answers on which path.
//
// The rules of a shop that takes money over the network, in the order in which they matter:
//   1. The price comes from the shop, never from the browser, and is registered beforehand.
//   2. Neither the browser's return nor a webhook makes an order paid: both only make the
//      shop read the payment from the payment service, and compare amount and order.
//   3. Everything may come twice and in any order.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { findGood, goods } from './goods.mjs';
import { Refusal } from './payments.mjs';
import * as pages from './pages.mjs';
import { languages, words } from './words.mjs';

const bodyMax = 64 * 1024;
const files = { '/style.css': 'text/css', '/pay.js': 'text/javascript', '/pay-v2.js': 'text/javascript', '/checkout.js': 'text/javascript', '/order.js': 'text/javascript', '/cup.svg': 'image/svg+xml', '/tray.svg': 'image/svg+xml', '/apron.svg': 'image/svg+xml', '/wallpaper.svg': 'image/svg+xml' };
const methods = ['vbank', 'trans', 'card'];
const methodsV2 = { vbank: 'VIRTUAL_ACCOUNT', trans: 'TRANSFER', card: 'CARD' };
const buyerFields = { name: 16, email: 64, tel: 16, postcode: 8, addr: 128 };

// A Page is what a handler answers: HTML with a status, or a redirect.
const page = (html, status = 200) => ({ status, body: html, type: 'text/html' });
const redirect = (to) => ({ status: 303, headers: { location: to }, body: '' });
const plain = (body, status = 200) => ({ status, body, type: 'text/plain' });

// createShop makes the shop. Where it has paymentsV2, buyers may pay by PortOne V2 as well.
export function createShop({ orders, payments, paymentsV2, config, log = console.error }) {
  const routes = [
    ['GET', /^\/$/, home],
    ['GET', /^\/checkout\/([a-z]+)$/, checkout],
    ['POST', /^\/checkout\/([a-z]+)$/, placeOrder],
    ['GET', /^\/orders\/([0-9a-f-]+)\/pay$/, payPage],
    ['GET', /^\/orders\/([0-9a-f-]+)\/return$/, comeBack],
    ['GET', /^\/orders\/([0-9a-f-]+)\/pay-v2$/, payPageV2],
    ['GET', /^\/orders\/([0-9a-f-]+)\/return-v2$/, comeBackV2],
    ['POST', /^\/webhook-v2$/, webhookV2],
    ['GET', /^\/orders\/([0-9a-f-]+)$/, orderPage],
    ['POST', /^\/orders\/([0-9a-f-]+)\/refresh$/, refreshOrder],
    ['POST', /^\/webhook$/, webhook],
    ['GET', /^\/admin$/, adminPage],
    ['POST', /^\/admin\/([0-9a-f-]+)\/(refresh|delivery|cancel)$/, adminAct],
    ['GET', /^\/(?:[a-z0-9-]+\.(?:css|js|svg))$/, file],
  ];

  async function home({ view }) {
    return page(pages.home(view, goods.map((good) => ({ ...good, left: orders.left(good) }))));
  }

  async function checkout({ view, found: [id] }) {
    const good = findGood(id);
    return good ? page(pages.checkout(view, good, {}, {})) : notFound(view);
  }

  async function placeOrder({ view, found: [id], form }) {
    const good = findGood(id);
    if (!good) return notFound(view);
    const wrong = checkOrder(view.t, good, form, orders.left(good));
    if (Object.keys(wrong).length > 0) return page(pages.checkout(view, good, form, wrong), 422);
    const quantity = Number(form.quantity);
    const order = orders.create({
      good: good.id, quantity, amount: good.price * quantity, method: form.method, escrow: form.escrow === 'on', lang: view.lang,
      buyer: Object.fromEntries(Object.keys(buyerFields).map((key) => [key, (form[key] ?? '').trim()])),
    });
    await payments.prepare(order);
    return redirect(`/orders/${order.id}/pay`);
  }

  async function payPage({ view, found: [id] }) {
    return payBy(view, id, request, false);
  }

  async function payPageV2({ view, found: [id] }) {
    return paymentsV2 ? payBy(view, id, requestV2, true) : notFound(view);
  }

  function payBy(view, id, asking, v2) {
    const order = orders.get(id);
    if (!order) return notFound(view);
    if (['paid', 'cancelled'].includes(order.payment?.status)) return redirect(`/orders/${id}`);
    return page(pages.pay(view, order, findGood(order.good), asking(order), v2));
  }

  // request is what the browser hands to IMP.request_pay. The window compares the amount with
  // the one registered, so changing it in the browser is of no use.
  function request(order) {
    const good = findGood(order.good);
    return {
      pay_method: order.method, merchant_uid: order.id, name: good.name[order.lang], amount: order.amount, currency: 'KRW', language: order.lang,
      escrow: order.escrow, digital: good.digital,
      buyer_name: order.buyer.name, buyer_email: order.buyer.email, buyer_tel: order.buyer.tel, buyer_addr: order.buyer.addr, buyer_postcode: order.buyer.postcode,
      m_redirect_url: `${config.shopUrl}/orders/${order.id}/return`, notice_url: `${config.shopUrl}/webhook`,
    };
  }

  // requestV2 is the same for PortOne.requestPayment. On a phone the buyer comes back by
  // redirectUrl; elsewhere the page itself goes there.
  function requestV2(order) {
    const good = findGood(order.good);
    const { name, email, tel, postcode, addr } = order.buyer;
    return {
      storeId: config.code, channelKey: config.v2.channelKey, paymentId: order.id, orderName: good.name[order.lang], totalAmount: order.amount, currency: 'KRW',
      payMethod: methodsV2[order.method], isEscrow: order.escrow, productType: good.digital ? 'DIGITAL' : 'REAL', locale: order.lang === 'ko' ? 'KO_KR' : 'EN_US',
      customer: { fullName: name, email, phoneNumber: tel, ...(good.digital ? {} : { zipcode: postcode, address: { addressLine1: addr, addressLine2: '' } }) },
      products: [{ id: good.id, name: good.name[order.lang], amount: good.price, quantity: order.quantity }],
      redirectUrl: `${config.shopUrl}/orders/${order.id}/return-v2`, noticeUrls: [`${config.shopUrl}/webhook-v2`],
    };
  }

  async function comeBack({ view, found: [id], query }) {
    const order = orders.get(id);
    if (!order) return notFound(view);
    const impUid = query.get('imp_uid');
    if (impUid) await reread(order, impUid);
    return redirect(`/orders/${id}${query.get('error_msg') ? `?said=${encodeURIComponent(query.get('error_msg').slice(0, 200))}` : ''}`);
  }

  async function reread(order, impUid) {
    const payment = await payments.read(impUid);
    return payment ? orders.setPayment(order, payment) : 'unknown payment';
  }

  // comeBackV2 believes nothing of the address but that it is time to read the payment.
  async function comeBackV2({ view, found: [id], query }) {
    const order = orders.get(id);
    if (!order || !paymentsV2) return notFound(view);
    await rereadV2(order);
    return redirect(`/orders/${id}${query.get('message') ? `?said=${encodeURIComponent(query.get('message').slice(0, 200))}` : ''}`);
  }

  async function rereadV2(order) {
    const payment = await paymentsV2.read(order.id);
    return payment ? orders.setPayment(order, payment) : 'unknown payment';
  }

  // again reads a known payment by the generation that it was last read by.
  const again = (order) => (order.payment.api === 'v2' && paymentsV2 ? rereadV2(order) : reread(order, order.payment.imp_uid));

  async function orderPage({ view, found: [id], query }) {
    const order = orders.get(id);
    return order ? page(pages.order(view, order, findGood(order.good), query.get('said') ?? '')) : notFound(view);
  }

  async function refreshOrder({ view, found: [id] }) {
    const order = orders.get(id);
    if (!order) return notFound(view);
    if (order.payment) await again(order);
    return redirect(`/orders/${id}`);
  }

  // webhook answers 200 when there is nothing left to do, also for what it does not know, and
  // 500 when the payment could not be read, so that a sender who repeats does so.
  async function webhook({ form }) {
    const { imp_uid, merchant_uid, status } = form;
    const event = form.event ?? '';
    const order = orders.get(merchant_uid);
    const entry = { imp_uid: clip(imp_uid), merchant_uid: clip(merchant_uid), status: clip(status), event: clip(event) };
    if (!order || typeof imp_uid !== 'string' || imp_uid === '') {
      orders.logWebhook({ ...entry, result: 'unknown order' });
      return plain('unknown order');
    }
    try {
      const result = await reread(order, imp_uid);
      // The notice of an escrow step cannot be read back over V1: it is shown, and decides nothing.
      const step = form.extra?.escrow_status ?? form['extra[escrow_status]'];
      if (event === 'Inicis.Escrow.Changed' && step && order.payment?.imp_uid === imp_uid) orders.setEscrowStatus(order, String(step));
      orders.logWebhook({ ...entry, result });
      return plain(result);
    } catch (error) {
      orders.logWebhook({ ...entry, result: `failed: ${error.message}` });
      return plain('payment could not be read', 500);
    }
  }

  // webhookV2 is told of a transaction and reads the payment of its order.
  async function webhookV2({ form }) {
    const { paymentId, transactionId } = form.data ?? {};
    const order = orders.get(paymentId);
    const entry = { imp_uid: clip(transactionId), merchant_uid: clip(paymentId), status: '', event: clip(form.type) };
    const known = order && paymentsV2;
    try {
      const result = known ? await rereadV2(order) : 'unknown order';
      orders.logWebhook({ ...entry, result });
      return plain(result);
    } catch (error) {
      orders.logWebhook({ ...entry, result: `failed: ${error.message}` });
      return plain('payment could not be read', 500);
    }
  }

  async function adminPage({ view, query }) {
    return page(pages.admin(view, orders, query.get('done') ?? '', query.get('refused') ?? ''));
  }

  async function adminAct({ view, found: [id, act], form }) {
    const order = orders.get(id);
    if (!order?.payment) return notFound(view);
    try {
      return redirect(`/admin?done=${await acts[act](order, form)}`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return redirect(`/admin?refused=${encodeURIComponent(error.message)}`);
    }
  }

  const acts = {
    async refresh(order) {
      await again(order);
      return 'doneRefreshed';
    },
    async delivery(order, form) {
      const known = order.delivery;
      const answer = await payments[known ? 'amendDelivery' : 'registerDelivery'](order, { company: form.company, invoice: (form.invoice ?? '').trim() });
      orders.setDelivery(order, { company: answer.company, invoice: answer.invoice });
      return known ? 'doneAmended' : 'doneRegistered';
    },
    async cancel(order, form) {
      const refund = form.refund_account ? { refund_bank: form.refund_bank, refund_account: form.refund_account, refund_holder: form.refund_holder } : {};
      const payment = await payments.cancel(order, form.reason || '상점 취소', refund);
      orders.setPayment(order, payment);
      return 'doneCancelled';
    },
  };

  async function file({ path }) {
    const type = files[path];
    if (!type) return plain('not found', 404);
    return { status: 200, body: await readFile(new URL(`public${path}`, import.meta.url)), type, headers: { 'cache-control': 'no-cache' } };
  }

  const notFound = (view) => page(pages.message(view, view.t.notFound), 404);

  async function answer(req) {
    const url = new URL(req.url, config.shopUrl);
    const view = viewOf(req, url, config);
    const path = url.pathname;
    for (const [method, pattern, handle] of routes) {
      const match = pattern.exec(path);
      if (!match || method !== req.method) continue;
      if (path.startsWith('/admin') && !mayAdminister(req, config)) return { ...plain('401', 401), headers: { 'www-authenticate': 'Basic realm="shop admin"' } };
      if (method === 'POST' && handle !== webhook && handle !== webhookV2 && fromElsewhere(req, config)) return page(pages.message(view, view.t.forbidden), 403);
      const form = method === 'POST' ? await readForm(req) : {};
      if (!form) return page(pages.message(view, view.t.badRequest), 400);
      const done = await handle({ view, path, query: url.searchParams, found: match.slice(1), form });
      if (view.setLanguage) done.headers = { ...done.headers, 'set-cookie': `lang=${view.lang}; Path=/; Max-Age=31536000; SameSite=Lax` };
      return done;
    }
    return notFound(view);
  }

  return createServer(async (req, res) => {
    try {
      send(res, await answer(req), config);
    } catch (error) {
      log(`${req.method} ${req.url}: ${error.stack}`);
      const view = viewOf(req, new URL('/', config.shopUrl), config);
      send(res, page(pages.message(view, error instanceof Refusal ? error.message : view.t.errGateway), 502), config);
    }
  });
}

// checkOrder gives one message for each field that is wrong.
function checkOrder(t, good, form, left) {
  const wrong = {};
  for (const [key, max] of Object.entries(buyerFields)) {
    const value = (form[key] ?? '').trim();
    if (value === '' && !(good.digital && (key === 'addr' || key === 'postcode'))) wrong[key] = t.errRequired;
    else if ([...value].length > max) wrong[key] = t.errLong;
  }
  if (!wrong.email && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test((form.email ?? '').trim())) wrong.email = t.errEmail;
  if (!methods.includes(form.method)) wrong.method = t.errMethod;
  if (form.escrow === 'on' && (good.digital || form.method === 'card')) wrong.escrow = t.errEscrow;
  if (!/^[1-9]$/.test(form.quantity ?? '')) wrong.quantity = t.errQuantity;
  else if (Number(form.quantity) > left) wrong.quantity = t.errStock;
  return wrong;
}

// viewOf is what every page knows: the language, its words and the addresses.
function viewOf(req, url, config) {
  const asked = url.searchParams.get('lang');
  const kept = /(?:^|;\s*)lang=(ko|en)(?:;|$)/.exec(req.headers.cookie ?? '')?.[1];
  const lang = languages.includes(asked) ? asked : kept ?? 'ko';
  return { lang, t: words[lang], config, path: url.pathname, setLanguage: languages.includes(asked) };
}

// readForm reads a JSON or form body, whichever it is, or gives null when it is too long or
// neither. Whether it is JSON is seen from the first character, as senders differ in what
// they call it.
async function readForm(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > bodyMax) return null;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  if (!text.startsWith('{')) return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fromElsewhere(req, config) {
  const { origin } = req.headers;
  return origin !== undefined && origin !== config.shopUrl && origin !== `http://${req.headers.host}`;
}

function mayAdminister(req, { adminPassword }) {
  if (!adminPassword) return true;
  const given = Buffer.from(/^Basic (.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '', 'base64').toString('utf8');
  const digest = (text) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given.slice(given.indexOf(':') + 1)), digest(adminPassword));
}

function clip(value) {
  return value === undefined ? '' : String(value).slice(0, 80);
}

function send(res, { status, body, type, headers = {} }, config) {
  const service = new URL(config.holdfastUrl).origin;
  res.writeHead(status, {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    // The payment window is a frame of the payment service, and its script styles that frame.
    'content-security-policy': `default-src 'self'; script-src 'self' ${service}; frame-src ${service}; connect-src 'self' ${service}; style-src 'self' 'unsafe-inline'; form-action 'self' ${service}; frame-ancestors 'none'; base-uri 'none'`,
    ...(type ? { 'content-type': `${type}; charset=utf-8` } : {}),
    ...headers,
  });
  res.end(body);
}
