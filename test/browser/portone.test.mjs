// window.PortOne as a shop's code meets it, by script tag, by PortOne's own npm package and as a
// module.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { choose, code, desktop, done, fillsPhone, holdfast, launch, looksRight, newOrder, openShop, phone, picture, story, windowOf as framed } from './stage.mjs';

let browser, context, page, shop;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });
afterEach(async () => { await context?.close(); shop?.close(); });

async function enter(options = desktop, script = '/v2/browser-sdk.js') {
  shop = await openShop(script);
  context = await browser.newContext({ ...options, locale: 'ko-KR' });
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  await page.goto(shop.url);
}

const windowOf = (where) => framed(where, 'portone');

function order(change = {}) {
  return {
    storeId: code, channelKey: process.env.CHANNEL_KEY, paymentId: newOrder(), orderName: '백자 찻잔 두 점', totalAmount: 39000, currency: 'CURRENCY_KRW', payMethod: 'VIRTUAL_ACCOUNT',
    customer: { fullName: '홍길동', email: 'buyer@example.com', phoneNumber: '010-1234-5678' }, customData: { note: '선물 포장' }, unknown: { ignored: true }, ...change,
  };
}

// buy presses the shop's button; what becomes of the promise is kept in the page. Errors are
// taken apart, because only data crosses to the story.
async function buy(request) {
  await page.evaluate((request) => {
    window.settled = [];
    const data = (error) => ({ ...error, message: error.message, name: error.name });
    document.getElementById('buy').onclick = () => {
      (window.sdk ?? window.PortOne).requestPayment(request).then((value) => window.settled.push({ value }), (error) => window.settled.push({ error: data(error) }));
    };
  }, request);
  await page.click('#buy');
}

async function settled() {
  await page.waitForFunction(() => window.settled.length > 0);
  const all = await page.evaluate(() => window.settled);
  assert.equal(all.length, 1, 'a promise settles once');
  assert.equal(await page.locator('.portone-dialog').count(), 0, 'the layer is gone');
  return all[0];
}

async function thrown(request, code, says) {
  await buy(request);
  const { error, value } = await settled();
  assert.equal(value, undefined, `${code} is thrown`);
  assert.deepEqual([error.__portOneErrorType, error.code, error.transactionType], ['PaymentError', code, 'PAYMENT'], error.message);
  assert.match(error.message, says);
  return error;
}

// picked goes on in the browser of a buyer to the end of a card payment.
async function payByCard(pay) {
  await choose(pay, { method: 'card' });
  await pay.locator('#approve').click();
}

story('an escrow by virtual account on a computer', async () => {
  await enter();
  const request = order({ isEscrow: true, virtualAccount: { availableBanks: ['SHINHAN_BANK', 'BANK_HANA_BANK'], accountExpiry: { validHours: 5 } }, products: [{ id: 'cup', name: '찻잔', amount: 19500, quantity: 2 }] });
  await buy(request);
  const pay = windowOf(page);
  await pay.locator('#pay').waitFor();
  assert.deepEqual(await pay.locator('[name=method]').evaluateAll((all) => all.map((one) => one.value)), ['vbank'], 'only the method that the shop named');
  assert.deepEqual(await pay.locator('#bank option').evaluateAll((all) => all.map((one) => one.value)), ['', '088', '081'], 'only the banks that the shop named');
  const frame = await (await page.locator('iframe.portone-frame').elementHandle()).contentFrame();
  await looksRight(frame, 'choose');
  await picture(page, 'v2-choose-1280-ko');
  await choose(pay);
  await pay.locator('#account').waitFor();
  await looksRight(frame, 'account');
  await picture(page, 'v2-account-1280-ko');
  await done(page, 'portone');
  const { value } = await settled();
  assert.match(value.txId, /^imp_\d{12}$/);
  assert.deepEqual(value, { transactionType: 'PAYMENT', txId: value.txId, paymentId: request.paymentId }, 'a success has no code, not even null');
  assert.deepEqual(page.faults, []);
  assert.deepEqual(await context.cookies(), [], 'no cookies, of any site');
});

story('in English, with one bank, on a phone in the page', async () => {
  await enter(phone);
  await buy(order({ locale: 'EN_US', isEscrow: true, virtualAccount: { bankCode: 'BANK_KOOKMIN_BANK' } }));
  const pay = windowOf(page);
  await pay.getByText('Buyer protection (escrow)').waitFor();
  assert.equal(await pay.locator('#bank').inputValue(), '004', 'the one bank is chosen');
  assert.equal(await pay.locator('[type=radio]').count(), 0, 'a single method is no choice');
  assert.ok(await pay.locator('.hints .vbank').isVisible());
  await fillsPhone(page, 'portone');
  await picture(page, 'v2-choose-360-en');
  await choose(pay, { bank: '004' });
  await pay.locator('#account').waitFor();
  await picture(page, 'v2-account-360-en');
  await done(page, 'portone');
  assert.equal((await settled()).value.code, undefined);
});

story('what the buyer and the bank refuse is the value of the promise', async () => {
  await enter();
  await buy(order({ payMethod: 'CARD' }));
  await choose(windowOf(page), { method: 'card' });
  await windowOf(page).locator('#decline').click();
  let { value } = await settled();
  assert.deepEqual([value.code, value.pgCode], ['PGProviderError', 'DECLINED']);
  assert.match(value.txId, /^imp_/);
  assert.equal(value.pgMessage, value.message);

  await buy(order({ locale: 'EN_US' }));
  await windowOf(page).locator('#pay').waitFor();
  await page.locator('.portone-close').click();
  ({ value } = await settled());
  assert.deepEqual([value.code, value.pgCode, value.message], ['PGProviderError', 'USER_CANCEL', 'You cancelled. No money was taken.']);
});

story('what is refused before a window is there is thrown', async () => {
  await enter();
  await thrown(order({ totalAmount: undefined }), 'RequestParseFailed', /totalAmount/);
  const error = await thrown(order({ storeId: 'store-of-another', locale: 'EN_US' }), 'StoreNotFound', /storeId/);
  assert.ok(error.paymentId.startsWith('order-'));
  await thrown(order({ channelKey: 'channel-of-another' }), 'ChannelNotFound', /channelKey/);
  await thrown(order({ isEscrow: true, productType: 'DIGITAL' }), 'AllChannelsNotSatisfied', /isEscrow/);
  await thrown(order({ windowType: { pc: 'UI' } }), 'Unimplemented', /windowType/);
  await thrown(order({ windowType: { pc: 'HOLOGRAM' } }), 'RequestParseFailed', /windowType/);
  await thrown(order({ windowType: { pc: 'REDIRECTION' } }), 'RequestParseFailed', /redirectUrl/);
  await thrown(order({ redirectUrl: `${shop.url}/back`, forceRedirect: true, totalAmount: 0 }), 'RequestParseFailed', /totalAmount/);
  await thrown(null, 'RequestParseFailed', /requestPayment/);
  await page.route('**/pay/v2/open', (route) => route.abort());
  await thrown(order(), 'Unavailable', /연결/);
});

story('a payment that is asked for twice', async () => {
  await enter();
  await buy(order());
  await windowOf(page).locator('#pay').waitFor();
  const second = await page.evaluate((request) => window.PortOne.requestPayment(request).then(() => 'resolved', (error) => error.code), order());
  assert.equal(second, 'FailedPrecondition');
  await page.locator('.portone-close').click();
  assert.equal((await settled()).value.pgCode, 'USER_CANCEL');

  const codes = await page.evaluate((requests) => Promise.all(requests.map((request) => Promise.race([
    window.PortOne.requestPayment(request).then(() => 'resolved', (error) => error.code), new Promise((later) => { setTimeout(later, 1500, 'open'); }),
  ]))), [order(), order()]);
  assert.deepEqual(codes, ['Aborted', 'open'], 'of two at once the last counts, and none waits for ever');
});

story('a popup', async () => {
  await enter();
  for (const end of ['paid', 'closed', 'failed']) {
    const [pay] = await Promise.all([context.waitForEvent('page'), buy(order({ payMethod: 'CARD', windowType: { pc: 'POPUP' }, popup: { center: true } }))]);
    await pay.locator('#pay').waitFor();
    assert.equal(await page.locator('.portone-dialog').count(), 0);
    if (end === 'closed') await pay.close();
    else {
      await choose(pay, { method: 'card' });
      await pay.locator(end === 'paid' ? '#approve' : '#decline').click();
    }
    const { value } = await settled();
    assert.deepEqual([value.code, value.pgCode], { paid: [undefined, undefined], closed: ['PGProviderError', 'USER_CANCEL'], failed: ['PGProviderError', 'DECLINED'] }[end], end);
    assert.ok(pay.isClosed() || await pay.waitForEvent('close').then(() => true), 'the popup closes itself');
  }
  await page.evaluate(() => { window.open = () => null; });
  await thrown(order({ windowType: { pc: 'POPUP' } }), 'FailedPrecondition', /차단/);
});

const back = () => new URL(page.url()).searchParams;

story('a phone leaves the page when it knows the way back', async () => {
  await enter(phone);
  const request = order({ payMethod: 'CARD', redirectUrl: `${shop.url}/back?keep=a%20b` });
  await buy(request);
  await page.waitForURL(`${holdfast}/pay/**`);
  await payByCard(page);
  await page.waitForURL(`${shop.url}/back**`);
  assert.deepEqual([back().get('keep'), back().get('paymentId'), back().get('transactionType'), back().has('code')], ['a b', request.paymentId, 'PAYMENT', false]);
  assert.match(back().get('txId'), /^imp_/);

  await page.goto(shop.url);
  await buy(order({ payMethod: 'CARD', redirectUrl: `${shop.url}/back` }));
  await page.waitForURL(`${holdfast}/pay/**`);
  await choose(page, { method: 'card' });
  await page.locator('#decline').click();
  await page.waitForURL(`${shop.url}/back**`);
  assert.deepEqual([back().get('code'), back().get('pgCode'), back().get('message')], ['PGProviderError', 'DECLINED', back().get('pgMessage')]);
});

story('on a computer the promise is kept, unless the redirect is forced', async () => {
  await enter();
  const redirectUrl = `${shop.url}/back?keep=1`;
  await buy(order({ payMethod: 'CARD', redirectUrl }));
  await payByCard(windowOf(page));
  assert.equal((await settled()).value.code, undefined);

  const request = order({ payMethod: 'CARD', redirectUrl, forceRedirect: true });
  await buy(request);
  await payByCard(windowOf(page));
  await page.waitForURL(`${shop.url}/back**`);
  assert.deepEqual([back().get('keep'), back().get('paymentId'), back().has('code')], ['1', request.paymentId, false]);

  await page.goto(shop.url);
  await buy(order({ redirectUrl, forceRedirect: true }));
  await windowOf(page).locator('#pay').waitFor();
  await page.locator('.portone-close').click();
  await page.waitForURL(`${shop.url}/back**`);
  assert.deepEqual([back().get('code'), back().get('pgCode')], ['PGProviderError', 'USER_CANCEL']);

  await page.goto(shop.url);
  await buy(order({ payMethod: 'CARD', redirectUrl, windowType: { pc: 'REDIRECTION' } }));
  await page.waitForURL(`${holdfast}/pay/**`);
  await page.locator('form[action$="/cancel"] button').click();
  await page.waitForURL(`${shop.url}/back**`);
  assert.equal(back().get('pgCode'), 'USER_CANCEL');
});

story('what is not supported says so', async () => {
  await enter();
  const said = await page.evaluate(() => Promise.all(Object.entries(window.PortOne)
    .filter(([name, one]) => typeof one === 'function' && name !== 'requestPayment')
    .map(([name, one]) => one({}).then(() => [name, 'resolved'], (error) => [name, error.__portOneErrorType, error.code, error.message.includes(name)]))));
  assert.deepEqual(said, [
    ['requestIdentityVerification', 'IdentityVerificationError', 'Unimplemented', true],
    ['requestIssueBillingKeyAndPay', 'IssueBillingKeyAndPayError', 'Unimplemented', true],
    ['requestIssueBillingKey', 'IssueBillingKeyError', 'Unimplemented', true],
    ['loadPaymentUI', 'LoadPaymentUIError', 'Unimplemented', true],
    ['loadIssueBillingKeyUI', 'LoadIssueBillingKeyUIError', 'Unimplemented', true],
    ['updateLoadPaymentUIRequest', 'ModuleError', 'Unimplemented', true],
    ['updateLoadIssueBillingKeyUIRequest', 'ModuleError', 'Unimplemented', true],
  ]);
});

story('the background may stay as it is', async () => {
  await enter();
  await buy(order({ iframe: { dim: false } }));
  const shade = () => page.locator('.portone-dialog').evaluate((layer) => getComputedStyle(layer).backgroundColor);
  assert.equal(await shade(), 'rgba(0, 0, 0, 0)');
  await page.locator('.portone-close').click();
  await settled();
  await buy(order());
  assert.notEqual(await shade(), 'rgba(0, 0, 0, 0)');
});

// PortOne's package finds the script in the page, or brings it in; its own checks know our errors.
for (const [how, script] of [['that is in the page', '/v2/browser-sdk.js'], ['that the package brings in', '']]) {
  story(`PortOne's npm package with the script ${how}`, async () => {
    await enter(desktop, script);
    await page.evaluate(async ({ address, early }) => {
      const npm = await import('/portone.js');
      if (early) npm.__INTERNAL__setPortOneSdkUrl(address);
      window.sdk = npm.default;
      window.npm = npm;
    }, { address: `${holdfast}/v2/browser-sdk.js`, early: script === '' });
    await buy(order({ payMethod: 'TRANSFER', isEscrow: true, transfer: { bankCode: 'HANA_BANK' } }));
    await choose(windowOf(page), { method: 'trans', bank: '081' });
    await windowOf(page).locator('#approve').click();
    const { value } = await settled();
    assert.deepEqual(Object.keys(value).sort(), ['paymentId', 'transactionType', 'txId']);
    const known = await page.evaluate((request) => window.sdk.requestPayment(request).then(() => [], (error) => [
      window.npm.isPaymentError(error), error instanceof window.npm.PaymentError, error instanceof Error, window.npm.isPortOneError(error), window.npm.isModuleError(error), error.code,
    ]), order({ currency: 'USD' }));
    assert.deepEqual(known, [true, true, true, true, false, 'RequestParseFailed']);
  });
}

story('as a module', async () => {
  await enter(desktop, '');
  const names = await page.evaluate(async (address) => {
    const module = await import(address);
    window.sdk = module.default;
    return [Object.keys(module).length, module.requestPayment === window.sdk.requestPayment, typeof module.loadPaymentUI];
  }, `${holdfast}/v2/browser-sdk.esm.js`);
  assert.deepEqual(names, [9, true, 'function']);
  await buy(order());
  await windowOf(page).locator('#pay').waitFor();
  await page.locator('.portone-close').click();
  await settled();
});

story('both generations on one page', async () => {
  await enter();
  await page.addScriptTag({ url: `${holdfast}/v1/iamport.js` });
  const answer = page.evaluate(({ code, request }) => new Promise((done) => { window.IMP.init(code); window.IMP.request_pay(request, done); }), { code, request: { merchant_uid: newOrder(), amount: 100, name: 'x' } });
  await framed(page).locator('#pay').waitFor();
  await page.locator('.imp-close').click();
  assert.equal((await answer).error_code, 'USER_CANCEL');
  await buy(order());
  await windowOf(page).locator('#pay').waitFor();
});
