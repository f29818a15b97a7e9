// A shop with manual approval: PortOne's own package in the shop's page gives a token, and
// PortOne's own client on the shop's server (of test/clients) confirms the payment by it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, afterEach, before } from 'node:test';
import { choose, code, desktop, launch, looksRight, newOrder, openShop, picture, story, windowOf as framed, holdfast } from './stage.mjs';

const { PortOneClient } = createRequire(new URL('../clients/package.json', import.meta.url))('@portone/server-sdk');
const { payment } = PortOneClient({ secret: process.env.API_SECRET, baseUrl: holdfast, storeId: code });

let browser, context, page, shop;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });
afterEach(async () => { await context?.close(); shop?.close(); });

async function enter() {
  shop = await openShop('/v2/browser-sdk.js');
  context = await browser.newContext({ ...desktop, locale: 'ko-KR' });
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  await page.goto(shop.url);
}

const order = (change) => ({
  storeId: code, channelKey: process.env.CHANNEL_KEY, paymentId: newOrder(), orderName: '백자 찻잔 두 점', totalAmount: 39000, currency: 'CURRENCY_KRW',
  customer: { fullName: '홍길동', email: 'buyer@example.com', phoneNumber: '010-1234-5678' }, ...change,
});

// buy begins a payment in the shop's page by the package; settled is what its promise resolves with.
async function buy(request) {
  await page.evaluate(async (request) => {
    const { requestPayment } = await import('/portone.js');
    window.settled = undefined;
    requestPayment(request).then((value) => { window.settled = value; }, (error) => { window.settled = { thrown: error.message }; });
  }, request);
  return framed(page, 'portone');
}

const settled = async () => (await page.waitForFunction(() => window.settled)).jsonValue();

const refused = (promise, type) => assert.rejects(promise, (error) => { assert.equal(error.data?.type, type, `${error}`); return true; });

story('a card is taken when the shop confirms, once', async () => {
  await enter();
  const request = order({ payMethod: 'CARD' });
  const pay = await buy(request);
  await choose(pay, { method: 'card' });
  await pay.locator('#approve').click();
  const value = await settled();
  assert.deepEqual(Object.keys(value).sort(), ['paymentId', 'paymentToken', 'transactionType', 'txId'], JSON.stringify(value));
  const { paymentId } = request;
  const { paymentToken, txId } = value;
  assert.equal((await payment.getPayment({ paymentId })).status, 'READY');
  await refused(payment.confirmPayment({ paymentId, paymentToken, totalAmount: 1 }), 'INFORMATION_MISMATCH');
  await refused(payment.confirmPayment({ paymentId, paymentToken: 'forged' }), 'INVALID_PAYMENT_TOKEN');
  await refused(payment.confirmPayment({ paymentId: 'nobody', paymentToken }), 'PAYMENT_NOT_FOUND');

  const confirm = () => payment.confirmPayment({ paymentId, paymentToken, txId, currency: 'KRW', totalAmount: 39000, isTest: true });
  const both = await Promise.allSettled([confirm(), confirm()]); // at once
  const [done] = both.filter((one) => one.status === 'fulfilled');
  const [late] = both.filter((one) => one.status === 'rejected');
  assert.equal(done?.value.pgTxId, txId);
  assert.equal(late?.reason.data.type, 'ALREADY_PAID');
  const paid = await payment.getPayment({ paymentId });
  assert.deepEqual([paid.status, paid.paidAt], ['PAID', done.value.paidAt]);
});

story('an account is issued when the shop confirms', async () => {
  await enter();
  const request = order({ payMethod: 'VIRTUAL_ACCOUNT', isEscrow: true });
  await page.route(/\/pay\/assets\/.*\.js/, (route) => route.abort()); // without its script the last page stays, to be looked at
  const stays = await buy(request);
  await choose(stays);
  await stays.getByText('상점이 승인하면 결제가 완료됩니다.').waitFor();
  const frame = await (await page.locator('iframe.portone-frame').elementHandle()).contentFrame();
  await looksRight(frame, 'agreed');
  await picture(page, 'v2-agreed-1280-ko');
  await page.locator('.portone-close').click(); // the buyer gives up at the last moment
  assert.equal((await settled()).pgCode, 'USER_CANCEL');
  await page.unroute(/\/pay\/assets\/.*\.js/);

  const again = order({ payMethod: 'VIRTUAL_ACCOUNT', isEscrow: true });
  await choose(await buy(again));
  const { paymentId, paymentToken } = await settled();
  assert.ok((await payment.confirmPayment({ paymentId, paymentToken })).paidAt);
  const issued = await payment.getPayment({ paymentId });
  assert.deepEqual([issued.status, issued.method.type, issued.escrow.status], ['VIRTUAL_ACCOUNT_ISSUED', 'PaymentMethodVirtualAccount', 'BEFORE_REGISTERED']);
});
