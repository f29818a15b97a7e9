// window.IMP as a shop's code meets it.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { answered, buy, code, desktop, fillsPhone, holdfast, launch, openShop, order, phone, story, windowOf } from './stage.mjs';

let browser, context, page, shop;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });
afterEach(async () => { await context?.close(); shop?.close(); });

async function enter(options = desktop, ...how) {
  shop = await openShop(...how);
  context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  page.said = [];
  page.on('dialog', (dialog) => { page.said.push(dialog.message()); dialog.dismiss(); });
  await page.goto(shop.url);
}

for (const script of ['/v1/iamport.js', '/js/iamport.payment-1.1.5.js', '/js/iamport.payment-1.2.0.js']) {
  story(`${script} defines IMP`, async () => {
    await enter(desktop, script);
    const kinds = await page.evaluate(() => ['init', 'agency', 'request_pay', 'close', 'communicate', 'loadModule', 'certification', 'naver_zzim'].map((name) => typeof window.IMP[name]));
    assert.deepEqual([...new Set(kinds)], ['function']);
    await buy(page, order());
    await windowOf(page).locator('#pay').waitFor();
  });
}

story('a payment before init is an alert', async () => {
  await enter();
  await page.evaluate(() => window.IMP.request_pay({}, () => { window.called = true; }));
  assert.match(page.said[0], /IMP\.init/);
  assert.equal(await page.evaluate(() => window.called), undefined);
});

story('of payments asked for before the page is ready the last one counts', async () => {
  const ask = (name) => `IMP.request_pay(${JSON.stringify(order({ name }))}, () => { (window.called ??= []).push('${name}'); });`;
  await enter(desktop, '/v1/iamport.js', `IMP.init('${code}'); ${ask('first')} ${ask('second')} ${ask('third')}`);
  await windowOf(page).locator('.order-name').waitFor();
  assert.equal((await windowOf(page).locator('.order-name').textContent()).trim(), 'third');
  assert.equal(await page.locator('.imp-dialog').count(), 1);
  await page.locator('.imp-close').click();
  await page.waitForFunction(() => window.called);
  assert.deepEqual(await page.evaluate(() => window.called), ['third']);
});

story('defaults of PortOne', async () => {
  await enter();
  await buy(page, { amount: 1000, name: 'x', pg: 'unknown.MID', channelKey: 'channel-key-of-another-service' });
  await windowOf(page).locator('#pay').waitFor();
  assert.equal(await windowOf(page).locator('[name=method]:checked').inputValue(), 'card');
  await page.locator('.imp-close').click();
  assert.match((await answered(page)).merchant_uid, /^nobody_\d{13}$/);
});

story('what is not supported says so', async () => {
  await enter();
  for (const name of ['certification', 'naver_zzim', 'loadModule', 'communicate']) {
    const answer = await page.evaluate((name) => new Promise((done) => { window.IMP[name]({ merchant_uid: 'm' }, done); }), name);
    assert.deepEqual([answer.success, answer.error_code, answer.merchant_uid], [false, 'NOT_SUPPORTED', 'm'], name);
    assert.ok(answer.error_msg.includes(name));
  }
});

story('refusals name the field and open nothing', async () => {
  await enter();
  for (const [change, field] of [[{ amount: '만원' }, 'amount'], [{ m_redirect_url: '//evil.example' }, 'm_redirect_url'], [{ m_redirect_url: 'javascript:alert(1)' }, 'm_redirect_url'], [{ pay_method: 'bitcoin' }, 'pay_method'], [{ vbank_due: 'tomorrow' }, 'vbank_due']]) {
    await buy(page, order(change));
    const answer = await answered(page);
    assert.deepEqual([answer.success, answer.imp_uid, answer.error_code], [false, null, 'INVALID_REQUEST']);
    assert.ok(answer.error_msg.includes(field), `${answer.error_msg} names ${field}`);
  }
});

story('an unknown shop code', async () => {
  await enter();
  const answer = await page.evaluate((params) => new Promise((done) => { window.IMP.init('imp99999999'); window.IMP.request_pay(params, done); }), order());
  assert.equal(answer.error_code, 'UNKNOWN_SHOP');
});

story('only the window itself is heard', async () => {
  await enter();
  await buy(page, order());
  await windowOf(page).locator('#pay').waitFor();
  const forged = { holdfast: 'result', nonce: '00000000000000000000000000000000', result: { success: true, imp_uid: 'imp_000000000000' } };
  await page.evaluate((forged) => { // from the shop's own page, and from a foreign frame
    window.postMessage(forged, '*');
    const frame = document.createElement('iframe');
    frame.srcdoc = `<script>parent.postMessage(${JSON.stringify(forged)}, '*')</script>`;
    document.body.append(frame);
  }, forged);
  const inside = await (await page.locator('iframe.imp-frame').elementHandle()).contentFrame();
  await inside.evaluate((forged) => window.parent.postMessage(forged, '*'), forged); // right origin and source, wrong nonce
  await page.waitForTimeout(300);
  assert.deepEqual(await page.evaluate(() => window.answers), []);
  assert.equal(await page.locator('.imp-dialog').count(), 1);
});

story('a second payment while a window is open is refused', async () => {
  await enter();
  await buy(page, order());
  await windowOf(page).locator('#pay').waitFor();
  const second = await page.evaluate((params) => new Promise((done) => { window.IMP.request_pay(params, done); }), order());
  assert.equal(second.error_code, 'WINDOW_OPEN');
  assert.deepEqual(await page.evaluate(() => window.answers), []);
  await page.locator('.imp-close').click();
  assert.equal((await answered(page)).error_code, 'USER_CANCEL');
});

story('a server that cannot be reached', async () => {
  await enter();
  await page.route('**/pay/v1/open', (route) => route.abort());
  await buy(page, order());
  const answer = await answered(page);
  assert.deepEqual([answer.success, answer.error_code], [false, 'NETWORK']);
});

story('without a callback the answer goes to the redirect address, or to an alert', async () => {
  await enter();
  await page.evaluate(({ code, params }) => { window.IMP.init(code); window.IMP.request_pay(params); }, { code, params: order({ amount: 0, m_redirect_url: `${shop.url}/back?a=1` }) });
  await page.waitForURL(`${shop.url}/back**`);
  const query = new URL(page.url()).searchParams;
  assert.deepEqual([query.get('a'), query.get('imp_success'), query.get('error_code')], ['1', 'false', 'INVALID_REQUEST']);

  await page.goto(shop.url);
  await page.evaluate(({ code, params }) => { window.IMP.init(code); window.IMP.request_pay(params); }, { code, params: order({ amount: 0 }) });
  await page.waitForTimeout(500);
  assert.match(page.said.at(-1), /amount/);
});

story('a phone without a redirect address gets the layer over the whole screen', async () => {
  await enter(phone);
  await buy(page, order());
  await windowOf(page).locator('#pay').waitFor();
  assert.ok(await page.evaluate(() => document.body.classList.contains('imp-payment-progress')));
  await fillsPhone(page);
  await page.locator('.imp-close').click();
  await answered(page);
  assert.equal(await page.evaluate(() => document.body.classList.contains('imp-payment-progress')), false);
});

story('the layer has the names that shops style', async () => {
  await enter();
  await buy(page, order());
  assert.equal(await page.locator('div.imp-dialog.customizable > .imp-frame').count(), 1);
  assert.equal(await page.locator('div.imp-dialog.customizable > .imp-header > .imp-close').count(), 1);
});

story('the window refuses to be framed by another page', async () => {
  await enter();
  await buy(page, order());
  await windowOf(page).locator('#pay').waitFor();
  const address = await page.locator('iframe.imp-frame').getAttribute('src');
  const other = await openShop();
  try {
    const thief = await context.newPage();
    await thief.goto(other.url);
    await thief.evaluate((address) => { const f = document.createElement('iframe'); f.src = address; document.body.append(f); }, address);
    await thief.waitForTimeout(500);
    assert.equal(await thief.frameLocator('iframe').locator('#pay').count(), 0);
  } finally {
    other.close();
  }
  assert.ok(address.startsWith(`${holdfast}/pay/`));
});
