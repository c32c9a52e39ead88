// Fetches the page's inside again when the core says that something changed. Without it, reload the page.
const page = document.getElementById("page");
let due = false;

async function refresh() {
  if (due) return;
  due = true;
  await new Promise((done) => setTimeout(done, 150)); // many changes in one go are one refresh
  due = false;
  const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
  if (answer.ok && !answer.redirected) page.innerHTML = await answer.text();
}

new EventSource("/live").addEventListener("changed", refresh);
