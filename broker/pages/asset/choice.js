// Searches as one types: asks the server the same question as the button does, and swaps the list in. Nothing here decides anything,
// so without JavaScript the page does the same with one press more.
'use strict';
{
  const form = document.querySelector('form[data-live]');
  const field = form && form.querySelector('input[type=search]');
  const list = form && document.getElementById(form.dataset.live);
  const count = list && document.getElementById(`${list.id}-count`);
  let timer;
  let asking;

  async function ask() {
    if (asking) asking.abort();
    asking = new AbortController();
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form)).toString();
    try {
      const answer = await fetch(address, { signal: asking.signal, credentials: 'same-origin', redirect: 'error' });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const found = page.getElementById(list.id);
      const told = page.getElementById(count.id);
      if (!found || !told) return;
      list.replaceChildren(...found.childNodes);
      count.textContent = told.textContent;
    } catch {
      // Stopped by the next letter, or the network is away: the button still searches.
    }
  }

  if (count) {
    form.classList.add('live');
    field.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    });
  }
}
