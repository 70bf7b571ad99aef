// Keeps the phone's texts up to date without loading the page again.
"use strict";
(function () {
  const list = document.getElementById("texts");
  const empty = document.getElementById("empty");

  function span(className, content) {
    const element = document.createElement("span");
    element.className = className;
    element.textContent = content;
    return element;
  }

  function bubble(text) {
    const item = document.createElement("li");
    item.className = "text";
    item.dataset.id = text.id;
    const at = document.createElement("time");
    at.className = "at";
    at.dateTime = text.at;
    at.textContent = text.at.slice(11, 19) + " UTC";
    const meta = span("meta", "to ");
    meta.append(span("to", text.to), " · ", at);
    const body = document.createElement("p");
    body.className = "body";
    body.textContent = text.body;
    item.append(meta, body);
    return item;
  }

  // The newest text stays in sight.
  function toEnd() {
    list.scrollTop = list.scrollHeight;
  }

  async function look() {
    try {
      const answer = await fetch("texts", { cache: "no-store" });
      if (!answer.ok) return;
      const texts = await answer.json();
      const shown = Array.from(list.children, (item) => item.dataset.id).join("\n");
      if (shown === texts.map((text) => text.id).join("\n")) return;
      // What is there stays there, so that only what is new is read out.
      const known = new Map(Array.from(list.children, (item) => [item.dataset.id, item]));
      list.replaceChildren(...texts.map((text) => known.get(text.id) || bubble(text)));
      empty.hidden = texts.length > 0;
      toEnd();
    } catch {
      // The server is away; the next look may find it.
    }
  }

  toEnd();
  setInterval(look, 1000);
})();
