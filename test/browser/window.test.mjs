// The payment window as a buyer meets it, from a shop's page on another site.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { answered, buy, choose, code, desktop, done, holdfast, launch, looksRight, newOrder, openShop, order, phone, picture, story, windowOf } from './stage.mjs';

let browser, shop, context, page;
before(async () => { [browser, shop] = await Promise.all([launch(), openShop()]); });
after(async () => { await browser?.close(); shop?.close(); });
afterEach(async () => { await context?.close(); });

async function enter(options = desktop) {
  context = await browser.newContext({ ...options, locale: 'ko-KR' });
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  page.on('dialog', (dialog) => { page.said = dialog.message(); dialog.dismiss(); });
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('console', (line) => { if (line.type() === 'error') page.faults.push(line.text()); });
  await page.goto(shop.url);
}

// frame is the window's frame itself, for what a locator cannot do.
const frame = async () => (await page.locator('iframe.imp-frame').elementHandle()).contentFrame();

story('a virtual account on a computer', async () => {
  await enter();
  const params = order({ vbank_due: '2099-12-31' });
  delete params.vbank_due;
  await buy(page, params);
  const pay = windowOf(page);
  await pay.locator('#pay').waitFor();
  assert.equal(await pay.locator('[name=method]:checked').inputValue(), 'vbank', 'the method that was asked for is chosen');
  assert.equal(await pay.locator('[name=escrow]').isChecked(), false, 'the buyer is not talked into an escrow');
  await looksRight(await frame(), 'choose');
  await picture(page, 'choose-1280');
  await choose(pay, { escrow: true });
  const number = (await pay.locator('#account').textContent()).trim();
  assert.match(number, /^\d{10,16}$/);
  await pay.locator('#left').waitFor({ state: 'visible' });
  assert.match(await pay.locator('#left').textContent(), /^\d일 \d\d:\d\d:\d\d$/);
  await looksRight(await frame(), 'account');
  await picture(page, 'account-1280');
  await done(page);
  const answer = await answered(page);
  assert.equal(answer.success, true);
  assert.equal('error_code' in answer, false, 'new shop code takes any error_code for a failure');
  assert.match(answer.imp_uid, /^imp_\d{12}$/);
  assert.deepEqual([answer.merchant_uid, answer.status, answer.pay_method, answer.paid_amount, answer.escrow], [params.merchant_uid, 'ready', 'vbank', 39000, true]);
  assert.deepEqual([answer.vbank_num, answer.vbank_name, answer.buyer_name, answer.pg_type], [number, '신한은행', '홍길동', 'payment']);
  assert.match(answer.vbank_date, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assert.deepEqual(answer.custom_data, { note: '선물 포장' });
  assert.deepEqual(await context.cookies(), [], 'no cookies, of any site');
  assert.deepEqual(page.faults, []);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'buy', 'the focus returns to the shop');
});

story('the account number is copied', async () => {
  await enter();
  for (const origin of [holdfast, shop.url]) await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  await buy(page, order());
  const pay = windowOf(page);
  await choose(pay);
  await pay.locator('[data-copy]').click();
  await pay.getByText('복사되었습니다').waitFor();
  await page.locator('.imp-close').focus();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, (await pay.locator('#account').textContent()).trim());
});

story('a virtual account on a phone', async () => {
  await enter(phone);
  await buy(page, order({ escrow: true, m_redirect_url: `${shop.url}/back?keep=a%20b&keep=2` }));
  await page.waitForURL(`${holdfast}/pay/**`);
  await looksRight(page, 'choose on a phone');
  await picture(page, 'choose-360');
  await page.locator('.escrow').scrollIntoViewIfNeeded();
  await picture(page, 'choose-360-escrow');
  await choose(page, { bank: '004' });
  await page.locator('#account').waitFor();
  await looksRight(page, 'account on a phone');
  await page.screenshot({ path: `${process.env.ARTEFACTS}/pay-account-360.png`, fullPage: true });
  await page.locator('#done').click();
  await page.waitForURL(`${shop.url}/back**`);
  const query = new URL(page.url()).searchParams;
  assert.deepEqual(query.getAll('keep'), ['a b', '2'], "the shop's own query is kept");
  assert.equal(query.get('imp_success'), 'true');
  assert.match(query.get('imp_uid'), /^imp_\d{12}$/);
  assert.equal(query.has('error_code') || query.has('error_msg'), false);
});

for (const method of ['trans', 'card']) {
  story(`${method} is approved`, async () => {
    await enter();
    await buy(page, order({ pay_method: method }));
    const pay = windowOf(page);
    await choose(pay, { method, escrow: method === 'trans' });
    await pay.locator('#approve').waitFor();
    await looksRight(await frame(), 'approve');
    await picture(page, `approve-${method}-1280`);
    const [decline, back] = [await pay.locator('#decline').boundingBox(), await pay.locator('.simulated > .links').boundingBox()];
    assert.ok(back.y - decline.y - decline.height >= 12, 'the way back sticks to the button');
    await pay.locator('#approve').click();
    const answer = await answered(page);
    assert.deepEqual([answer.success, answer.status, answer.pay_method, answer.escrow], [true, 'paid', method, method === 'trans']);
    assert.ok(answer.apply_num && answer.paid_at > 0);
    assert.equal(method === 'trans' ? answer.bank_name : answer.card_name, method === 'trans' ? '신한은행' : '신한카드');
  });
}

story('a card is declined', async () => {
  await enter();
  await buy(page, order({ pay_method: 'card' }));
  const pay = windowOf(page);
  await choose(pay, { method: 'card' });
  await pay.locator('#decline').click();
  const answer = await answered(page);
  assert.deepEqual([answer.success, answer.error_code], [false, 'DECLINED']);
  assert.match(answer.error_msg, /거절/);
  assert.match(answer.imp_uid, /^imp_/);
});

story('a card on a phone, declined and approved', async () => {
  await enter(phone);
  const params = order({ pay_method: 'card', m_redirect_url: `${shop.url}/back` });
  await buy(page, params);
  await page.waitForURL(`${holdfast}/pay/**`);
  await choose(page, { method: 'card' });
  await page.locator('#decline').waitFor();
  await looksRight(page, 'approve on a phone');
  await picture(page, 'approve-card-360');
  await page.locator('#decline').click();
  await page.waitForURL(`${shop.url}/back**`);
  assert.equal(new URL(page.url()).searchParams.get('imp_success'), 'false');
  assert.ok(new URL(page.url()).searchParams.get('error_msg'));

  await page.goto(shop.url);
  await buy(page, params); // the same order, tried again
  await page.waitForURL(`${holdfast}/pay/**`);
  await choose(page, { method: 'card' });
  await page.locator('#approve').click();
  await page.waitForURL(`${shop.url}/back**`);
  assert.equal(new URL(page.url()).searchParams.get('imp_success'), 'true');

  await page.goto(shop.url);
  await buy(page, params); // and once more, though it is paid
  const refused = await answered(page);
  assert.deepEqual([refused.success, refused.error_code, refused.imp_uid], [false, 'ALREADY_PAID', null]);
});

story('the window is closed from outside and from inside', async () => {
  await enter();
  await buy(page, order());
  await windowOf(page).locator('#pay').waitFor();
  await page.locator('.imp-close').click();
  let answer = await answered(page);
  assert.deepEqual([answer.success, answer.error_code, answer.error_msg], [false, 'USER_CANCEL', '사용자가 결제를 취소하셨습니다']);

  await buy(page, order());
  await windowOf(page).getByRole('button', { name: '결제 취소' }).click();
  answer = await answered(page);
  assert.equal(answer.error_code, 'USER_CANCEL');

  await buy(page, order());
  await windowOf(page).locator('#pay').waitFor();
  await page.evaluate(() => window.IMP.close());
  assert.equal((await answered(page)).error_code, 'USER_CANCEL');

  await buy(page, order());
  await choose(windowOf(page));
  await windowOf(page).locator('#account').waitFor();
  await page.locator('.imp-close').click();
  answer = await answered(page);
  assert.deepEqual([answer.success, answer.status], [true, 'ready'], 'an account that was issued stays issued');
});

story('a double click pays once', async () => {
  await enter();
  await buy(page, order());
  const pay = windowOf(page);
  await pay.locator('#bank').selectOption('088');
  await pay.locator('[name=agree]').check();
  await pay.locator('#pay').dblclick();
  const number = (await pay.locator('#account').textContent()).trim();
  await pay.locator('#done').dblclick();
  assert.equal((await answered(page)).vbank_num, number);
});

story('a double click on the shop\'s button opens one window', async () => {
  await enter();
  await page.evaluate(({ params, code }) => {
    window.answers = [];
    window.IMP.init(code);
    document.getElementById('buy').onclick = () => window.IMP.request_pay(params, (answer) => window.answers.push(answer));
  }, { params: order(), code });
  await page.dblclick('#buy', { force: true });
  await windowOf(page).locator('#pay').waitFor();
  assert.equal(await page.locator('.imp-dialog').count(), 1);
});

story('the back button shows the payment as it stands', async () => {
  await enter(phone);
  await buy(page, order({ pay_method: 'card', m_redirect_url: `${shop.url}/back` }));
  await page.waitForURL(`${holdfast}/pay/**`);
  await choose(page, { method: 'card' });
  await page.locator('#approve').waitFor();
  await page.goBack();
  await page.locator('#pay').waitFor();
  await choose(page, { method: 'vbank', bank: '081' });
  await page.locator('#account').waitFor();
  const number = await page.locator('#account').textContent();
  await page.goBack();
  await page.waitForLoadState();
  await page.reload();
  assert.equal(await page.locator('#account').textContent(), number, 'the choice is made; going back does not unmake it');
});

story('an escrow needs the consent of the buyer', async () => {
  await enter();
  await buy(page, order());
  const pay = windowOf(page);
  await pay.locator('#bank').selectOption('088');
  assert.equal(await pay.locator('[name=consent]').isVisible(), false, 'no consent is asked for what was not chosen');
  await pay.locator('[name=escrow]').check();
  assert.equal(await pay.locator('[name=consent]').isChecked(), false, 'consent is never given beforehand');
  await pay.locator('[name=agree]').check();
  await pay.locator('#pay').click();
  await pay.locator('#fault-consent').waitFor();
  await looksRight(await frame(), 'choose with a fault');
  await picture(page, 'choose-fault-1280');
  assert.equal(await (await frame()).evaluate(() => document.activeElement.name), 'consent');
  await pay.locator('[name=consent]').check();
  await pay.locator('#pay').click();
  await done(page);
  assert.equal((await answered(page)).escrow, true);
});

story('a card shows why there is no escrow', async () => {
  await enter();
  await buy(page, order());
  const pay = windowOf(page);
  await pay.locator('[name=method][value=card]').check();
  assert.equal(await pay.locator('.card-only').isVisible(), true);
  assert.equal(await pay.locator('[name=escrow]').isVisible(), false);
  assert.equal(await pay.locator('#bank').isVisible(), false);
  await picture(page, 'choose-card-1280');
});

story('an amount other than the registered one opens no window', async () => {
  await enter();
  const prepared = newOrder();
  const token = (await (await fetch(`${holdfast}/users/getToken`, { method: 'POST', body: JSON.stringify({ imp_key: process.env.IMP_KEY, imp_secret: process.env.IMP_SECRET }) })).json()).response.access_token;
  await fetch(`${holdfast}/payments/prepare`, { method: 'POST', headers: { authorization: token }, body: JSON.stringify({ merchant_uid: prepared, amount: 39000 }) });
  await buy(page, order({ merchant_uid: prepared, amount: 1 }));
  const answer = await answered(page);
  assert.deepEqual([answer.success, answer.imp_uid, answer.error_code], [false, null, 'AMOUNT_NOT_AS_PREPARED']);
  assert.match(answer.error_msg, /amount/);
});

story('names are text', async () => {
  await enter();
  const evil = '<img src=x onerror="alert(1)">';
  await buy(page, order({ name: evil, buyer_name: '<b>x</b>' }));
  await windowOf(page).locator('.order-name').waitFor();
  assert.equal((await windowOf(page).locator('.order-name').textContent()).trim(), evil);
  assert.equal(page.said, undefined, 'a script ran');
});

story('a long name keeps its place', async () => {
  await enter(phone);
  await buy(page, order({ name: 'W'.repeat(900), amount: 9_999_999_999, m_redirect_url: `${shop.url}/back` }));
  await page.waitForURL(`${holdfast}/pay/**`);
  await looksRight(page, 'a long name');
  await picture(page, 'choose-long-360');
});

story('English', async () => {
  await enter(phone);
  await buy(page, order({ language: 'en', escrow: true, m_redirect_url: `${shop.url}/back` }));
  await page.waitForURL(`${holdfast}/pay/**`);
  await page.getByText('Buyer protection (escrow)').waitFor();
  await looksRight(page, 'choose in English');
  await page.screenshot({ path: `${process.env.ARTEFACTS}/pay-choose-en-360.png`, fullPage: true });
  await choose(page);
  await page.getByText('Please transfer to this account').waitFor();
  await looksRight(page, 'account in English');
  await page.screenshot({ path: `${process.env.ARTEFACTS}/pay-account-en-360.png`, fullPage: true });
});

story('in the dark', async () => {
  await enter({ ...phone, colorScheme: 'dark' });
  await buy(page, order({ escrow: true, m_redirect_url: `${shop.url}/back` }));
  await page.waitForURL(`${holdfast}/pay/**`);
  await looksRight(page, 'choose in the dark');
  await page.screenshot({ path: `${process.env.ARTEFACTS}/pay-choose-dark-360.png`, fullPage: true });
  await choose(page);
  await page.locator('#account').waitFor();
  await looksRight(page, 'account in the dark');
  await page.screenshot({ path: `${process.env.ARTEFACTS}/pay-account-dark-360.png`, fullPage: true });
});

story('the window works without scripts', async () => {
  const reply = await fetch(`${holdfast}/pay/v1/open`, { method: 'POST', headers: { origin: shop.url }, body: JSON.stringify({ code, nonce: 'n', redirect: true, params: order({ m_redirect_url: `${shop.url}/back` }) }) });
  const { url } = await reply.json();
  context = await browser.newContext({ ...phone, javaScriptEnabled: false });
  page = await context.newPage();
  await page.goto(holdfast + url);
  await choose(page, { escrow: true });
  await page.locator('#account').waitFor();
  await page.locator('#done').click();
  await page.waitForURL(`${shop.url}/back**`);
  assert.equal(new URL(page.url()).searchParams.get('imp_success'), 'true');
});

story('a window opened by hand, and one that never was', async () => {
  const reply = await fetch(`${holdfast}/pay/v1/open`, { method: 'POST', headers: { origin: shop.url }, body: JSON.stringify({ code, nonce: 'n', params: order({ pay_method: 'card' }) }) });
  const { url } = await reply.json();
  context = await browser.newContext(phone);
  page = await context.newPage();
  await page.goto(holdfast + url);
  await choose(page, { method: 'card' });
  await page.locator('#approve').click();
  await page.getByText('이 창을 닫고 상점으로').waitFor();
  await looksRight(page, 'result');
  await picture(page, 'result-360');
  await page.goto(`${holdfast}/pay/nothing.here`);
  await looksRight(page, 'lost');
  await picture(page, 'lost-360');
});

story('the keyboard is enough', async () => {
  await enter();
  await buy(page, order());
  const pay = windowOf(page);
  await pay.locator('#bank').focus();
  await page.keyboard.type('신한');
  await pay.locator('#bank').selectOption('088');
  await pay.locator('[name=agree]').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await pay.locator('#done').focus();
  page.keyboard.press('Enter').catch(() => {}); // the window goes away under the key
  assert.equal((await answered(page)).status, 'ready');
});

story('the terms can be read', async () => {
  await enter(phone);
  await page.goto(`${holdfast}/pay/terms`);
  await looksRight(page, 'terms');
  await picture(page, 'terms-360');
});
