// The shop's memory: orders, stock and the webhooks received, in memory and, when a file is
// given, in that one JSON file. A write replaces the file as a whole, so that a crash leaves
// the old state or the new one.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findGood } from './goods.mjs';

const ordersMax = 1000;
const webhooksMax = 200;

// How far one payment has come: a late answer never takes it back to an earlier state.
const progress = { ready: 0, failed: 1, paid: 2, cancelled: 3 };

// weight tells which of two payments an order shows: money before a waiting account, that
// before an attempt that came to nothing.
function weight(payment) {
  switch (payment.status) {
    case 'paid': return 3;
    case 'cancelled': return 2;
    case 'ready': return payment.vbank_num ? 1 : 0;
    default: return 0;
  }
}

export class Orders {
  #file;
  #orders = new Map();
  #webhooks = [];

  constructor(file) {
    this.#file = file;
    if (!file) return;
    try {
      const kept = JSON.parse(readFileSync(file, 'utf8'));
      this.#orders = new Map(kept.orders.map((order) => [order.id, order]));
      this.#webhooks = kept.webhooks;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }

  // create opens an order. Its id is the merchant_uid and cannot be guessed, because whoever
  // knows it may look at the order page.
  create(fields) {
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const order = { id: `${day}-${randomBytes(9).toString('hex')}`, createdAt: Date.now(), payment: null, delivery: null, escrowStatus: null, fulfilled: false, problem: false, ...fields };
    this.#orders.set(order.id, order);
    for (const id of this.#orders.keys()) {
      if (this.#orders.size <= ordersMax) break;
      this.#orders.delete(id);
    }
    this.#save();
    return order;
  }

  get(id) {
    return this.#orders.get(id);
  }

  newestFirst() {
    return [...this.#orders.values()].reverse();
  }

  // left is how many pieces are neither sold nor promised.
  left(good) {
    let sold = 0;
    for (const order of this.#orders.values()) if (order.good === good.id && order.fulfilled) sold += order.quantity;
    return findGood(good.id).stock - sold;
  }

  // setPayment keeps what the payment service said about an order, and says what came of it:
  // 'mismatch' when it is not this order's payment or not its amount, 'second' when the order
  // is paid already by another, 'unchanged' when it was known, 'applied' otherwise. It may be
  // told the same thing many times, and late: goods leave the stock once.
  setPayment(order, payment) {
    if (payment.merchant_uid !== order.id) return 'mismatch';
    const known = order.payment;
    if (known && known.imp_uid !== payment.imp_uid && weight(known) > weight(payment)) return 'unchanged';
    if (known && known.imp_uid !== payment.imp_uid && weight(known) === weight(payment) && known.status === 'paid') return 'second';
    if (known && known.imp_uid === payment.imp_uid && progress[payment.status] < progress[known.status]) return 'unchanged';
    const same = known && known.imp_uid === payment.imp_uid && known.status === payment.status;
    order.payment = payment;
    order.problem = payment.amount !== order.amount || payment.currency !== 'KRW';
    if (payment.status === 'paid' && !order.problem) order.fulfilled = true;
    this.#save();
    if (order.problem) return 'mismatch';
    return same ? 'unchanged' : 'applied';
  }

  setDelivery(order, delivery) {
    order.delivery = delivery;
    this.#save();
  }

  setEscrowStatus(order, status) {
    order.escrowStatus = status;
    this.#save();
  }

  logWebhook(entry) {
    this.#webhooks.push({ at: Date.now(), ...entry });
    this.#webhooks.splice(0, Math.max(0, this.#webhooks.length - webhooksMax));
    this.#save();
  }

  webhooksNewestFirst() {
    return [...this.#webhooks].reverse();
  }

  #save() {
    if (!this.#file) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    const next = `${this.#file}.next`;
    writeFileSync(next, JSON.stringify({ orders: [...this.#orders.values()], webhooks: this.#webhooks }));
    renameSync(next, this.#file);
  }
}

// stateOf is the one word for where an order stands: it chooses the text on every page.
export function stateOf(order) {
  if (order.problem) return 'Problem';
  switch (order.payment?.status) {
    case 'ready': return order.payment.vbank_num ? 'Ready' : 'New';
    case 'failed': return 'Failed';
    case 'cancelled': return 'Cancelled';
    case 'paid': return paidState(order);
    default: return 'New';
  }
}

// The codes of the escrow notice are those of KG Inicis, which PortOne V1 passes on.
function paidState(order) {
  switch (order.escrowStatus) {
    case '3': case '31': case '32': return 'Confirmed';
    case '4': return 'Rejected';
    case '10': return 'RejectionAccepted';
    default: return order.delivery ? 'Shipped' : 'Paid';
  }
}
