// The official client of its time: npm iamport-rest-client-nodejs 0.9.12. It is the only one
// from npm that registers deliveries, so it walks the whole escrow journey of a shop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import iamportModule from 'iamport-rest-client-nodejs';
import { dueIn, keys, order, refusal, sandbox, unixSeconds, url } from './world.mjs';

const { Iamport, Request, Enum } = iamportModule;
const { Banks, Escrows, Payments, Prepare, Receipts, Vbanks } = Request;

const client = new Iamport({ apiKey: keys.key, apiSecret: keys.secret, baseUrl: url });

// ask sends a request and gives its response, as a shop would use it.
async function ask(request) {
  const { data } = await request.request(client);
  assert.equal(data.code, 0);
  return data.response;
}

// issue opens a virtual account for one product and gives the payment.
async function issue(merchantUid, more = {}) {
  return ask(Vbanks.post({
    merchant_uid: merchantUid,
    amount: 39000,
    vbank_code: Enum.BankCodeEnum.SHIN_HAN,
    vbank_due: dueIn(3),
    vbank_holder: '홀드패스트',
    name: '백자 찻잔',
    buyer_name: '홍길동',
    buyer_email: 'buyer@example.com',
    buyer_tel: '010-1234-5678',
    buyer_addr: '서울특별시 종로구 세종대로 1',
    buyer_postcode: '03154',
    ...more,
  }));
}

const parcel = (invoice) => ({
  sender: { name: '찻잔가게', tel: '02-123-4567', addr: '경기도 이천시 도자로 1', postcode: '17300' },
  receiver: { name: '홍길동', tel: '010-1234-5678', addr: '서울특별시 종로구 세종대로 1', postcode: '03154' },
  logis: { company: Enum.LogisCodeEnum.CJGLS, invoice, sent_at: unixSeconds() },
});

test('two shop servers share one token', async () => {
  const other = new Iamport({ apiKey: keys.key, apiSecret: keys.secret, baseUrl: url });
  const first = (await client.getToken()).data.response;
  const second = (await other.getToken()).data.response;
  assert.equal(second.access_token, first.access_token);
  assert.equal(second.expired_at, first.expired_at);
  assert.ok(first.expired_at > unixSeconds() + 60);
});

test('wrong keys are told from right ones', async () => {
  const stranger = new Iamport({ apiKey: keys.key, apiSecret: 'wrong', baseUrl: url });
  const error = await refusal(Banks.getBanks().request(stranger));
  assert.equal(error.response.status, 401);
  assert.equal(error.response.data.message, '인증에 실패하였습니다. API키와 secret을 확인하세요.');
});

test('an amount is registered beforehand, once', async () => {
  const merchantUid = order('prepare');
  assert.equal((await ask(Prepare.postAmount({ merchant_uid: merchantUid, amount: 39000 }))).amount, 39000);
  assert.equal((await ask(Prepare.getAmount({ merchant_uid: merchantUid }))).amount, 39000);
  const error = await refusal(Prepare.postAmount({ merchant_uid: merchantUid, amount: 1 }).request(client));
  assert.equal(error.response.data.code, 1);
  assert.match(error.response.data.message, /이미 등록된 merchant_uid/);
  assert.equal((await ask(Prepare.getAmount({ merchant_uid: merchantUid }))).amount, 39000);
});

test('an account is issued, changed, paid into and found again', async () => {
  const merchantUid = order('vbank');
  const issued = await issue(merchantUid);
  assert.equal(issued.status, 'ready');
  assert.equal(issued.pay_method, 'vbank');
  assert.equal(issued.vbank_code, '088');
  assert.match(issued.vbank_num, /^[0-9]+$/);
  assert.ok(issued.vbank_date > new Date());
  assert.equal(issued.paid_at, 0);

  const changed = await ask(Vbanks.put({ imp_uid: issued.imp_uid, amount: 41000, vbank_due: dueIn(5) }));
  assert.equal(changed.amount, 41000);

  await sandbox.deposit(changed);
  const paid = await ask(Payments.getByImpUid({ imp_uid: issued.imp_uid }));
  assert.equal(paid.status, 'paid');
  assert.equal(paid.amount, 41000);
  assert.ok(paid.paid_at instanceof Date);

  // Without a status the client asks for /payments/find/{merchant_uid}/undefined.
  assert.equal((await ask(Payments.getByMerchantUid({ merchant_uid: merchantUid }))).imp_uid, issued.imp_uid);
  const all = await ask(Payments.getByMerchantUids({ merchant_uid: merchantUid, status: Enum.StatusEnum.ALL }));
  assert.deepEqual([all.total, all.previous, all.next], [1, 0, 0]);
});

test('an account is closed before anyone pays into it', async () => {
  const issued = await issue(order('close'));
  const closed = await ask(Vbanks.delete({ imp_uid: issued.imp_uid }));
  assert.equal(closed.status, 'failed');
  const error = await refusal(Vbanks.delete({ imp_uid: issued.imp_uid }).request(client));
  assert.equal(error.response.status, 400);
});

test('several payments at once: found ones come, missing ones are named', async () => {
  const one = await issue(order('multi-1'));
  const two = await issue(order('multi-2'));
  const both = await Payments.getByImpUids({ imp_uid: [one.imp_uid, two.imp_uid] }).request(client);
  assert.equal(both.status, 200);
  assert.equal(both.data.response.length, 2);

  const some = await Payments.getByImpUids({ imp_uid: [one.imp_uid, 'imp_000000000000'] }).request(client);
  assert.equal(some.status, 207);
  assert.deepEqual(some.data.response.map((p) => p.imp_uid), [one.imp_uid]);
  assert.deepEqual(some.data.failed, ['imp_000000000000']);

  const none = await refusal(Payments.getByImpUids({ imp_uid: ['imp_000000000000'] }).request(client));
  assert.equal(none.response.status, 404);
});

test('pages of payments end with next 0', async () => {
  for (const n of [1, 2, 3]) await issue(order(`page-${n}`));
  const seen = new Set();
  let page = 1;
  for (let asked = 0; page !== 0 && asked < 200; asked++) {
    const list = await ask(Payments.getByStatus({ status: Enum.StatusEnum.READY, page, limit: 2 }));
    assert.ok(list.list.length <= 2);
    assert.equal(list.previous, page - 1);
    for (const p of list.list) {
      assert.equal(p.status, 'ready');
      assert.ok(!seen.has(p.imp_uid), `${p.imp_uid} comes on two pages`);
      seen.add(p.imp_uid);
    }
    if (list.next === 0) assert.equal(seen.size, list.total);
    page = list.next;
  }
  assert.equal(page, 0);
});

test('an escrow purchase: paid, delivery registered once, corrected, confirmed', async () => {
  const merchantUid = order('escrow');
  const issued = await sandbox.pay({ pay_method: 'vbank', escrow: true, merchant_uid: merchantUid, amount: 39000 });
  assert.equal(issued.status, 'ready');
  assert.equal(issued.escrow, true);
  await sandbox.deposit(issued);

  const { imp_uid } = issued;
  const registered = await ask(Escrows.postEscrow({ imp_uid, ...parcel('689012345678') }));
  assert.equal(registered.invoice, '689012345678');
  assert.equal(registered.company, 'CJGLS');
  assert.ok(registered.sent_at instanceof Date);
  assert.ok(registered.applied_at instanceof Date);

  const again = await refusal(Escrows.postEscrow({ imp_uid, ...parcel('689012345679') }).request(client));
  assert.equal(again.response.status, 409);
  assert.notEqual(again.response.data.code, 0);
  assert.ok(again.response.data.message);

  const corrected = await ask(Escrows.putEscrow({ imp_uid, ...parcel('689012345680') }));
  assert.equal(corrected.invoice, '689012345680');

  await sandbox.decide(imp_uid, 'confirm');
  // After the confirmation the shop may give a part back from its own money; money that came by
  // deposit needs an account to go to.
  const nowhere = await refusal(Payments.cancel({ imp_uid, amount: 1000, reason: '흠집' }).request(client));
  assert.match(nowhere.response.data.message, /refund_/);
  const part = await ask(Payments.cancel({ imp_uid, amount: 1000, reason: '흠집', refund_holder: '홍길동', refund_bank: '004', refund_account: '12345678901234' }));
  assert.equal(part.cancel_amount, 1000);
  assert.equal(part.status, 'paid');
  assert.equal((await ask(Payments.getByImpUid({ imp_uid }))).escrow, true);
});

test('a delivery belongs to an escrow that is paid for', async () => {
  const card = await sandbox.pay({ pay_method: 'card', merchant_uid: order('card'), amount: 12000 });
  assert.equal(card.status, 'paid');
  assert.equal(card.escrow, false);
  for (const [imp_uid, status] of [[card.imp_uid, 409], [(await issue(order('unpaid'))).imp_uid, 409], ['imp_000000000000', 404]]) {
    const error = await refusal(Escrows.postEscrow({ imp_uid, ...parcel('689012345678') }).request(client));
    assert.equal(error.response.status, status, `${imp_uid}: ${JSON.stringify(error.response.data)}`);
    assert.notEqual(error.response.data.code, 0);
  }
});

test('a delivery without its number is refused and changes nothing', async () => {
  const paid = await sandbox.pay({ pay_method: 'trans', escrow: true, merchant_uid: order('bad-parcel'), amount: 20000 });
  const bad = parcel('1');
  delete bad.logis.invoice;
  const error = await refusal(Escrows.postEscrow({ imp_uid: paid.imp_uid, ...bad }).request(client));
  assert.equal(error.response.status, 400);
  assert.match(error.response.data.message, /invoice/);
  await ask(Escrows.postEscrow({ imp_uid: paid.imp_uid, ...parcel('689012345678') }));
});

test('held money goes back whole, or not at all', async () => {
  const paid = await sandbox.pay({ pay_method: 'trans', escrow: true, merchant_uid: order('cancel'), amount: 20000 });
  const { imp_uid } = paid;
  const part = await refusal(Payments.cancel({ imp_uid, amount: 5000, reason: '일부 품절' }).request(client));
  assert.notEqual(part.response.data.code, 0);
  assert.ok(part.response.data.message);
  assert.equal((await ask(Payments.getByImpUid({ imp_uid }))).cancel_amount, 0);

  const wrong = await refusal(Payments.cancel({ imp_uid, checksum: 19999, reason: '품절' }).request(client));
  assert.notEqual(wrong.response.data.code, 0);

  const cancelled = await ask(Payments.cancel({ imp_uid, checksum: 20000, reason: '품절' }));
  assert.equal(cancelled.status, 'cancelled');
  assert.equal(cancelled.cancel_amount, 20000);
  assert.equal(cancelled.cancel_reason, '품절');
  assert.equal(cancelled.cancel_history.length, 1);

  const twice = await refusal(Payments.cancel({ imp_uid, reason: '품절' }).request(client));
  assert.equal(twice.response.data.code, 1);
  assert.equal(twice.response.data.message, '이미 전액취소된 주문입니다.');
});

test('a cash receipt is issued, read and withdrawn', async () => {
  const paid = await sandbox.pay({ pay_method: 'trans', merchant_uid: order('receipt'), amount: 20000 });
  const { imp_uid } = paid;
  const receipt = await ask(Receipts.postReceipt({ imp_uid, identifier: '01012345678', identifier_type: 'phone', type: 'person' }));
  assert.equal(receipt.amount, 20000);
  assert.equal(receipt.cancelled_at, 0);
  assert.equal((await ask(Receipts.getReceipt({ imp_uid }))).apply_num, receipt.apply_num);
  assert.equal((await ask(Payments.getByImpUid({ imp_uid }))).cash_receipt_issued, true);

  const twice = await refusal(Receipts.postReceipt({ imp_uid, identifier: '01012345678' }).request(client));
  assert.equal(twice.response.status, 400);
  const withdrawn = await ask(Receipts.deleteReceipt({ imp_uid }));
  assert.ok(withdrawn.cancelled_at instanceof Date);
});

test('banks and account holders', async () => {
  const banks = await ask(Banks.getBanks());
  assert.ok(banks.some((b) => b.code === '088'));
  assert.equal((await ask(Banks.getBank({ code: '088' }))).code, '088');
  assert.equal((await refusal(Banks.getBank({ code: '000' }).request(client))).response.status, 404);
  const holder = await ask(Vbanks.getHolder({ bank_code: '088', bank_num: '110123456789' }));
  assert.ok(holder.bank_holder);
});
