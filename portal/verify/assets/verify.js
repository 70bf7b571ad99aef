// Makes the pages more comfortable; they work without this.
"use strict";

// What changes is read out, and buttons work once.
(function () {
  const live = document.createElement("p");
  live.className = "hide-seen";
  live.setAttribute("role", "status");
  document.body.append(live);
  const language = document.documentElement.lang + "-u-nu-latn";

  function words(seconds) {
    const [unit, count] = seconds < 120 ? ["second", seconds]
      : seconds < 7200 ? ["minute", Math.ceil(seconds / 60)]
      : ["hour", Math.ceil(seconds / 3600)];
    return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count);
  }

  // Counts what has data-seconds down, in the page's language, and says what is in
  // data-done at the end. A button that has to rest (data-rest) counts itself.
  let clocks = [];
  function wind(root) {
    clocks = clocks.filter((clock) => clock.element.isConnected);
    const begun = performance.now();
    for (const element of root.querySelectorAll("[data-seconds]")) {
      clocks.push({ element, begun, seconds: Number(element.dataset.seconds) });
    }
    for (const element of root.querySelectorAll("[data-rest]")) {
      clocks.push({ element, begun, seconds: Number(element.dataset.rest), label: element.textContent });
      const line = root.querySelector("#next-resend");
      if (line) line.hidden = true; // the button says it
    }
    tick();
  }
  function tick() {
    for (const clock of clocks.slice()) {
      const left = Math.ceil(clock.seconds - (performance.now() - clock.begun) / 1000);
      const element = clock.element;
      if (clock.label !== undefined) {
        if (element.getAttribute("aria-busy")) continue;
        element.setAttribute("aria-disabled", String(left > 0)); // it can be reached, and read
        const text = left > 0 ? element.dataset.wait.replace("{}", words(left)) : clock.label;
        if (element.textContent !== text) element.textContent = text;
      } else {
        const wait = element.querySelector(".wait");
        if (left > 0 && wait && wait.textContent !== words(left)) wait.textContent = words(left);
        if (left <= 0 && element.dataset.done) {
          element.textContent = element.dataset.done;
          live.textContent = element.dataset.done;
        }
      }
      if (left <= 0) clocks.splice(clocks.indexOf(clock), 1);
    }
  }
  setInterval(tick, 250);

  // A form is sent once. Its buttons say that they work.
  let sent = false;
  document.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (sent || (pressed && pressed.getAttribute("aria-disabled") === "true")) {
      event.preventDefault();
      return;
    }
    sent = true;
    setTimeout(() => { // after the browser has read which button it was
      for (const button of event.target.querySelectorAll("button")) button.disabled = true;
      if (!pressed || !pressed.dataset.busy) return;
      pressed.setAttribute("aria-busy", "true");
      pressed.textContent = pressed.dataset.busy;
      live.textContent = pressed.dataset.busy;
    });
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // shown by going back, with dead buttons
  });

  // Looks again for what happens elsewhere: the text that is sent or failed, the time
  // that is over, another tab. What is being typed stays.
  const section = () => document.getElementById("verify");
  let pause = 0;
  let looking = false;
  function later() {
    const shown = section();
    if (!shown || !shown.dataset.refresh) return;
    pause = Math.min(20, Math.max(Number(shown.dataset.refresh), pause * 1.15));
    setTimeout(look, pause * 1000);
  }
  async function look() {
    const shown = section();
    if (!shown || sent || looking) return;
    if (document.hidden) {
      later();
      return;
    }
    looking = true;
    try {
      const address = new URL(location.href);
      address.searchParams.set("said", shown.dataset.state === "saving" ? "done" : "look");
      const answer = await fetch(address, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById("verify");
      if (now && !sent && now.dataset.mark !== shown.dataset.mark) show(shown, now, page, address);
    } catch {
      // The server is away; the next look may find it.
    }
    looking = false;
    later();
  }
  function show(shown, now, page, address) {
    pause = 0;
    const typing = document.getElementById("code");
    if (typing && page.getElementById("code")) {
      for (const id of ["about", "more"]) document.getElementById(id).replaceWith(page.getElementById(id));
      shown.dataset.mark = now.dataset.mark;
      wind(document.getElementById("more"));
    } else {
      document.title = page.title;
      document.querySelector("h1").textContent = page.querySelector("h1").textContent;
      const notice = document.getElementById("message");
      if (notice && notice.classList.contains("notice")) notice.remove();
      shown.replaceWith(now);
      history.replaceState(null, "", address);
      wind(now);
      ready();
    }
    const about = document.getElementById("about");
    live.textContent = document.querySelector("h1").textContent + ". " + about.innerText;
  }

  // The digits of all scripts as 0 to 9: each script's ten stand together, and
  // the ten before a zero are no digits of the same script.
  function plain(text) {
    return text.normalize("NFKC").replace(/\p{Nd}/gu, (digit) => {
      const point = digit.codePointAt(0);
      if (point < 128) return digit;
      let zero = point;
      while (point - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
      return String((point - zero) % 10);
    });
  }
  const unseen = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u20e3]/gu;

  // The first code of the right length in a text, else null. In letters and
  // digits only a text that is a code altogether can be told.
  function codeIn(input, text) {
    const length = Number(input.dataset.length);
    const found = plain(text.replace(unseen, ""));
    if (input.inputMode !== "numeric") {
      const code = found.replace(/[\s\p{Dash}]/gu, "");
      return code.length === length ? code : null;
    }
    const match = found.match(new RegExp("(?<!\\d)\\d(?:[\\s\\p{Dash}]*\\d){" + (length - 1) + "}(?!\\d)", "u"));
    return match ? match[0].replace(/\D/g, "") : null;
  }

  // What is pasted or filled in becomes the code alone. All its digits are sent by
  // themselves.
  function ready() {
    const input = document.getElementById("code");
    if (!input) return;
    const hint = document.getElementById("auto-send");
    if (hint) hint.hidden = false;
    function put(code) {
      input.value = code;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    input.addEventListener("input", () => {
      const digits = plain(input.value.replace(unseen, "")).replace(/[\s\p{Dash}]/gu, "");
      if (!hint || sent || !new RegExp("^\\d{" + input.dataset.length + "}$").test(digits)) return;
      input.form.requestSubmit(document.getElementById("confirm"));
    });
    input.addEventListener("paste", (event) => {
      const code = codeIn(input, event.clipboardData ? event.clipboardData.getData("text") : "");
      if (code === null) return;
      event.preventDefault();
      put(code);
    });
    // The browser may hand over the code of the text that arrives on this phone.
    if (!("OTPCredential" in window)) return;
    const stop = new AbortController();
    input.form.addEventListener("submit", () => stop.abort());
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: stop.signal })
      .then((otp) => {
        const code = otp && codeIn(input, otp.code);
        if (code) put(code);
      })
      .catch(() => {}); // declined, or nothing arrived
  }

  wind(document);
  ready();
  later();
})();
