/**
 * The report page's only script: it filters servers, opens all details, and opens them for printing. The page is
 * whole without it; the controls stay hidden where it does not run.
 */
export const filterScript = `
const bar = document.querySelector('.filter');
const [input, button, status] = ['input', 'button', '[role=status]'].map((name) => bar.querySelector(name));
const rows = [...document.querySelectorAll('tbody[data-server]')];
const details = new Map([...document.querySelectorAll('details[data-server]')].map((one) => [one.dataset.server, one]));
bar.hidden = false;
input.addEventListener('input', () => {
  const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word));
    row.hidden = !fits;
    details.get(row.dataset.server).hidden = !fits;
    shown += fits ? 1 : 0;
  }
  status.textContent = words.length > 0 ? shown + ' of ' + rows.length + ' servers' : '';
});
button.addEventListener('click', () => {
  const open = [...details.values()].some((one) => !one.open);
  for (const one of details.values()) one.open = open;
  button.textContent = open ? 'Close all details' : 'Open all details';
});
const openTarget = () => {
  const target = details.get(location.hash.slice(1));
  if (target) target.open = true;
};
addEventListener('hashchange', openTarget);
openTarget();
let closed = [];
addEventListener('beforeprint', () => {
  closed = [...details.values()].filter((one) => !one.open);
  for (const one of closed) one.open = true;
});
addEventListener('afterprint', () => {
  for (const one of closed) one.open = false;
});
`;
