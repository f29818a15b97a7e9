// npm iamport-server-api 10.0.0. It takes any 2xx for a success without looking at the code,
// so a test looks for itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import serverApi from 'iamport-server-api';
import { dueIn, keys, order, refusal, sandbox, url } from './world.mjs';

const { IamportConnector, functional } = serverApi.default ?? serverApi;
const connector = new IamportConnector(url, { imp_key: keys.key, imp_secret: keys.secret });

test('issue, deposit, read, receipt, cancel', async () => {
  const merchantUid = order('server-api');
  const issued = await functional.vbanks.create(await connector.get(), {
    merchant_uid: merchantUid, amount: 33000, vbank_code: '020', vbank_due: dueIn(3), vbank_holder: '홀드패스트', name: '유리 물병',
    buyer_name: '홍길동', notice_url: 'http://localhost:1/hook',
  });
  assert.equal(issued.code, 0);
  assert.equal(issued.response.status, 'ready');
  await sandbox.deposit(issued.response);

  const { imp_uid } = issued.response;
  const paid = await functional.payments.at(await connector.get(), imp_uid, {});
  assert.equal(paid.response.status, 'paid');

  const receipt = await functional.receipts.create(await connector.get(), imp_uid, { imp_uid, identifier: '01012345678', identifier_type: 'phone', type: 'person' });
  assert.equal(receipt.code, 0);
  assert.equal((await functional.receipts.at(await connector.get(), imp_uid)).response.amount, 33000);

  const cancelled = await functional.payments.cancel(await connector.get(), {
    imp_uid, merchant_uid: merchantUid, amount: 33000, checksum: 33000, reason: '품절',
    refund_holder: '홍길동', refund_bank: '020', refund_account: '1002123456789',
  });
  assert.equal(cancelled.code, 0);
  assert.equal(cancelled.response.status, 'cancelled');
});

test('an unknown payment', async () => {
  const error = await refusal((async () => functional.payments.at(await connector.get(), 'imp_000000000000', {}))());
  assert.equal(error.status, 404);
});
