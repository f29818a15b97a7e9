// The shop against a small stand-in for the payment service: what it believes, and what not.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Orders, stateOf } from './orders.mjs';
import { PaymentService } from './payments.mjs';
import { PaymentServiceV2 } from './payments-v2.mjs';
import { createShop } from './shop.mjs';
import { words } from './words.mjs';

let service, shop, orders, asked, stored, base;
let token = 't';

const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)));
const answer = (res, response, { status = 200, code = 0, message = null } = {}) => {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ code, message, response }));
};

const answerV2 = (res, id) => {
  const payment = stored.get(id);
  res.writeHead(payment ? 200 : 404, { 'content-type': 'application/json' });
  res.end(JSON.stringify(payment ?? { type: 'PAYMENT_NOT_FOUND', message: 'no such payment' }));
};

before(async () => {
  // The stand-in knows a token, the payments put into `stored`, and accepts what else it is sent.
  service = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const body = text ? JSON.parse(text) : {};
    asked.push({ method: req.method, path: req.url, body });
    if (req.headers.authorization === 'PortOne v2-secret') return answerV2(res, /^\/payments\/([^/?]+)/.exec(req.url)?.[1]);
    const read = /^\/payments\/(imp_\w+)$/.exec(req.url);
    if (req.url === '/users/getToken') return answer(res, { access_token: token, now: 0, expired_at: Math.floor(Date.now() / 1000) + 1800 });
    if (req.headers.authorization !== `Bearer ${token}`) return answer(res, null, { status: 401, code: -1, message: 'Unauthorized' });
    if (read) return stored.has(read[1]) ? answer(res, stored.get(read[1])) : answer(res, null, { status: 404, code: -1, message: '존재하지 않는 결제정보입니다.' });
    if (req.url === '/payments/prepare') return answer(res, body);
    if (req.url.startsWith('/escrows/logis/')) return answer(res, { ...body.logis, applied_at: body.logis.sent_at });
    if (req.url === '/payments/cancel') return answer(res, null, { code: 1, message: '구매거절 후에만 취소할 수 있습니다.' });
    return answer(res, null, { status: 404, code: -1, message: 'no such path' });
  });
  const holdfastUrl = await listen(service);
  const config = { holdfastUrl, code: 'imp00000000', shopUrl: 'http://localhost:3000', escrowProvider: 'Holdfast', verifyUrl: `${holdfastUrl}/verify`, sandboxUrl: `${holdfastUrl}/sandbox`, adminPassword: '', v2: { channelKey: 'channel-1' } };
  // The shop is made once; each test gives it fresh orders through this indirection.
  const fresh = new Proxy({}, { get: (_, key) => (typeof orders[key] === 'function' ? orders[key].bind(orders) : orders[key]) });
  shop = createShop({ config, orders: fresh, payments: new PaymentService({ url: holdfastUrl, key: 'k', secret: 's' }), paymentsV2: new PaymentServiceV2({ url: holdfastUrl, secret: 'v2-secret', storeId: config.code }), log: () => {} });
  base = await listen(shop);
});

beforeEach(() => {
  orders = new Orders();
  asked = [];
  stored = new Map();
});

after(() => {
  for (const server of [shop, service]) {
    server.close();
    server.closeAllConnections();
  }
});

const buyer = { name: '홍길동', email: 'buyer@example.com', tel: '010-1234-5678', postcode: '03154', addr: '서울특별시 종로구 세종대로 1' };
const get = (path, options) => fetch(base + path, { redirect: 'manual', ...options });
const post = (path, form, headers = {}) => get(path, { method: 'POST', body: new URLSearchParams(form), headers });
const paid = (order, more = {}) => ({ imp_uid: 'imp_1', merchant_uid: order.id, amount: order.amount, currency: 'KRW', status: 'paid', pay_method: 'trans', escrow: true, cancel_amount: 0, paid_at: 1, cancelled_at: 0, ...more });

async function placed(form = {}) {
  const res = await post('/checkout/cup', { ...buyer, quantity: '2', method: 'vbank', escrow: 'on', ...form });
  assert.equal(res.status, 303, await res.text());
  return orders.get(res.headers.get('location').split('/')[2]);
}

test('Korean and English have the same words', () => {
  assert.deepEqual(Object.keys(words.en), Object.keys(words.ko));
});

test('the notice of escrow stands on the start page and where the method is chosen', async () => {
  for (const path of ['/', '/checkout/cup', `/orders/${(await placed()).id}/pay`]) {
    const text = await (await get(path)).text();
    assert.match(text, /구매안전서비스를 선택하실 수 있습니다/, path);
    assert.match(text, /\/verify"/, path);
  }
  assert.match(await (await get('/?lang=en')).text(), /choose the escrow service/);
});

test('the amount is the shop’s own and registered before the payment page is shown', async () => {
  const order = await placed({ amount: '1' });
  assert.equal(order.amount, 78000);
  assert.deepEqual(asked.at(-1), { method: 'POST', path: '/payments/prepare', body: { merchant_uid: order.id, amount: 78000 } });
  assert.ok(order.id.length <= 40);
  assert.match(await (await get(`/orders/${order.id}/pay`)).text(), /&quot;amount&quot;:78000,.*&quot;escrow&quot;:true/);
});

test('a token that the service has forgotten is renewed once', async () => {
  await placed();
  token = 'another';
  await placed();
  assert.equal(asked.filter((call) => call.path === '/payments/prepare').length, 3);
});

test('an order that cannot be is refused with the field', async () => {
  const cases = [
    ['/checkout/cup', { name: '' }, 'wrong-name'], ['/checkout/cup', { name: '가'.repeat(17) }, 'wrong-name'], ['/checkout/cup', { email: 'x' }, 'wrong-email'],
    ['/checkout/cup', { quantity: '0' }, 'wrong-quantity'], ['/checkout/cup', { quantity: '1e1' }, 'wrong-quantity'], ['/checkout/cup', { method: 'cash' }, 'wrong-method'],
    ['/checkout/cup', { method: 'card' }, 'wrong-escrow'], ['/checkout/wallpaper', {}, 'wrong-escrow'],
  ];
  for (const [path, change, id] of cases) {
    const res = await post(path, { ...buyer, quantity: '1', method: 'vbank', escrow: 'on', ...change });
    assert.equal(res.status, 422);
    assert.match(await res.text(), new RegExp(`id="${id}"`));
  }
  assert.equal(orders.newestFirst().length, 0);
});

test('the browser’s return makes the shop read the payment, and proves nothing', async () => {
  const order = await placed();
  await get(`/orders/${order.id}/return?imp_uid=imp_unknown&imp_success=true`);
  assert.equal(stateOf(order), 'New');
  stored.set('imp_1', paid(order));
  const res = await get(`/orders/${order.id}/return?imp_uid=imp_1`);
  assert.equal(res.headers.get('location'), `/orders/${order.id}`);
  assert.equal(stateOf(order), 'Paid');
});

test('a payment of another amount or another order does not pay this one', async () => {
  const order = await placed();
  stored.set('imp_1', paid(order, { merchant_uid: 'another' }));
  await get(`/orders/${order.id}/return?imp_uid=imp_1`);
  assert.equal(stateOf(order), 'New');
  stored.set('imp_1', paid(order, { amount: 100 }));
  await get(`/orders/${order.id}/return?imp_uid=imp_1`);
  assert.equal(stateOf(order), 'Problem');
  assert.equal(order.fulfilled, false);
});

test('webhooks in JSON and in form, twice and late', async () => {
  const order = await placed();
  const body = { imp_uid: 'imp_1', merchant_uid: order.id, status: 'paid' };
  assert.equal((await post('/webhook', body)).status, 200); // the service does not know it yet
  stored.set('imp_1', paid(order));
  assert.equal(await (await post('/webhook', body)).text(), 'applied');
  assert.equal(await (await get('/webhook', { method: 'POST', body: JSON.stringify(body) })).text(), 'unchanged');
  stored.set('imp_1', paid(order, { status: 'ready' }));
  assert.equal(await (await post('/webhook', { ...body, status: 'ready' })).text(), 'unchanged');
  assert.equal(stateOf(order), 'Paid');
  assert.equal(orders.left({ id: 'cup' }), 22);
  assert.deepEqual(orders.webhooksNewestFirst().map((hook) => hook.result), ['unchanged', 'unchanged', 'applied', 'unknown payment']);
  assert.equal(await (await post('/webhook', { merchant_uid: 'none' })).text(), 'unknown order');
});

test('a purchase by PortOne V2: the request, the return, a webhook, and what is not believed', async () => {
  const order = await placed();
  const text = await (await get(`/orders/${order.id}/pay-v2`)).text();
  assert.match(text, /v2\/browser-sdk\.js/);
  assert.match(text, /&quot;storeId&quot;:&quot;imp00000000&quot;,&quot;channelKey&quot;:&quot;channel-1&quot;.*&quot;totalAmount&quot;:78000.*&quot;isEscrow&quot;:true/);
  await get(`/orders/${order.id}/return-v2`);
  assert.equal(stateOf(order), 'New');

  const payment = { id: order.id, transactionId: 'imp_2', currency: 'KRW', amount: { total: order.amount, cancelled: 0 }, escrow: { status: 'BEFORE_REGISTERED' } };
  stored.set(order.id, { ...payment, status: 'VIRTUAL_ACCOUNT_ISSUED', method: { type: 'PaymentMethodVirtualAccount', bank: 'SHINHAN', accountNumber: '110', remitteeName: '한빛상점', expiredAt: '2026-12-31T14:59:59Z' } });
  await get(`/orders/${order.id}/return-v2`);
  assert.equal(stateOf(order), 'Ready');
  assert.match(await (await get(`/orders/${order.id}`)).text(), /신한은행/);

  const told = { method: 'POST', body: JSON.stringify({ type: 'Transaction.Paid', timestamp: '2026-12-01T00:00:00Z', data: { paymentId: order.id, transactionId: 'imp_2', storeId: 'imp00000000' } }) };
  assert.equal(await (await get('/webhook-v2', told)).text(), 'unchanged', 'a webhook alone pays nothing');
  stored.set(order.id, { ...payment, status: 'PAID', paidAt: '2026-12-01T00:00:00Z', method: { type: 'PaymentMethodVirtualAccount' } });
  assert.equal(await (await get('/webhook-v2', told)).text(), 'applied');
  assert.equal(stateOf(order), 'Paid');
  assert.match((await get(`/orders/${order.id}/pay-v2`)).headers.get('location'), /orders/);
  assert.equal(await (await get('/webhook-v2', { ...told, body: '{"data":{"paymentId":"none"}}' })).text(), 'unknown order');

  const other = await placed();
  stored.set(other.id, { ...payment, id: other.id, status: 'PAID', amount: { total: 1, cancelled: 0 } });
  await get(`/orders/${other.id}/return-v2`);
  assert.equal(stateOf(other), 'Problem');
});

test('an escrow notice is shown on the order', async () => {
  const order = await placed();
  stored.set('imp_1', paid(order));
  await get('/webhook', { method: 'POST', body: JSON.stringify({ event: 'Inicis.Escrow.Changed', imp_uid: 'imp_1', merchant_uid: order.id, status: 'paid', extra: { escrow_status: '3', changed_at: 1 } }) });
  assert.equal(stateOf(order), 'Confirmed');
});

test('the shop keeper registers a delivery, corrects it, and reads why a cancel is refused', async () => {
  const order = await placed();
  stored.set('imp_1', paid(order));
  await get(`/orders/${order.id}/return?imp_uid=imp_1`);
  await post(`/admin/${order.id}/delivery`, { company: 'CJGLS', invoice: ' 123456789012 ' });
  assert.equal(asked.at(-1).method, 'POST');
  assert.equal(asked.at(-1).body.logis.invoice, '123456789012');
  assert.equal(asked.at(-1).body.receiver.name, buyer.name);
  assert.equal(stateOf(order), 'Shipped');
  await post(`/admin/${order.id}/delivery`, { company: 'HANJIN', invoice: '9' });
  assert.equal(asked.at(-1).method, 'PUT');
  const res = await post(`/admin/${order.id}/cancel`, { reason: '품절' });
  assert.match(await (await get(res.headers.get('location'))).text(), /구매거절 후에만 취소할 수 있습니다/);
  assert.equal(stateOf(order), 'Shipped');
});

test('a parcel is not sent before it was paid, though the test clock be ahead', async () => {
  const order = await placed();
  const ahead = Math.floor(Date.now() / 1000) + 30 * 86_400;
  stored.set('imp_1', paid(order, { paid_at: ahead }));
  await get(`/orders/${order.id}/return?imp_uid=imp_1`);
  await post(`/admin/${order.id}/delivery`, { company: 'CJGLS', invoice: '123456789012' });
  assert.equal(asked.at(-1).body.logis.sent_at, ahead);
});

test('posts from other sites, long bodies and unknown pages', async () => {
  assert.equal((await post('/checkout/cup', buyer, { origin: 'https://evil.example' })).status, 403);
  assert.equal((await get('/webhook', { method: 'POST', body: `{"a":"${'x'.repeat(70000)}"}` }).catch(() => ({ status: 400 }))).status, 400);
  assert.equal((await get('/orders/00')).status, 404);
  assert.equal((await get('/../server.mjs')).status, 404);
});

test('what a buyer types is text', async () => {
  await placed({ name: '<b>x</b>' });
  assert.match(await (await get('/admin')).text(), /&lt;b&gt;x&lt;\/b&gt;/);
});

test('orders outlive the process', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'shop-')), 'data', 'orders.json');
  const first = new Orders(file);
  const order = first.create({ good: 'cup', quantity: 1, amount: 39000, buyer });
  first.setPayment(order, paid(order));
  assert.equal(stateOf(new Orders(file).get(order.id)), 'Paid');
});
