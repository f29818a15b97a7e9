// PortOne's own client for V2: npm @portone/server-sdk 0.19.0. It drops every path from its
// base address, so it shares the root of one port with the V1 clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortOneClient, PortOneError } from '@portone/server-sdk';
import { keys, order, refusal, sandbox, secret, storeId, url } from './world.mjs';

const client = PortOneClient({ secret, baseUrl: `${url}/a/path/that/it/drops`, storeId });
const { payment } = client;

const refundAccount = { bank: 'SHINHAN', number: '110123456789', holderName: '홍길동' };

const parcel = (invoiceNumber) => ({
  sender: { name: '한빛상점', phoneNumber: '02-123-4567', zipcode: '17300', address: { addressLine1: '경기도 이천시', addressLine2: '도자로 1' } },
  receiver: { name: '홍길동', phoneNumber: '010-1234-5678', zipcode: '03154', address: { addressLine1: '서울특별시', addressLine2: '세종대로 1' } },
  logistics: { company: 'CJ', invoiceNumber, sentAt: new Date().toISOString() },
  products: [{ id: 'cup', name: '백자 찻잔', amount: 39000, quantity: 1 }],
});

const instant = (paymentId) => payment.payInstantly({
  paymentId,
  method: { virtualAccount: { bank: 'SHINHAN', expiry: { validHours: 72 }, option: { type: 'NORMAL' } } },
  orderName: '백자 찻잔',
  amount: { total: 39000 },
  currency: 'KRW',
  isEscrow: true,
  customer: { name: { full: '홍길동' }, email: 'buyer@example.com', phoneNumber: '010-1234-5678' },
  customData: JSON.stringify({ cart: 7 }),
});

// paid issues an account and pays it, and gives the transaction.
async function paid(paymentId) {
  await instant(paymentId);
  const { transactionId } = await payment.getPayment({ paymentId });
  await sandbox.deposit({ imp_uid: transactionId });
  return transactionId;
}

async function refused(promise, type) {
  const error = await refusal(promise);
  assert.ok(error instanceof PortOneError, `${error}`);
  assert.equal(error.data.type, type, JSON.stringify(error.data));
  return error.data;
}

test('an escrow lives from the account to the refund', async () => {
  const paymentId = order('주문 1/2?');
  assert.deepEqual(await payment.preRegisterPayment({ paymentId, totalAmount: 39000, currency: 'KRW' }), {});
  const opened = await instant(paymentId);
  assert.ok(Date.parse(opened.payment.paidAt) > 0);
  let p = await payment.getPayment({ paymentId });
  assert.equal(p.status, 'VIRTUAL_ACCOUNT_ISSUED');
  assert.equal(p.method.type, 'PaymentMethodVirtualAccount');
  assert.equal(p.storeId, storeId);
  assert.equal(p.customData, '{"cart":7}');
  await sandbox.deposit({ imp_uid: p.transactionId });

  p = await payment.getPayment({ paymentId });
  assert.equal(p.status, 'PAID');
  assert.deepEqual(p.disputes, []);
  assert.deepEqual(p.escrow, { status: 'BEFORE_REGISTERED' });
  const applied = await payment.applyEscrowLogistics({ paymentId, ...parcel('689012345678') });
  assert.equal(applied.invoiceNumber, '689012345678');
  assert.ok(applied.appliedAt.endsWith('Z'));
  const modified = await payment.modifyEscrowLogistics({ paymentId, ...parcel('689012345679') });
  assert.ok(modified.modifiedAt);
  p = await payment.getPayment({ paymentId });
  assert.equal(p.escrow.status, 'REGISTERED');
  assert.equal(p.escrow.company, 'CJ');
  assert.ok((await payment.confirmEscrow({ paymentId, fromStore: true })).completedAt);
  p = await payment.getPayment({ paymentId });
  assert.equal(p.escrow.status, 'CONFIRMED');
  assert.equal(p.escrow.isAutomaticallyConfirmed, false);

  const part = await payment.cancelPayment({ paymentId, amount: 9000, reason: '일부 품절', refundAccount, currentCancellableAmount: 39000 });
  assert.equal(part.cancellation.totalAmount, 9000);
  const rest = await payment.cancelPayment({ paymentId, reason: '나머지', refundAccount });
  assert.equal(rest.cancellation.totalAmount, 30000);
  p = await payment.getPayment({ paymentId });
  assert.equal(p.status, 'CANCELLED');
  assert.equal(p.cancellations.length, 2);
});

test('the same payment is read through both dialects', async () => {
  const paymentId = order('both');
  const transactionId = await paid(paymentId);
  const tokens = await fetch(`${url}/users/getToken`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ imp_key: keys.key, imp_secret: keys.secret }),
  }).then((res) => res.json());
  const v1 = await fetch(`${url}/payments/${transactionId}`, { headers: { authorization: tokens.response.access_token } }).then((res) => res.json());
  const v2 = await payment.getPayment({ paymentId });
  assert.equal(v1.response.merchant_uid, v2.id);
  assert.equal(v1.response.imp_uid, v2.transactionId);
  assert.equal(v1.response.amount, v2.amount.total);
  assert.equal(v1.response.status, 'paid');
  assert.equal(v2.status, 'PAID');
  assert.equal(v1.response.paid_at, Math.floor(Date.parse(v2.paidAt) / 1000));
});

test('refusals are the ones that the client knows', async () => {
  const paymentId = order('no');
  await refused(payment.getPayment({ paymentId }), 'PAYMENT_NOT_FOUND');
  await instant(paymentId);
  await refused(payment.applyEscrowLogistics({ paymentId, ...parcel('1') }), 'PAYMENT_NOT_PAID');
  await refused(payment.cancelPayment({ paymentId, reason: '변심', refundAccount }), 'PAYMENT_NOT_PAID');
  assert.ok((await payment.closeVirtualAccount({ paymentId })).closedAt);
  assert.equal((await payment.getPayment({ paymentId })).status, 'FAILED');
  await refused(payment.closeVirtualAccount({ paymentId }), 'PAYMENT_NOT_WAITING_FOR_DEPOSIT');

  const held = order('held');
  await paid(held);
  const rule = await refused(payment.cancelPayment({ paymentId: held, amount: 1000, reason: '변심', refundAccount }), 'PG_PROVIDER');
  assert.equal(rule.pgCode, 'partial_before_confirm');
  await refused(payment.cancelPayment({ paymentId: held, reason: '변심', refundAccount, currentCancellableAmount: 1 }), 'CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN');
  const { cancellation } = await payment.cancelPayment({ paymentId: held, reason: '품절', refundAccount, requester: 'ADMIN' });
  assert.ok(['REQUESTED', 'SUCCEEDED'].includes(cancellation.status));
  await refused(payment.cancelPayment({ paymentId: held, reason: '품절', refundAccount }), 'PAYMENT_ALREADY_CANCELLED');
  await refused(payment.stopPaymentCancellation({ paymentId: held, cancellationId: 'x' }), 'PAYMENT_CANCELLATION_NOT_FOUND');

  const stranger = PortOneClient({ secret: 'wrong', baseUrl: url });
  await refused(stranger.payment.getPayment({ paymentId }), 'UNAUTHORIZED');
  const elsewhere = PortOneClient({ secret, baseUrl: url, storeId: 'store-other' });
  await refused(elsewhere.payment.getAllPaymentsByCursor(), 'FORBIDDEN');
});

test('lists go by page and by cursor', async () => {
  const paymentId = order('listed');
  const transactionId = await paid(paymentId);
  const page = await payment.getPayments({
    page: { number: 0, size: 5 }, filter: { isEscrow: true, status: ['PAID'], textSearch: [{ field: 'PAYMENT_ID', value: paymentId }] },
  });
  assert.equal(page.page.totalCount, 1);
  assert.equal(page.items[0].id, paymentId);
  const { items } = await payment.getPaymentTransactions({ paymentId });
  assert.deepEqual(items.map((t) => [t.id, t.paymentId]), [[transactionId, paymentId]]);

  const seen = [];
  for (let cursor; ;) {
    const { items: rows } = await payment.getAllPaymentsByCursor({ size: 2, cursor });
    if (rows.length === 0) break;
    seen.push(...rows.map((row) => row.payment.id));
    cursor = rows.at(-1).cursor;
  }
  assert.ok(seen.includes(paymentId));
  assert.equal(new Set(seen).size, seen.length);
  const events = await payment.getAllPaymentEventsByCursor({ size: 1000 });
  const mine = events.items.map((row) => row.paymentEvent).filter((e) => e.paymentId === paymentId);
  assert.deepEqual(mine.map((e) => [e.type, e.eventAmount]), [['PAID', 39000]]);
});

test('cash receipts, account holders and tokens', async () => {
  const paymentId = order('receipt');
  await paid(paymentId);
  const { channel } = await payment.getPayment({ paymentId });
  await payment.cashReceipt.issueCashReceipt({
    paymentId, channelKey: channel.key, type: 'PERSONAL', orderName: '백자 찻잔', currency: 'KRW', amount: { total: 39000 },
    customer: { identityNumber: '01012345678', identityNumberType: 'PHONE' },
  });
  assert.equal((await payment.cashReceipt.getCashReceiptByPaymentId({ paymentId })).status, 'ISSUED');
  assert.equal((await payment.cashReceipt.cancelCashReceiptByPaymentId({ paymentId })).cancelledAmount, 39000);

  const holder = await client.platform.account.getPlatformAccountHolder({ bank: 'SHINHAN', accountNumber: '110123456789', test: true });
  assert.ok(holder.holderName);
  const first = await client.auth.loginViaApiSecret({ apiSecret: secret });
  const second = await client.auth.refreshToken({ refreshToken: first.refreshToken });
  assert.notEqual(second.refreshToken, first.refreshToken);
  await refused(client.auth.refreshToken({ refreshToken: first.refreshToken }), 'UNAUTHORIZED');
});
