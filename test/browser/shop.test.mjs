// A whole purchase in the example shop, as it stands: its own server with the unmodified
// PortOne V1 client, its own pages, and our script.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before } from 'node:test';
import { choose, code, desktop, done, holdfast, launch, looksRight, phone, picture, story, windowOf } from './stage.mjs';

const folder = fileURLToPath(new URL('../../examples/shop/', import.meta.url));
let browser, context, page, shop, url;

before(async () => {
  const port = await freePort();
  url = `http://localhost:${port}`; // another site than Holdfast's 127.0.0.1
  shop = spawn(process.execPath, ['server.mjs'], {
    cwd: folder, stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', SHOP_URL: url, HOLDFAST_URL: holdfast, IMP_CODE: code },
  });
  await new Promise((ready, failed) => { shop.stdout.once('data', ready); shop.once('exit', () => failed(new Error('the shop did not start'))); });
  browser = await launch();
});
after(async () => { await browser?.close(); shop?.kill(); });
afterEach(async () => { await context?.close(); });

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function orderCup(options, pay = true) {
  context = await browser.newContext({ ...options, locale: 'ko-KR' });
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(url);
  await page.locator('.goods .button').first().click();
  await page.locator('#example').click();
  await page.locator('[name=method][value=vbank]').check();
  await page.locator('[name=escrow]').check();
  await page.locator('#checkout button.wide').click();
  if (pay) await page.locator('#pay:enabled').click();
}

// orderByV2 goes to the page of PortOne V2 instead.
async function orderByV2(options) {
  await orderCup(options, false);
  await page.locator('a[href$="/pay-v2"]').click();
  await page.locator('#pay:enabled').click();
}

const state = () => page.locator('#state').getAttribute('data-state');

// until reloads the order page until it has a state, as an impatient buyer does.
async function until(wanted) {
  for (let tries = 0; tries < 40; tries++) {
    if (await state() === wanted) return;
    await page.waitForTimeout(250);
    await page.reload();
  }
  assert.equal(await state(), wanted);
}

async function deposit() {
  const number = (await page.locator('#account').textContent()).trim();
  const reply = await fetch(`${process.env.BANK_URL}/deposit?number=${number}`, { method: 'POST' });
  assert.equal(reply.status, 200, await reply.text());
}

story('an escrow purchase on a computer, from the shelf to the parcel', async () => {
  await orderCup(desktop);
  await windowOf(page).locator('#pay').waitFor();
  await picture(page, 'shop-window-1280');
  await choose(windowOf(page));
  await windowOf(page).locator('#account').waitFor();
  await done(page);
  await page.locator('#state').waitFor();
  assert.equal(await state(), 'Ready');
  await deposit();
  await until('Paid'); // the shop heard of it by webhook and read the payment
  await picture(page, 'shop-paid-1280');

  const order = page.url();
  await page.goto(`${url}/admin`);
  await page.locator('[name=invoice]').first().fill('123456789012');
  await page.locator('form[action$="/delivery"] button').first().click();
  await page.goto(order);
  assert.equal(await state(), 'Shipped');
});

story('an escrow purchase on a phone', async () => {
  await orderCup(phone);
  await page.waitForURL(`${holdfast}/pay/**`);
  await looksRight(page, 'choose');
  await choose(page);
  await page.locator('#done').click();
  await page.locator('#state').waitFor();
  assert.ok(page.url().startsWith(`${url}/orders/`));
  assert.equal(await state(), 'Ready');
  await deposit();
  await until('Paid');
});

story('a buyer who gives up can try again', async () => {
  await orderCup(desktop);
  await windowOf(page).locator('#pay').waitFor();
  await page.locator('.imp-close').click();
  await page.locator('#state').waitFor();
  assert.equal(await state(), 'Failed');
  await page.locator('a[href$="/pay"]').click();
  await page.locator('#pay:enabled').click();
  await choose(windowOf(page), { method: 'trans' });
  await windowOf(page).locator('#approve').click();
  await page.locator('#state').waitFor();
  assert.equal(await state(), 'Paid');
});

story('an escrow purchase by PortOne V2 on a computer, read by its REST API', async () => {
  await orderByV2(desktop);
  await windowOf(page, 'portone').locator('#pay').waitFor();
  await picture(page, 'shop-v2-window-1280');
  await choose(windowOf(page, 'portone'));
  await windowOf(page, 'portone').locator('#account').waitFor();
  await done(page, 'portone');
  await page.locator('#state').waitFor();
  assert.equal(await state(), 'Ready');
  await deposit();
  await until('Paid'); // by the webhook of V2
  await looksRight(page, 'the paid order');
  await picture(page, 'shop-v2-paid-1280');
  await page.goto(`${url}/admin`);
  assert.match(await page.locator('#webhooks').textContent(), /Transaction\.Paid/);
});

story('a purchase by PortOne V2 on a phone, given up and tried again', async () => {
  await orderByV2(phone);
  await page.waitForURL(`${holdfast}/pay/**`);
  await page.locator('form[action$="/cancel"] button').click();
  await page.locator('#state').waitFor();
  assert.equal(await state(), 'Failed');
  await page.locator('a[href$="/pay"]').click();
  await page.locator('a[href$="/pay-v2"]').click();
  await looksRight(page, 'the payment page');
  await picture(page, 'shop-v2-pay-360');
  await page.locator('#pay:enabled').click();
  await page.waitForURL(`${holdfast}/pay/**`);
  await choose(page);
  await page.locator('#done').click();
  await page.locator('#state').waitFor();
  assert.equal(await state(), 'Ready');
  await deposit();
  await until('Paid');
});
