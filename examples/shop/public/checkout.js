// The checkout form: escrow can be ticked only where it applies, and an example fills the form.
(() => {
  const form = document.getElementById('checkout');
  const escrow = form.elements.escrow;
  const note = document.getElementById('escrow-not');

  function follow() {
    const applies = form.dataset.digital !== 'true' && form.elements.method.value !== 'card';
    escrow.disabled = !applies;
    if (!applies) escrow.checked = false;
    note.hidden = applies;
  }
  form.addEventListener('change', follow);
  follow();

  const example = { name: '홍길동', email: 'buyer@example.com', tel: '010-1234-5678', postcode: '03154', addr: '서울특별시 종로구 세종대로 1' };
  document.getElementById('example').addEventListener('click', () => {
    for (const [name, value] of Object.entries(example)) if (form.elements[name]) form.elements[name].value = value;
  });
})();
