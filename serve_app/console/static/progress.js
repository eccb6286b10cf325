// Keeps the page of a running job current. Without this module the page loads itself anew.
const card = document.getElementById("progress");
const bar = document.getElementById("bar");
const what = document.getElementById("what");
const trouble = document.getElementById("trouble");
const AGAIN_MS = 1000;
const AT_WORST_MS = 15000;
let wait = AGAIN_MS;

function show(progress) {
  for (const field of card.querySelectorAll("[data-field]")) {
    field.textContent = progress[field.dataset.field];
  }
  if (progress.share === null) bar.removeAttribute("value");
  else bar.value = progress.share;
  if (what.textContent !== progress.sentence) what.textContent = progress.sentence;
}

async function look() {
  try {
    const answer = await fetch(card.dataset.url, { headers: { accept: "application/json" } });
    if (answer.status === 401 || answer.status === 404) {
      window.location.reload();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const progress = await answer.json();
    if (progress.ended || progress.state === "waiting") {
      window.location.reload();
      return;
    }
    trouble.hidden = true;
    wait = AGAIN_MS;
    show(progress);
    const badge = card.querySelector(".badge");
    badge.className = `badge ${progress.state}`;
    badge.textContent = progress.word;
  } catch {
    trouble.hidden = false;
    wait = Math.min(wait * 2, AT_WORST_MS);
  }
  window.setTimeout(look, wait);
}

window.setTimeout(look, AGAIN_MS);
