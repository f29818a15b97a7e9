// The shop's side of PortOne V2: the unmodified PortOne server SDK, pointed at Holdfast by its
// base address. A payment is turned into the words that the rest of the shop uses, which are V1's:
// both generations show the same payment.
import { PortOneClient } from '@portone/server-sdk';

const statuses = { READY: 'ready', VIRTUAL_ACCOUNT_ISSUED: 'ready', PAY_PENDING: 'ready', PAID: 'paid', PARTIAL_CANCELLED: 'paid', CANCELLED: 'cancelled', FAILED: 'failed' };
const methods = { PaymentMethodVirtualAccount: 'vbank', PaymentMethodTransfer: 'trans', PaymentMethodCard: 'card' };

// The banks at which accounts are issued, as V2 calls them.
const banks = {
  KOOKMIN: 'KB국민은행', SHINHAN: '신한은행', WOORI: '우리은행', HANA: '하나은행', NONGHYUP: 'NH농협은행', IBK: '기업은행', POST: '우체국', K_BANK: '케이뱅크',
  STANDARD_CHARTERED: 'SC제일은행', DAEGU: '대구은행(iM뱅크)', BUSAN: '부산은행', KWANGJU: '광주은행', KYONGNAM: '경남은행', SUHYUP: '수협은행',
};

export class PaymentServiceV2 {
  #client;

  constructor({ url, secret, storeId }) {
    this.#client = PortOneClient({ secret, baseUrl: url, storeId });
  }

  // read gives the payment of an order, or null when there is none. It is the only source the
  // shop believes.
  async read(paymentId) {
    try {
      return inShopWords(await this.#client.payment.getPayment({ paymentId }));
    } catch (error) {
      if (error.data?.type === 'PAYMENT_NOT_FOUND') return null;
      throw error;
    }
  }
}

function inShopWords(payment) {
  const { method = {} } = payment;
  const chosen = !['READY', 'FAILED'].includes(payment.status); // before that nobody knows whether it is an escrow
  return {
    api: 'v2', imp_uid: payment.transactionId, merchant_uid: payment.id, status: statuses[payment.status], amount: payment.amount.total, currency: payment.currency,
    pay_method: methods[method.type] ?? null, escrow: chosen ? payment.escrow !== undefined : undefined, cancel_amount: payment.amount.cancelled, paid_at: payment.paidAt ?? 0,
    vbank_name: banks[method.bank] ?? method.bank, vbank_num: method.accountNumber, vbank_holder: method.remitteeName, vbank_date: method.expiredAt,
  };
}
