// Three small helps on the pages for operators: a file can be dropped on its field, the list of what is wrong gets the focus, and the report can be
// copied with one press. Without JavaScript the field, the list and the text are there all the same.
'use strict';
{
  const drop = document.querySelector('[data-drop]');
  const file = drop && drop.querySelector('input[type=file]');
  if (file) {
    drop.classList.add('live');
    for (const kind of ['dragenter', 'dragover']) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.add('over');
      });
    }
    for (const kind of ['dragleave', 'drop']) drop.addEventListener(kind, () => drop.classList.remove('over'));
    drop.addEventListener('drop', (event) => {
      event.preventDefault();
      if (event.dataTransfer && event.dataTransfer.files.length > 0) {
        file.files = event.dataTransfer.files;
        file.focus();
      }
    });
  }

  const problem = document.querySelector('[data-focus]');
  if (problem) problem.focus();

  const copy = document.querySelector('[data-copy]');
  const text = copy && document.getElementById(copy.dataset.copy);
  if (text && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        copy.textContent = copy.dataset.done;
      } catch {
        // Not permitted: the text can still be marked and copied by hand.
        getSelection().selectAllChildren(text);
      }
    });
  }
}
