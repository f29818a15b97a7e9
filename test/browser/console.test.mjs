// The console's page of endpoints and its log of calls, as the shop's staff sees it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before } from 'node:test';
import { desktop, holdfast, launch, looksRight, newOrder, phone, picture, story } from './stage.mjs';

let browser, context, page, receiver, url;
const well = '/hooks/orders'; // what the receiver takes; all else it refuses

before(async () => {
  browser = await launch();
  receiver = createServer((req, res) => {
    req.resume();
    res.writeHead(req.url === well ? 200 : 500, { 'content-type': 'text/plain; charset=utf-8' });
    res.end(req.url === well ? '' : `${'nothing-breaks-this-word'.repeat(20)} <b>주문을 찾을 수 없습니다</b>`);
  });
  await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${receiver.address().port}`;
  for (const settings of [{ url: url + well }, { url: `${url}/${'a-long-way/'.repeat(30)}`, ordered: true, retrySchedule: ['1h'] }]) {
    await api('endpoints', { ...settings, events: ['Transaction.*', 'Escrow.*'] });
  }
  const { id } = await api('endpoints', { url: `${url}/off` });
  await api(`endpoints/${id}/rotate-secret`);
  await api(`endpoints/${id}/off`);
  await order();
});
after(async () => { await browser?.close(); receiver?.close(); receiver?.closeAllConnections(); });
afterEach(async () => { await context?.close(); });

// call makes a call of the shop's server.
async function call(path, authorization, body = {}) {
  const reply = await fetch(holdfast + path, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const text = await reply.text();
  assert.equal(reply.status, 200, `${path}: ${text}`);
  return JSON.parse(text);
}

const api = (path, body) => call(`/holdfast/v1/${path}`, `PortOne ${process.env.API_SECRET}`, body);

// order opens an escrow, which the endpoints are told.
async function order() {
  const { response } = await call('/users/getToken', '', { imp_key: process.env.IMP_KEY, imp_secret: process.env.IMP_SECRET });
  await call('/sandbox/payments', response.access_token, { merchant_uid: newOrder(), pay_method: 'vbank', amount: 39000, name: '백자 찻잔', escrow: true });
}

async function enter(device, locale) {
  context = await browser.newContext({ ...device, locale });
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  await page.goto(`${holdfast}/console/webhooks`);
  await page.locator('#email').fill(process.env.CONSOLE_EMAIL);
  await page.locator('#password').fill(process.env.CONSOLE_PASSWORD);
  await page.locator('form[action="/console/sign-in"] button').click();
  await page.waitForURL(`${holdfast}/console/webhooks`);
}

const add = () => page.locator('form[action="/console/endpoints"]');

// fitsPhone checks that nothing of a call is beyond the edge, and that the acts of an endpoint share rows.
async function fitsPhone() {
  await page.locator('.calls').scrollIntoViewIfNeeded();
  assert.ok(await page.locator('.calls').evaluate((one) => one.scrollWidth <= one.clientWidth), 'a call is cut');
  const tops = await page.locator('section .buttons').first().locator('button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
  assert.ok(new Set(tops).size < tops.length, 'every act has a row of its own');
}

// refusedCall reloads the page of a call until it shows an attempt that was refused.
async function refusedCall() {
  const refused = page.locator('pre', { hasText: 'nothing-breaks-this-word' });
  for (let tries = 0; tries < 40 && await refused.count() === 0; tries++) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  assert.equal(await refused.count(), 1, 'the refused attempt is shown with its answer');
  assert.equal(await page.locator('pre b').count(), 0, 'an answer is text');
}

for (const [name, device] of [['1280', desktop], ['360', phone]]) {
  for (const [lang, locale, off] of [['ko', 'ko-KR', '중지됨'], ['en', 'en-US', 'off']]) {
    story(`endpoints and their calls in ${lang}, ${name} px wide`, async () => {
      await enter(device, locale);
      assert.equal(await page.locator('html').getAttribute('lang'), lang);
      assert.equal(await page.getByText(off, { exact: true }).count(), 1);
      await looksRight(page, 'endpoints');
      await picture(page, `console-endpoints-${lang}-${name}`);
      if (device === phone) {
        await fitsPhone();
        await picture(page, `console-calls-${lang}-${name}`);
      }

      await page.locator('details summary').click();
      await looksRight(page, 'a new endpoint');
      await add().locator('[name=url]').fill(`${url}/new-${lang}-${name}`);
      await add().locator('[name=escrow]').check();
      await add().locator('button').click();
      await page.getByText(/^whsec_/).waitFor();
      await looksRight(page, 'the secret of a new endpoint');
      await picture(page, `console-secret-${lang}-${name}`);

      await page.goto(`${holdfast}/console/webhooks`);
      await page.locator('details summary').click();
      await add().locator('[name=url]').fill('ftp://shop.example/');
      await add().locator('button').click();
      await page.locator('[role=alert]').waitFor();
      await looksRight(page, 'an endpoint that is refused');

      for (const state of ['failed', 'pending']) {
        await page.goto(`${holdfast}/console/webhooks?state=${state}`);
        await looksRight(page, `calls that are ${state}`);
        await picture(page, `console-${state}-${lang}-${name}`);
      }
      await page.locator('a[href^="/console/webhooks/"]').last().click(); // the first step; the others wait for it
      await refusedCall();
      await looksRight(page, 'a call with its attempts');
      await picture(page, `console-call-${lang}-${name}`);
    });
  }
}
