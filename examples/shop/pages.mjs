// The pages, as functions from values to HTML. The tag `html` escapes every value that is not
// itself HTML made by it.
import { findGood } from './goods.mjs';
import { stateOf } from './orders.mjs';

class Html {
  constructor(text) { this.text = text; }
  toString() { return this.text; }
}

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const shown = (value) => {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(shown).join('');
  if (value === null || value === undefined || value === false) return '';
  return String(value).replace(/[&<>"']/g, (c) => escapes[c]);
};
const html = (parts, ...values) => new Html(parts.reduce((text, part, i) => text + shown(values[i - 1]) + part));

const money = (view, amount) => `${amount.toLocaleString('ko-KR')}${view.t.won}`;
const moment = (view, at) => at ? new Date(at).toLocaleString(view.lang === 'ko' ? 'ko-KR' : 'en-GB', { timeZone: 'Asia/Seoul', year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }) : '';

// The couriers that a shop keeper chooses from: PortOne's codes and the names people know.
const carriers = [
  ['CJGLS', { ko: 'CJ대한통운', en: 'CJ Logistics' }], ['HANJIN', { ko: '한진택배', en: 'Hanjin Express' }], ['HYUNDAI', { ko: '롯데택배', en: 'Lotte Global Logistics' }],
  ['EPOST', { ko: '우체국택배', en: 'Korea Post' }], ['LOGEN', { ko: '로젠택배', en: 'Logen' }], ['ETC', { ko: '기타 / 직접 배송', en: 'Other, or own delivery' }],
];

function layout(view, title, body, { scripts = [] } = {}) {
  const { t } = view;
  const other = view.lang === 'ko' ? 'en' : 'ko';
  return String(html`<!doctype html>
<html lang="${view.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${t.shop}</title>
<link rel="icon" href="/cup.svg">
<link rel="stylesheet" href="/style.css">
${scripts.map((src) => html`<script src="${src}" defer></script>
`)}</head>
<body>
<header class="top">
  <a class="brand" href="/">${t.shop}</a>
  <nav><a href="${view.path}?lang=${other}" lang="${other}">${t.otherLanguage}</a></nav>
</header>
<main>
${body}
</main>
<footer>
  <p>${t.example}</p>
  <p><a href="/">${t.home}</a> · <a href="/admin">${t.admin}</a></p>
</footer>
</body>
</html>
`);
}

// escrowDuty is the notice that Korean law asks of a shop, on its start page and where the
// buyer chooses how to pay: that escrow may be chosen, by whom, and where to verify it.
function escrowDuty({ t, config }) {
  return html`<aside class="duty">
  <h2>${t.escrowTitle}</h2>
  <p>${t.escrowBody}</p>
  <p>${t.escrowProvider}: <b>${config.escrowProvider}</b> · <a href="${config.verifyUrl}" target="_blank" rel="noopener">${t.escrowVerify}</a></p>
</aside>`;
}

export function home(view, list) {
  const { t, lang } = view;
  return layout(view, t.home, html`
<p class="lead">${t.tagline}</p>
<ul class="goods">
${list.map((good) => html`<li class="card">
  <img src="/${good.id}.svg" alt="" width="320" height="200">
  <div class="text">
    <h2>${good.name[lang]} ${good.digital && html`<span class="tag">${t.digital}</span>`}</h2>
    <p>${good.note[lang]}</p>
    <p class="buy"><b>${money(view, good.price)}</b>
      ${good.left > 0 ? html`<a class="button" href="/checkout/${good.id}">${t.buy}</a>` : html`<span class="tag">${t.soldOut}</span>`}</p>
  </div>
</li>`)}
</ul>
${escrowDuty(view)}`);
}

export function checkout(view, good, given, wrong) {
  const { t, lang } = view;
  const complaint = (key) => wrong[key] && html`<small class="wrong" id="wrong-${key}">${wrong[key]}</small>`;
  const field = (key, type, complete) => html`<label>${t[key]}
  <input name="${key}" type="${type}" value="${given[key] ?? ''}" autocomplete="${complete}" ${wrong[key] && html`aria-invalid="true" aria-describedby="wrong-${key}"`}>
  ${complaint(key)}</label>`;
  const chosen = given.method ?? 'vbank';
  return layout(view, t.checkout, html`
<h1>${t.checkout}</h1>
<form method="post" id="checkout" data-digital="${good.digital}">
  <section class="card line">
    <img src="/${good.id}.svg" alt="" width="96" height="60">
    <div><b>${good.name[lang]}</b><br>${money(view, good.price)}</div>
    <label class="short">${t.quantity}
      <input name="quantity" type="number" min="1" max="9" inputmode="numeric" value="${given.quantity ?? 1}">${complaint('quantity')}</label>
  </section>
  <section class="card">
    <h2>${t.buyer}</h2>
    <button type="button" class="quiet" id="example">${t.fillExample}</button>
    ${field('name', 'text', 'name')}
    ${field('email', 'email', 'email')}
    ${field('tel', 'tel', 'tel')}
    ${!good.digital && [field('postcode', 'text', 'postal-code'), field('addr', 'text', 'street-address')]}
  </section>
  <section class="card">
    <fieldset>
      <legend>${t.method}</legend>
      ${['vbank', 'trans', 'card'].map((method) => html`<label class="choice"><input type="radio" name="method" value="${method}" ${method === chosen && 'checked'}> ${t[method]}</label>`)}
      ${complaint('method')}
    </fieldset>
    <label class="choice escrow"><input type="checkbox" name="escrow" ${given.escrow === 'on' && 'checked'}> <span>${t.escrowChoose}<small>${t.escrowHint}</small></span></label>
    <small id="escrow-not" ${!good.digital && 'hidden'}>${t.escrowNotHere}</small>
    ${complaint('escrow')}
  </section>
  ${escrowDuty(view)}
  <button class="button wide">${t.order}</button>
</form>`, { scripts: ['/checkout.js'] });
}

const orderLines = (view, order, good) => html`<dl>
  <dt>${view.t.orderNumber}</dt><dd class="code">${order.id}</dd>
  <dt>${view.t.product}</dt><dd>${good.name[view.lang]} × ${order.quantity}</dd>
  <dt>${view.t.method}</dt><dd>${view.t[order.payment?.pay_method] ?? view.t[order.method]} · ${order.payment?.escrow ?? order.escrow ? view.t.escrowYes : view.t.escrowNo}</dd>
  <dt>${view.t.amount}</dt><dd><b>${money(view, order.amount)}</b></dd>
</dl>`;

// pay is the payment page of one generation of PortOne's script; the other is a link away.
export function pay(view, order, good, request, v2 = false) {
  const { t, config } = view;
  const here = v2 ? { title: t.payTitleV2, script: '/v2/browser-sdk.js', own: '/pay-v2.js', other: 'pay', say: t.payByV1 } : { title: t.payTitle, script: '/v1/iamport.js', own: '/pay.js', other: 'pay-v2', say: t.payByV2 };
  return layout(view, here.title, html`
<h1>${here.title}</h1>
<section class="card">${orderLines(view, order, good)}</section>
${escrowDuty(view)}
<p id="problem" class="wrong" role="alert" hidden>${t.payUnavailable}</p>
<button class="button wide" id="pay" disabled data-code="${config.code}" data-request="${JSON.stringify(request)}" data-ready="${money(view, order.amount)} ${t.pay}">${t.payLoading}</button>
${config.v2 && html`<p class="hint"><a href="/orders/${order.id}/${here.other}">${here.say}</a></p>`}`,
  { scripts: [`${config.holdfastUrl}${here.script}`, here.own] });
}

export function order(view, it, good, said) {
  const { t } = view;
  const state = stateOf(it);
  const say = sentence(state, it, good);
  const { payment } = it;
  return layout(view, t.orderTitle, html`
<h1>${t.orderTitle}</h1>
<p class="state ${state}" id="state" data-state="${state}">${t[`state${state}`]}</p>
<p>${t[say]}</p>
${said && html`<p class="wrong" role="alert">${said}</p>`}
${state === 'Ready' && html`<section class="card">
  <dl>
    <dt>${t.bank}</dt><dd>${payment.vbank_name}</dd>
    <dt>${t.account}</dt><dd><span class="code" id="account">${payment.vbank_num}</span> <button type="button" class="quiet" id="copy" data-done="${t.copied}">${t.copy}</button></dd>
    <dt>${t.holder}</dt><dd>${payment.vbank_holder}</dd>
    <dt>${t.amount}</dt><dd><b>${money(view, payment.amount)}</b></dd>
    <dt>${t.due}</dt><dd>${moment(view, payment.vbank_date)}</dd>
  </dl>
</section>`}
<section class="card">
  ${orderLines(view, it, good)}
  ${it.delivery && html`<dl><dt>${t.carrier}</dt><dd>${carrierName(view, it.delivery.company)}</dd><dt>${t.invoice}</dt><dd class="code">${it.delivery.invoice}</dd></dl>`}
  ${payment?.cancel_amount > 0 && html`<dl><dt>${t.cancelledAmount}</dt><dd>${money(view, payment.cancel_amount)}</dd></dl>`}
</section>
<div class="row">
  <form method="post" action="/orders/${it.id}/refresh"><button class="quiet">${t.refresh}</button></form>
  ${['New', 'Failed'].includes(state) && html`<a class="button" href="/orders/${it.id}/pay">${t.payAgain}</a>`}
</div>
<p class="hint">${t.sandboxHint} <a href="${view.config.sandboxUrl}" target="_blank" rel="noopener">${t.sandboxOpen}</a></p>`, { scripts: ['/order.js'] });
}

function sentence(state, it, good) {
  if (state === 'Paid' && good.digital) return 'sayPaidDigital';
  if (state === 'Shipped' && !it.payment.escrow) return 'sayShippedPlain';
  return `say${state}`;
}

const carrierName = ({ lang }, code) => carriers.find(([known]) => known === code)?.[1][lang] ?? code;

export function admin(view, orders, done, refused) {
  const { t } = view;
  return layout(view, t.adminTitle, html`
<h1>${t.adminTitle}</h1>
${done.startsWith('done') && t[done] && html`<p class="good" role="status">${t[done]}</p>`}
${refused && html`<p class="wrong" role="alert">${refused}</p>`}
<h2>${t.orders}</h2>
${adminOrders(view, orders.newestFirst())}
<h2>${t.webhooks}</h2>
${adminWebhooks(view, orders.webhooksNewestFirst())}`);
}

function adminOrders(view, list) {
  const { t, lang } = view;
  if (list.length === 0) return html`<p>${t.noOrders}</p>`;
  return list.map((it) => html`<article class="card" data-order="${it.id}">
  <p><span class="state ${stateOf(it)}">${t[`state${stateOf(it)}`]}</span> <a class="code" href="/orders/${it.id}">${it.id}</a></p>
  <p>${findGood(it.good).name[lang]} × ${it.quantity} · <b>${money(view, it.amount)}</b> · ${it.buyer.name} · ${moment(view, it.createdAt)}
  ${it.payment && html`<br><span class="code">${it.payment.imp_uid}</span> · ${t[it.payment.pay_method] ?? it.payment.pay_method} · ${it.payment.escrow ? t.escrowYes : t.escrowNo}`}</p>
  ${it.payment && adminActions(view, it)}
</article>`);
}

function adminActions(view, it) {
  const { t, lang } = view;
  const { payment } = it;
  const refresh = html`<form method="post" action="/admin/${it.id}/refresh"><button class="quiet">${t.refresh}</button></form>`;
  if (payment.status !== 'paid') return refresh;
  return html`<div class="actions">${refresh}
  ${payment.escrow && html`<form method="post" action="/admin/${it.id}/delivery">
    <label>${t.carrier}<select name="company">${carriers.map(([code, name]) => html`<option value="${code}" ${code === it.delivery?.company && 'selected'}>${name[lang]}</option>`)}</select></label>
    <label>${t.invoice}<input name="invoice" value="${it.delivery?.invoice ?? ''}" inputmode="numeric" autocomplete="off"></label>
    <button>${it.delivery ? t.amend : t.register}</button></form>`}
  <details><summary>${t.cancelOrder}</summary>
    <form method="post" action="/admin/${it.id}/cancel">
    <label>${t.reason}<input name="reason" maxlength="100"></label>
    ${payment.pay_method === 'vbank' && html`<label>${t.refundBank}<input name="refund_bank" inputmode="numeric" maxlength="4"></label>
    <label>${t.refundAccount}<input name="refund_account" inputmode="numeric" maxlength="16"></label>
    <label>${t.refundHolder}<input name="refund_holder" value="${it.buyer.name}" maxlength="16"></label>`}
    <button class="danger">${t.cancelOrder}</button></form></details></div>`;
}

function adminWebhooks(view, list) {
  const { t } = view;
  if (list.length === 0) return html`<p>${t.noWebhooks}</p>`;
  return html`<div class="wide-table"><table id="webhooks">
<thead><tr><th>${t.when}</th><th>${t.orderNumber}</th><th>imp_uid</th><th>${t.kind}</th><th>${t.result}</th></tr></thead>
<tbody>${list.map((hook) => html`<tr><td>${moment(view, hook.at)}</td><td class="code">${hook.merchant_uid}</td><td class="code">${hook.imp_uid}</td><td>${hook.status} ${hook.event}</td><td>${hook.result}</td></tr>`)}</tbody>
</table></div>`;
}

export function message(view, text) {
  return layout(view, text, html`<h1>${text}</h1><p><a href="/">${view.t.home}</a></p>`);
}
