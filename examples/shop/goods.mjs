// What the shop sells. `digital` goods are downloaded, so their delivery cannot be verified
// and they are exempt from escrow.
export const goods = [
  { id: 'cup', price: 39000, stock: 24, digital: false, name: { ko: '백자 찻잔 두 점', en: 'Two white porcelain cups' }, note: { ko: '손으로 빚어 가마에서 구운 백자입니다.', en: 'Thrown by hand and fired in a wood kiln.' } },
  { id: 'tray', price: 58000, stock: 12, digital: false, name: { ko: '호두나무 쟁반', en: 'Walnut tray' }, note: { ko: '통나무를 깎아 천연 오일로 마감했습니다.', en: 'Carved from one board, finished with natural oil.' } },
  { id: 'apron', price: 34000, stock: 40, digital: false, name: { ko: '리넨 앞치마', en: 'Linen apron' }, note: { ko: '세탁할수록 부드러워지는 리넨입니다.', en: 'Linen that softens with every wash.' } },
  { id: 'wallpaper', price: 4900, stock: Infinity, digital: true, name: { ko: '찻자리 배경화면 모음', en: 'Tea table wallpapers' }, note: { ko: '결제 후 내려받는 디지털 상품입니다.', en: 'A digital product to download after payment.' } },
];

export const findGood = (id) => goods.find((good) => good.id === id);
