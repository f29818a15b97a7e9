// npm iamporter 1.4.2. It sends the bare token, adds an empty last segment to findAll, and
// takes a 404 for an answer without data.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import iamporterModule from 'iamporter';
import { dueIn, keys, order, refusal, sandbox, url } from './world.mjs';

const { Iamporter, IamporterError } = iamporterModule;
const client = new Iamporter({ apiKey: keys.key, secret: keys.secret, host: url });

const issue = (merchantUid, amount = 15000) => client.createVbank({
  merchant_uid: merchantUid, amount, vbank_code: '004', vbank_due: dueIn(3), vbank_holder: '홀드패스트',
  name: '나무 쟁반', buyer_name: '홍길동', buyer_email: 'buyer@example.com', buyer_tel: '010-1111-2222',
});

test('wrong keys', async () => {
  const error = await refusal(new Iamporter({ apiKey: keys.key, secret: 'wrong', host: url }).getToken());
  assert.ok(error instanceof IamporterError);
  assert.equal(error.status, 401);
  assert.equal(error.raw.message, '인증에 실패하였습니다. API키와 secret을 확인하세요.');
});

test('prepare, issue, deposit, find', async () => {
  const merchantUid = order('iamporter');
  assert.equal((await client.createPreparedPayment({ merchant_uid: merchantUid, amount: 15000 })).data.amount, 15000);
  assert.equal((await client.getPreparedPayment(merchantUid)).data.merchant_uid, merchantUid);

  const issued = (await issue(merchantUid)).data;
  assert.equal(issued.status, 'ready');
  assert.equal(issued.vbank_code, '004');
  await sandbox.deposit(issued);

  assert.equal((await client.findByImpUid(issued.imp_uid)).data.status, 'paid');
  assert.equal((await client.findByMerchantUid(merchantUid)).data.imp_uid, issued.imp_uid);
  assert.equal((await client.findAllByMerchantUid(merchantUid)).data.total, 1);
  assert.equal((await client.findAllByMerchantUid(merchantUid, { status: 'paid' })).data.list[0].imp_uid, issued.imp_uid);
  const page = (await client.findAllByStatus('paid', { page: 1 })).data;
  assert.ok(page.list.some((p) => p.imp_uid === issued.imp_uid));
});

test('a payment that does not exist is an answer without data', async () => {
  const missing = await client.findByImpUid('imp_000000000000');
  assert.equal(missing.status, 404);
  assert.equal(missing.data, null);
  assert.equal(missing.message, '존재하지 않는 결제정보입니다.');
});

test('cancel by either name, once', async () => {
  const paid = await sandbox.pay({ pay_method: 'trans', merchant_uid: order('iamporter-cancel'), amount: 15000 });
  const cancelled = await client.cancelByImpUid(paid.imp_uid, { reason: '구매자 요청' });
  assert.equal(cancelled.data.status, 'cancelled');
  const twice = await refusal(client.cancelByMerchantUid(paid.merchant_uid, { reason: '구매자 요청' }));
  assert.equal(twice.status, 200);
  assert.equal(twice.message, '이미 전액취소된 주문입니다.');
});

test('nothing to cancel', async () => {
  const error = await refusal(client.cancelByImpUid('imp_000000000000'));
  assert.equal(error.status, 200);
  assert.equal(error.message, '취소할 결제건이 존재하지 않습니다.');
});
