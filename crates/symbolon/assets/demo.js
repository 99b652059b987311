// What the page shows beyond its first answer: the record that the server keeps, and whether the
// login still lives.

const record = document.getElementById("record");

try {
  const answer = await fetch("/api/record", { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const { record: kept } = await answer.json();
  for (const place of record.querySelectorAll("[data-member]")) {
    place.textContent = kept[place.dataset.member] ?? "-";
  }
} catch {
  record.hidden = true;
  document.getElementById("record-unavailable").hidden = false;
}

// An app would not ask this often; here it lets you see the end arrive.
const watch = setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch("/api/pulse", { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const { signed_in: signedIn } = await answer.json();
    if (signedIn) return;
    clearInterval(watch);
    document.body.classList.add("dead");
    document.getElementById("ended").hidden = false;
  } catch {
    // The app itself is away: it will be asked again.
  }
}, 250);
