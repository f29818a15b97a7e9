// npm iamport 0.3.4. It reads the token answer chunk by chunk, so that answer must come in one
// piece; after a 401 it repeats the call once, a cancel too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Iamport from 'iamport';
import { dueIn, keys, order, refusal, sandbox, url } from './world.mjs';

Iamport.DEFAULT_HOST = url;
const client = new Iamport({ impKey: keys.key, impSecret: keys.secret });

test('wrong keys', async () => {
  const error = await refusal(new Iamport({ impKey: keys.key, impSecret: 'wrong' }).payment.getByImpUid({ imp_uid: 'imp_000000000000' }));
  assert.equal(error.code, 'HTTP_401');
});

test('prepare, issue, deposit, find, cancel', async () => {
  const merchantUid = order('iamport');
  assert.equal((await client.payment.prepare({ merchant_uid: merchantUid, amount: 27000 })).amount, 27000);
  assert.equal((await client.payment.getPrepare({ merchant_uid: merchantUid })).amount, 27000);
  const registered = await refusal(client.payment.prepare({ merchant_uid: merchantUid, amount: 27000 }));
  assert.equal(registered.code, 'IAMPORT_1');
  assert.match(registered.message, /이미 등록된 merchant_uid/);

  const issued = await client.vbank.create({
    merchant_uid: merchantUid, amount: 27000, vbank_code: '011', vbank_due: dueIn(3), vbank_holder: '홀드패스트', name: '무명 앞치마',
  });
  assert.equal(issued.status, 'ready');
  assert.equal(issued.amount, 27000);
  await sandbox.deposit(issued);

  assert.equal((await client.payment.getByImpUid({ imp_uid: issued.imp_uid })).status, 'paid');
  assert.equal((await client.payment.getByMerchant({ merchant_uid: merchantUid })).imp_uid, issued.imp_uid);
  const page = await client.payment.getByStatus({ payment_status: 'paid', limit: 5 });
  assert.ok(page.list.length <= 5 && page.list.some((p) => p.imp_uid === issued.imp_uid));

  const cancelled = await client.payment.cancel({
    imp_uid: issued.imp_uid, reason: '품절', refund_holder: '홍길동', refund_bank: '004', refund_account: '12345678901234',
  });
  assert.equal(cancelled.status, 'cancelled');
  assert.equal(cancelled.cancel_amount, 27000);
  const twice = await refusal(client.payment.cancel({ imp_uid: issued.imp_uid }));
  assert.equal(twice.code, 'IAMPORT_1');
  assert.equal(twice.message, '이미 전액취소된 주문입니다.');
});

test('a paid account is not given back without a refund account', async () => {
  const issued = await client.vbank.create({
    merchant_uid: order('no-account'), amount: 5000, vbank_code: '011', vbank_due: dueIn(3), vbank_holder: '홀드패스트', name: '받침',
  });
  await sandbox.deposit(issued);
  const error = await refusal(client.payment.cancel({ imp_uid: issued.imp_uid, reason: '품절' }));
  assert.match(error.code, /^IAMPORT_/);
  assert.match(error.message, /refund_/);
  assert.equal((await client.payment.getByImpUid({ imp_uid: issued.imp_uid })).status, 'paid');
});

test('an unknown payment', async () => {
  assert.equal((await refusal(client.payment.getByImpUid({ imp_uid: 'imp_000000000000' }))).code, 'HTTP_404');
});
