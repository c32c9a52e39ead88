// Keeps the page fresh and sends forms without leaving it. Without this file the page works by plain forms.
const live = document.querySelector("[data-live]");
let typing = false;

async function refresh() {
  if (live.contains(document.activeElement) && document.activeElement.matches("input") && document.activeElement.value) {
    typing = true; // somebody is in the middle of a figure: do not take it from under the fingers
    return;
  }
  const answer = await fetch(live.dataset.live);
  if (answer.ok) live.innerHTML = await answer.text();
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.dataset.sure && !confirm(form.dataset.sure)) return;
  const body = new URLSearchParams(new FormData(form));
  form.reset();
  await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  typing = false;
  await refresh();
});
document.addEventListener("focusout", () => { if (typing) { typing = false; refresh(); } });

const stream = new EventSource(live.dataset.events);
stream.addEventListener("changed", refresh);
