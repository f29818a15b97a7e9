// IMP, the browser interface of PortOne V1, answered by Holdfast.
//
// A shop changes the address of its script tag and nothing else. What the callback or the
// redirect says is a hint: the shop's server reads the payment before it believes it.

const { start, close } = paymentWindow({ place: /\/(?:v1\/iamport|js\/iamport\.payment-[^/?#]+)\.js(?:[?#].*)?$/, door: '/pay/v1/open', prefix: 'imp' });

const cancelled = '사용자가 결제를 취소하셨습니다';
const words = {
  ko: {
    window: '결제창', close: '결제창 닫기',
    init: '가맹점 식별코드가 설정되지 않았습니다. IMP.init(가맹점 식별코드)을 먼저 호출해 주십시오.',
    params: '결제 정보가 없습니다. IMP.request_pay에 결제 정보를 객체로 전달해 주십시오.',
    open: '결제창이 이미 열려 있습니다.',
    network: '결제 서버에 연결할 수 없습니다. 인터넷 연결을 확인하고 다시 시도해 주십시오.',
    unknown: '결제 결과를 확인하지 못했습니다. 주문 내역에서 결제 상태를 확인해 주십시오.',
    unsupported: (name) => `IMP.${name} 기능은 지원하지 않습니다.`,
  },
  en: {
    window: 'Payment window', close: 'Close the payment window',
    init: 'The shop code is not set. Call IMP.init(code) first.',
    params: 'There is nothing to pay. Hand IMP.request_pay an object with the payment.',
    open: 'A payment window is open already.',
    network: 'The payment server cannot be reached. Check the connection and try again.',
    unknown: 'The result of the payment is not known. Check the order before you pay again.',
    unsupported: (name) => `IMP.${name} is not supported.`,
  },
};
const say = (params) => words[params?.language] ?? (params?.language ? words.en : words.ko);

// What is sent on.
const known = ['pg', 'channelKey', 'pay_method', 'escrow', 'merchant_uid', 'name', 'amount', 'tax_free', 'vat_amount', 'currency', 'language',
  'buyer_name', 'buyer_tel', 'buyer_email', 'buyer_addr', 'buyer_postcode', 'custom_data', 'notice_url', 'confirm_url', 'digital', 'vbank_due',
  'm_redirect_url', 'products', 'kcpProducts', 'kiccProducts'];

const shop = { code: '', tier: '' };
let waiting = null; // a request made before the page was ready; only the last is kept

function init(code) { shop.code = String(code ?? '').trim(); shop.tier = ''; }
function agency(code, tier) { init(code); shop.tier = String(tier ?? '').trim(); }

function request_pay(params, callback) {
  if (!shop.code) { window.alert(say(params).init); return; }
  if (document.readyState === 'loading') {
    if (!waiting) document.addEventListener('DOMContentLoaded', () => { const last = waiting; waiting = null; begin(...last); }, { once: true });
    waiting = [params, callback];
    return;
  }
  begin(params, callback);
}

// Codes of what the script itself refuses.
const codes = { open: 'WINDOW_OPEN', network: 'NETWORK', cancel: 'USER_CANCEL', unknown: 'UNKNOWN' };

function begin(given, callback) {
  const params = complete(given);
  const text = say(given);
  const tell = (result) => answer(params, typeof callback === 'function' ? callback : null, result);
  if (given === null || typeof given !== 'object') { tell(refusal(params, 'INVALID_REQUEST', text.params)); return; }
  start({
    how: isMobile() && params.m_redirect_url ? 'redirect' : 'frame', text, body: { code: shop.code, tier: shop.tier, params },
    refuse(kind) {
      if (kind === 'replaced') return null;
      return { ...refusal(params, codes[kind], kind === 'cancel' ? cancelled : text[kind]), imp_uid: this.opened?.imp_uid ?? null };
    },
    accept: (reply) => typeof reply.success === 'boolean',
    tell: (result) => { if (result) tell(result); },
  });
}

function complete(given) {
  const params = pick(given, known);
  params.merchant_uid ??= `nobody_${Date.now()}`;
  params.pay_method ??= 'card';
  return params;
}

// answer tells the shop: by its callback, or, where it gave none, by its redirect address.
function answer(params, callback, result) {
  if (callback) { callback(result); return; }
  const said = { imp_uid: result.imp_uid ?? '', merchant_uid: result.merchant_uid ?? '', imp_success: String(result.success) };
  if (!result.success) Object.assign(said, { error_code: result.error_code, error_msg: result.error_msg });
  const back = withQuery(params.m_redirect_url, said);
  if (back) window.location.assign(back);
  else if (!result.success) window.alert(result.error_msg);
}

function refusal(params, code, message) {
  return { success: false, imp_success: false, imp_uid: null, merchant_uid: params.merchant_uid ?? null, pay_method: params.pay_method ?? null, error_code: code, error_msg: message };
}

// What PortOne V1 offers beside payments is answered, so that no shop waits for ever.
function unsupported(name) {
  return (...given) => {
    const params = given.find((one) => one !== null && typeof one === 'object') ?? {};
    const callback = given.findLast?.((one) => typeof one === 'function');
    const result = refusal(params, 'NOT_SUPPORTED', say(params).unsupported(name));
    if (callback) callback(result); else console.error(result.error_msg);
  };
}

const IMP = { init, agency, request_pay, close, holdfast: 1 };
for (const name of ['certification', 'naver_zzim', 'naver_chkitem', 'communicate', 'loadModule', 'loadUI', 'updateLoadUIRequest']) IMP[name] = unsupported(name);
window.IMP = IMP;
