// `make run`: a sandbox with its demonstration shop, and the example shop beside it, until
// Ctrl-C. HOLDFAST_LISTEN and PORT choose other addresses.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const listen = process.env.HOLDFAST_LISTEN ?? '127.0.0.1:8080';
const holdfast = process.env.HOLDFAST_BASE_URL ?? `http://${listen}`;

// The credentials of the demonstration shop are the same in every sandbox, and open play money only.
const shopEnv = { HOLDFAST_URL: holdfast, IMP_CODE: 'imp00000001', IMP_KEY: 'holdfast_demo_key', IMP_SECRET: 'holdfast_demo_secret', API_SECRET: 'hfv2_holdfast_demo_api_secret', DATA_FILE: `${root}examples/shop/data/orders.json` };

const readyTries = 300;
const readyEveryMillis = 100;

const children = [];

function start(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  child.on('error', (error) => {
    console.error(`${command}: ${error.message}`);
    stop(1);
  });
  child.on('exit', (code) => stop(code ?? 1));
  children.push(child);
  return child;
}

// stop ends what runs and leaves when all of it has ended.
function stop(code) {
  process.exitCode ||= code;
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}

async function ready() {
  for (let tries = 0; tries < readyTries; tries++) {
    if (children.some((child) => child.exitCode !== null)) return false;
    const answer = await fetch(`${holdfast}/readyz`).catch(() => null);
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, readyEveryMillis));
  }
  console.error(`Holdfast does not answer on ${holdfast}`);
  return false;
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(0));
// The shop is told of events where it listens.
const shopHost = process.env.HOST && process.env.HOST !== '0.0.0.0' ? process.env.HOST : '127.0.0.1';
const webhook = process.env.HOLDFAST_SEED_WEBHOOK ?? `http://${shopHost.includes(':') ? `[${shopHost}]` : shopHost}:${process.env.PORT ?? 3000}/webhook`;

start('bin/holdfast', ['serve', '--seed'], { cwd: root, env: { ...process.env, HOLDFAST_SEED_WEBHOOK: webhook } });
// The shop's channel for PortOne V2, which differs from database to database.
async function channelKey() {
  const json = { 'content-type': 'application/json' };
  const call = async (path, init) => (await (await fetch(`${holdfast}${path}`, init)).json()).response;
  const { access_token: token } = await call('/users/getToken', { method: 'POST', headers: json, body: JSON.stringify({ imp_key: shopEnv.IMP_KEY, imp_secret: shopEnv.IMP_SECRET }) });
  return (await call('/users/pg', { headers: { authorization: token } }))[0].channel_key;
}

if (await ready()) start('node', ['server.mjs'], { cwd: `${root}examples/shop`, env: { ...process.env, ...shopEnv, CHANNEL_KEY: await channelKey().catch(() => '') } });
else stop(1);
