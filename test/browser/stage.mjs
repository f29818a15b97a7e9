// What every story needs: a browser, a small shop page on another site than Holdfast, and the
// acts of a buyer.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

export const holdfast = need('HOLDFAST_URL');
export const code = need('IMP_CODE');
const artefacts = need('ARTEFACTS');
mkdirSync(artefacts, { recursive: true });

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these stories are started by browser_test.go`);
  return value;
}

// story is a test that cannot hang.
export const story = (name, tell) => test(name, { timeout: 60_000 }, tell);

export const phone = {
  viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true,
  userAgent: 'Mozilla/5.0 (Linux; Android 15; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36',
};
export const desktop = { viewport: { width: 1280, height: 860 } };

// launch starts Chromium as a buyer has it, with cookies of other sites blocked.
export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--test-third-party-cookie-phaseout'] });
}

// loader is PortOne's own npm package for V2, as it is published.
const loader = readFileSync(new URL('node_modules/@portone/browser-sdk/dist/v2.js', import.meta.url));

// openShop serves one page that loads the script, or none, and leaves the rest to the story.
// localhost is another site than 127.0.0.1, where Holdfast listens. Its policy allows Holdfast and
// nothing beyond it. /portone.js is the package of the shop's own bundle.
export async function openShop(script = '/v1/iamport.js', early = '') {
  const policy = `default-src 'none'; script-src 'self' ${holdfast} 'unsafe-inline'; connect-src ${holdfast}; frame-src ${holdfast}; form-action 'self'; style-src 'none'; img-src 'self'`;
  const page = `<!doctype html><html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>shop</title>
${script && `<script src="${holdfast}${script}"></script>`}<script>${early}</script></head><body><h1>상점</h1><button id="buy">구매</button></body></html>`;
  const server = createServer((req, res) => {
    if (req.url === '/portone.js') { res.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }); res.end(loader); return; }
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy });
    res.end(req.url.startsWith('/back') ? '<!doctype html><title>back</title><h1>주문 결과</h1>' : page);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://localhost:${server.address().port}`, close: () => { server.close(); server.closeAllConnections(); } };
}

let orders = 0;
export const newOrder = () => `order-${process.pid}-${++orders}`;

export function order(change = {}) {
  return {
    pay_method: 'vbank', merchant_uid: newOrder(), name: '백자 찻잔 두 점', amount: 39000, currency: 'KRW',
    buyer_name: '홍길동', buyer_email: 'buyer@example.com', buyer_tel: '010-1234-5678', buyer_addr: '서울특별시 종로구 세종대로 1', buyer_postcode: '03154',
    custom_data: { note: '선물 포장' }, unknown_key: { ignored: true }, ...change,
  };
}

// buy presses the shop's button and returns a promise of what the callback gets, wrapped so
// that it can be awaited later.
export async function buy(page, params) {
  await page.evaluate(({ params, code }) => {
    window.answers = [];
    window.IMP.init(code);
    document.getElementById('buy').onclick = () => window.IMP.request_pay(params, (answer) => window.answers.push(answer));
  }, { params, code });
  await page.click('#buy');
}

export async function answered(page) {
  await page.waitForFunction(() => window.answers.length > 0);
  const answers = await page.evaluate(() => window.answers);
  assert.equal(answers.length, 1, 'the callback runs once');
  assert.equal(await page.locator('.imp-dialog').count(), 0, 'the layer is gone');
  return answers[0];
}

// windowOf is the payment window in its layer.
export const windowOf = (page, prefix = 'imp') => page.frameLocator(`.${prefix}-dialog iframe.${prefix}-frame`);

export async function choose(pay, { method = 'vbank', bank = '088', escrow = false } = {}) {
  const chosen = pay.locator(`[name=method][value=${method}]`);
  if (await chosen.getAttribute('type') === 'radio') await chosen.check(); // a single method is no choice
  if (method !== 'card') await pay.locator('#bank').selectOption(bank);
  if (escrow) await pay.locator('[name=escrow]').check();
  if (escrow || await pay.locator('form.fixed').count()) await pay.locator('[name=consent]').check();
  await pay.locator('[name=agree]').check();
  await pay.locator('#pay').click();
}

// fillsPhone checks the layer on a phone of 360 x 740: the way out has a bar above the window, which
// takes the rest, offers no second way out beside it and leaves its own head whole.
export async function fillsPhone(page, prefix = 'imp') {
  const [button, frame] = [await page.locator(`.${prefix}-close`).boundingBox(), await page.locator(`iframe.${prefix}-frame`).boundingBox()];
  assert.deepEqual([frame.x, frame.width, frame.y + frame.height], [0, 360, 740]);
  assert.ok(button.y + button.height <= frame.y && frame.y < 60, `the button ends at ${button.y + button.height}, the window begins at ${frame.y}`);
  const pay = windowOf(page, prefix);
  assert.equal(await pay.locator('.window-head button').isVisible(), false);
  assert.ok(await pay.locator('.window-head .owner').evaluate((one) => one.scrollWidth <= one.clientWidth), 'the head is cut');
}

// done presses the window's last button. The window goes away under the finger, and what the
// driver makes of that does not matter.
export async function done(page, prefix = 'imp') {
  windowOf(page, prefix).locator('#done').click().catch(() => {});
  await page.locator(`.${prefix}-dialog`).waitFor({ state: 'detached' });
}

export async function picture(page, name) {
  await page.screenshot({ path: join(artefacts, `pay-${name}.png`) });
}

// looksRight checks what a picture cannot: nothing wider than the screen, and axe's rules.
// Where is a page or a frame.
export async function looksRight(where, name) {
  const over = await where.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than its screen`);
  const found = await where.evaluate(async (source) => {
    // The page's policy forbids further scripts; the tool is brought in from outside the page.
    (0, eval)(source);
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
  }, axe.source).catch((error) => [`axe did not run: ${error.message}`]);
  assert.deepEqual(found, [], name);
}
