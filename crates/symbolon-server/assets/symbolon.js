// What a page can do better with a script. Every page works without it. No HTML is ever made from
// text here: the pages require Trusted Types.

const words = document.body.dataset;

/** A button that shows and hides what is typed into a password field. */
function addReveal(input) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    button.textContent = visible ? words.hide : words.reveal;
  };
  show(false);
  button.addEventListener("click", () => show(input.type === "password"));
  // A browser must not keep the field's text as that of a plain field.
  input.form?.addEventListener("submit", () => show(false));
  input.after(button);
}

/** A button that copies what stands beside it. */
function addCopy(place) {
  const text = place.querySelector("code")?.textContent;
  if (!text || !navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = words.copied;
  });
  place.append(button);
}

document.querySelectorAll(".secret > input").forEach(addReveal);
document.querySelectorAll(".copyable").forEach(addCopy);

/** Advises anew while the answers change; the address always says what was answered. */
function adviseAsAnswered(form) {
  let turn = 0;
  form.addEventListener("input", () => {
    const answered = [...new FormData(form)].filter(([, answer]) => answer !== "");
    const address = `${form.getAttribute("action")}?${new URLSearchParams(answered)}`;
    turn += 1;
    const mine = turn;
    setTimeout(() => {
      if (mine !== turn) return;
      // The browser reads the page itself: no HTML is made from text here.
      const request = new XMLHttpRequest();
      request.open("GET", address);
      request.responseType = "document";
      request.addEventListener("load", () => {
        const fresh = request.response?.getElementById("advice");
        if (mine !== turn || !fresh) return;
        document.getElementById("advice").replaceWith(document.adoptNode(fresh));
        history.replaceState(null, "", address);
        for (const back of document.querySelectorAll(".language [name=return_to]")) back.value = address;
      });
      request.send();
    }, 150);
  });
}

document.querySelectorAll("#facts").forEach(adviseAsAnswered);
