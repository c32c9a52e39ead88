// Keeps the page fresh and sends forms without leaving it. Without this file the page works by plain forms.
const live = document.querySelector("[data-live]");
const gone = document.getElementById("gone");
let typing = false;
let pressing = false;
let missed = false;

// A box without power must not look alive: say so, and take no presses.
function answers(yes) {
  gone.hidden = yes;
  live.inert = !yes;
}

async function refresh() {
  if (pressing) {
    missed = true; // a button must not be replaced between finger down and finger up: the press would be lost
    return;
  }
  if (live.contains(document.activeElement) && document.activeElement.matches("input") && document.activeElement.value) {
    typing = true; // somebody is in the middle of a figure: do not take it from under the fingers
    return;
  }
  try {
    const answer = await fetch(live.dataset.live);
    if (!answer.ok) return;
    const before = live.querySelector(".said .first")?.textContent;
    live.innerHTML = await answer.text();
    if (live.querySelector(".said .first")?.textContent !== before) window.scrollTo(0, 0);
    answers(true);
  } catch {
    answers(false);
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.dataset.sure && !confirm(form.dataset.sure)) return;
  const body = new URLSearchParams(new FormData(form));
  try {
    await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  } catch {
    answers(false);
    return;
  }
  form.reset();
  typing = false;
  await refresh();
});
document.addEventListener("focusout", () => { if (typing) { typing = false; setTimeout(refresh, 300); } });
document.addEventListener("pointerdown", () => { pressing = true; });
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => setTimeout(() => {
    pressing = false;
    if (missed) { missed = false; refresh(); }
  }, 50));
}

const stream = new EventSource(live.dataset.events);
stream.addEventListener("changed", refresh);
stream.addEventListener("open", refresh);
stream.addEventListener("error", () => answers(false));
