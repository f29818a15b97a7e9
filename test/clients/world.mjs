// What every journey needs: where the server is, the shop's keys, and the world outside the
// shop (the buyer and the bank), which the sandbox plays.
//
// HOLDFAST_URL, IMP_CODE, IMP_KEY, IMP_SECRET and API_SECRET say which server and which shop; the Go test in
// test/contract starts one and sets them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these journeys need a running Holdfast, see test/contract`);
  return value;
}

export const url = need('HOLDFAST_URL').replace(/\/+$/, '');
export const keys = { key: need('IMP_KEY'), secret: need('IMP_SECRET') };

// What V2 knows the shop by.
export const secret = need('API_SECRET');
export const storeId = need('IMP_CODE');

// order gives a merchant_uid that no other order has.
export const order = (name) => `${name}-${randomBytes(6).toString('hex')}`;

export const unixSeconds = () => Math.floor(Date.now() / 1000);

// dueIn gives a deposit due time in whole days from now, in unix seconds as V1 wants it.
export const dueIn = (days) => unixSeconds() + days * 86400;

// refusal gives the error that a call must end with.
export async function refusal(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    return error;
  }
  assert.fail(`expected a refusal, got ${JSON.stringify(answer?.data ?? answer)}`);
}

async function call(path, body) {
  const res = await fetch(`${url}/sandbox${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${keys.key}:${keys.secret}`).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await res.json();
  assert.equal(answer.code, 0, `POST /sandbox${path}: ${res.status} ${answer.message}`);
  return answer.response;
}

export const sandbox = {
  // pay does what a buyer does in the payment window, with the parameters of IMP.request_pay:
  // an account is issued for vbank, trans and card are paid at once.
  pay: (request) => call('/payments', {
    name: '백자 찻잔', buyer_name: '홍길동', buyer_email: 'buyer@example.com', buyer_tel: '010-1234-5678',
    buyer_addr: '서울특별시 종로구 세종대로 1', buyer_postcode: '03154', ...request,
  }),

  // deposit pays the exact amount into the payment's account.
  deposit: (payment) => call('/bank/deposits', { imp_uid: payment.imp_uid, kind: 'exact' }),

  // decide does what a buyer does on the mailed page.
  decide: (impUid, decision, reason = '') => call(`/payments/${impUid}/decision`, { decision, reason }),
};
