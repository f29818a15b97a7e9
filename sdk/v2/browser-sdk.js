// PortOne, the browser interface of PortOne V2, answered by Holdfast.
//
// A shop changes the address of its script tag and nothing else. What the promise or the redirect
// says is a hint: the shop's server reads the payment before it believes it.
//
// What is refused before a window is there is thrown; whatever comes after that is the value of
// the promise, a failure by its code.

const { start } = paymentWindow({ place: /\/v2\/browser-sdk(?:\.esm)?\.js(?:[?#].*)?$/, door: '/pay/v2/open', prefix: 'portone' });

const words = {
  ko: {
    window: '결제창', close: '결제창 닫기',
    params: '결제 정보가 없습니다. PortOne.requestPayment에 결제 정보를 객체로 전달해 주십시오.',
    json: (why) => `결제 정보를 전달할 수 없습니다(${why}).`,
    windowType: (name) => `windowType: ${name}에서 사용할 수 있는 값은 IFRAME, POPUP, REDIRECTION입니다.`,
    ui: 'windowType: UI 방식은 지원하지 않습니다. IFRAME, POPUP, REDIRECTION 중 하나를 사용해 주십시오.',
    redirectUrl: 'redirectUrl: 페이지를 이동하는 결제에는 돌아올 주소가 필요합니다.',
    open: '결제창이 이미 열려 있습니다.',
    replaced: '새로운 결제 요청이 있어 이 요청은 취소되었습니다.',
    blocked: '브라우저가 결제창을 차단하였습니다. 팝업을 허용하고 다시 시도해 주십시오.',
    network: '결제 서버에 연결할 수 없습니다. 인터넷 연결을 확인하고 다시 시도해 주십시오.',
    cancel: '사용자가 결제를 취소하셨습니다.',
    unknown: '결제 결과를 확인하지 못했습니다. 주문 내역에서 결제 상태를 확인해 주십시오.',
    unsupported: (name) => `PortOne.${name} 기능은 지원하지 않습니다.`,
  },
  en: {
    window: 'Payment window', close: 'Close the payment window',
    params: 'There is nothing to pay. Hand PortOne.requestPayment an object with the payment.',
    json: (why) => `The payment cannot be handed on (${why}).`,
    windowType: (name) => `windowType: ${name} must be one of IFRAME, POPUP, REDIRECTION.`,
    ui: 'windowType: UI is not supported. Use IFRAME, POPUP or REDIRECTION.',
    redirectUrl: 'redirectUrl: a payment that leaves the page needs an address to return to.',
    open: 'A payment window is open already.',
    replaced: 'Another payment was asked for, and this one was given up.',
    blocked: 'The browser blocked the payment window. Allow popups and try again.',
    network: 'The payment server cannot be reached. Check the connection and try again.',
    cancel: 'You cancelled the payment.',
    unknown: 'The result of the payment is not known. Check the order before you pay again.',
    unsupported: (name) => `PortOne.${name} is not supported.`,
  },
};
const say = (request) => ((request?.locale ?? 'KO_KR') === 'KO_KR' ? words.ko : words.en);

// What is sent on.
const known = ['storeId', 'paymentId', 'orderName', 'totalAmount', 'currency', 'payMethod', 'channelKey', 'channelGroupId', 'taxFreeAmount', 'vatAmount', 'customer',
  'redirectUrl', 'noticeUrls', 'confirmUrl', 'appScheme', 'isEscrow', 'products', 'locale', 'customData', 'productType', 'shippingAddress', 'promotionId', 'virtualAccount', 'transfer'];

// Codes of what the script itself refuses, and what the gateway says about them.
const codes = { open: 'FailedPrecondition', replaced: 'Aborted', blocked: 'FailedPrecondition', network: 'Unavailable', cancel: 'PGProviderError', unknown: 'UnknownError' };

// failure makes an error that the SDK's own isPaymentError and instanceof know by its members.
function failure(type, members) {
  return Object.assign(new Error(members.message), { name: type, __portOneErrorType: type, ...members });
}

async function requestPayment(given) {
  const text = say(given);
  const about = { transactionType: 'PAYMENT', ...(typeof given?.paymentId === 'string' ? { paymentId: given.paymentId } : {}) };
  const refused = (code, message) => failure('PaymentError', { ...about, code, message });
  if (given === null || typeof given !== 'object') throw refused('RequestParseFailed', text.params);
  const params = sendable(given, (why) => refused('RequestParseFailed', text.json(why)));
  const how = wayOf(given, (code, message) => refused(code, message), text);
  if (document.readyState === 'loading') await new Promise((ready) => { document.addEventListener('DOMContentLoaded', ready, { once: true }); });
  return new Promise((resolve, reject) => {
    start({
      how, text, body: { params }, center: given.popup?.center === true, clear: given.iframe?.dim === false,
      refuse(kind) {
        const pg = kind === 'cancel' ? { pgCode: 'USER_CANCEL', pgMessage: text.cancel } : {};
        return { ...about, ...(this.opened ? { txId: this.opened.txId } : {}), code: codes[kind], message: text[kind], ...pg };
      },
      accept: (reply) => reply.transactionType === 'PAYMENT',
      tell(result, wasThere) {
        if (!wasThere) { reject(failure('PaymentError', result)); return; }
        // The address was checked by the server that opened the window.
        const back = given.forceRedirect && this.address ? withQuery(given.redirectUrl, result) : null;
        if (back) window.location.assign(back); else resolve(result);
      },
    });
  });
}

// sendable is what of a request goes to the server: plain data.
function sendable(given, refused) {
  try {
    return JSON.parse(JSON.stringify(pick(given, known)));
  } catch (error) {
    throw refused(error.message);
  }
}

// wayOf is how the window opens. The shop's windowType decides; where it says nothing, a phone
// leaves the page if it knows the way back.
function wayOf(given, refused, text) {
  const place = isMobile() ? 'mobile' : 'pc';
  const wanted = given.windowType?.[place] ?? (isMobile() && given.redirectUrl ? 'REDIRECTION' : 'IFRAME');
  if (wanted === 'UI') throw refused('Unimplemented', text.ui);
  const how = { IFRAME: 'frame', POPUP: 'popup', REDIRECTION: 'redirect' }[wanted];
  if (!how) throw refused('RequestParseFailed', text.windowType(place));
  if (!given.redirectUrl && (how === 'redirect' || given.forceRedirect)) throw refused('RequestParseFailed', text.redirectUrl);
  return how;
}

// What PortOne V2 offers beside single payments is refused, so that no shop waits for ever.
const unsupported = (name, type, members) => async (request) => {
  throw failure(type, { ...members, code: 'Unimplemented', message: say(request).unsupported(name) });
};

window.PortOne = {
  requestPayment,
  requestIdentityVerification: unsupported('requestIdentityVerification', 'IdentityVerificationError', { transactionType: 'IDENTITY_VERIFICATION' }),
  requestIssueBillingKeyAndPay: unsupported('requestIssueBillingKeyAndPay', 'IssueBillingKeyAndPayError', { transactionType: 'ISSUE_BILLING_KEY_AND_PAY' }),
  requestIssueBillingKey: unsupported('requestIssueBillingKey', 'IssueBillingKeyError', { transactionType: 'ISSUE_BILLING_KEY' }),
  loadPaymentUI: unsupported('loadPaymentUI', 'LoadPaymentUIError', { transactionType: 'PAYMENT' }),
  loadIssueBillingKeyUI: unsupported('loadIssueBillingKeyUI', 'LoadIssueBillingKeyUIError', { transactionType: 'ISSUE_BILLING_KEY' }),
  updateLoadPaymentUIRequest: unsupported('updateLoadPaymentUIRequest', 'ModuleError', {}),
  updateLoadIssueBillingKeyUIRequest: unsupported('updateLoadIssueBillingKeyUIRequest', 'ModuleError', {}),
};
