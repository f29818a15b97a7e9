// The shop's side of the payment service: the unmodified PortOne V1 client for Node, pointed
// at Holdfast by its base address. Nothing else in the shop knows that it is Holdfast.
import portone from 'iamport-rest-client-nodejs';

const { Iamport, Request } = portone;
const { Escrows, Payments, Prepare } = Request;

// A Refusal is an answer of the payment service that says no and why. Its message is meant
// for the shop keeper.
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class PaymentService {
  #settings;
  #client;

  constructor({ url, key, secret }) {
    this.#settings = { apiKey: key, apiSecret: secret, baseUrl: url };
    this.#client = new Iamport(this.#settings);
  }

  // prepare registers the amount of an order, so that the payment window refuses any other.
  prepare(order) {
    return this.#ask(Prepare.postAmount({ merchant_uid: order.id, amount: order.amount }));
  }

  // read gives the payment, or null when there is none. It is the only source the shop
  // believes: neither the browser nor a webhook can make an order paid.
  async read(impUid) {
    try {
      return await this.#ask(Payments.getByImpUid({ imp_uid: impUid }));
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  }

  registerDelivery(order, delivery) {
    return this.#ask(Escrows.postEscrow(this.#parcel(order, delivery)));
  }

  amendDelivery(order, delivery) {
    return this.#ask(Escrows.putEscrow(this.#parcel(order, delivery)));
  }

  // cancel returns the whole amount. `refund` is needed for money that came by deposit.
  cancel(order, reason, refund) {
    return this.#ask(Payments.cancel({ imp_uid: order.payment.imp_uid, merchant_uid: order.id, amount: order.amount, checksum: order.amount, reason, ...refund }));
  }

  #parcel(order, { company, invoice }) {
    const { name, tel, addr, postcode } = order.buyer;
    return {
      imp_uid: order.payment.imp_uid,
      sender: { name: '한빛상점', tel: '02-0000-0000', addr: '서울특별시 종로구 세종대로 1', postcode: '03154' },
      receiver: { name, tel, addr, postcode },
      // A moved test clock may be ahead of this machine's: nothing is sent before it was paid.
      logis: { company, invoice, sent_at: Math.floor(Math.max(Date.now(), new Date(order.payment.paid_at).getTime()) / 1000) },
    };
  }

  // ask sends a request. The client keeps its token until it runs out; when the service does
  // not know it any more, a new client gets a new one, once. Nothing has happened before a 401.
  async #ask(request, again = true) {
    try {
      return (await request.request(this.#client)).data.response;
    } catch (error) {
      const answer = error.response;
      if (answer?.status === 401 && again) {
        this.#client = new Iamport(this.#settings);
        return this.#ask(request, false);
      }
      if (!answer?.data?.message) throw error;
      throw new Refusal(answer.data.message, answer.status ?? 200);
    }
  }
}
