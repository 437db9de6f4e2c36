// Sends the form on by itself. Without JavaScript the button is there at once; with it, after a moment, should the sending stall.
'use strict';
{
  const form = document.querySelector('form[data-submit]');
  if (form) {
    // Back from the next site shows this page from the cache: then the person decides, or they could never come back.
    const entry = performance.getEntriesByType('navigation')[0];
    if (!entry || entry.type !== 'back_forward') form.submit();
  }
}
