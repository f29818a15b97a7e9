// Starts the shop. Everything it needs to know comes from the environment; README.md lists it.
import { Orders } from './orders.mjs';
import { PaymentService } from './payments.mjs';
import { PaymentServiceV2 } from './payments-v2.mjs';
import { createShop } from './shop.mjs';

function need(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`The shop needs ${name}. README.md says what it is.`);
    process.exit(2);
  }
  return value;
}

const port = Number(process.env.PORT ?? 3000);
const host = process.env.HOST ?? '127.0.0.1';
const holdfastUrl = need('HOLDFAST_URL').replace(/\/+$/, '');
const code = need('IMP_CODE');
const adminPassword = process.env.ADMIN_PASSWORD ?? '';
if (!adminPassword && !['127.0.0.1', '::1', 'localhost'].includes(host)) {
  console.error('Set ADMIN_PASSWORD before the shop listens to other machines: /admin cancels payments.');
  process.exit(2);
}

// With both of these, buyers may pay by PortOne V2 too.
const { CHANNEL_KEY: channelKey, API_SECRET: apiSecret } = process.env;
const v2 = channelKey && apiSecret ? { channelKey } : null;

const config = {
  holdfastUrl, code, adminPassword, v2,
  shopUrl: (process.env.SHOP_URL ?? `http://${host}:${port}`).replace(/\/+$/, ''),
  escrowProvider: process.env.ESCROW_PROVIDER ?? 'Holdfast',
  verifyUrl: process.env.ESCROW_VERIFY_URL ?? `${holdfastUrl}/verify/${code}`,
  sandboxUrl: process.env.SANDBOX_URL ?? `${holdfastUrl}/sandbox`,
};
const shop = createShop({
  config,
  orders: new Orders(process.env.DATA_FILE),
  payments: new PaymentService({ url: holdfastUrl, key: need('IMP_KEY'), secret: need('IMP_SECRET') }),
  paymentsV2: v2 && new PaymentServiceV2({ url: holdfastUrl, secret: apiSecret, storeId: code }),
});

shop.on('error', (error) => {
  console.error(error.code === 'EADDRINUSE' ? `Port ${port} of ${host} is in use: set PORT to another.` : `The shop cannot listen on ${host}:${port}: ${error.message}`);
  process.exit(1);
});
shop.listen(port, host, () => console.log(`Example shop: ${config.shopUrl}  (admin: ${config.shopUrl}/admin)`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    shop.close(() => process.exit(0));
    shop.closeAllConnections();
  });
}
