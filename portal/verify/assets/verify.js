// Makes the page that asks for a code more comfortable; it works without this.
"use strict";

// Counts what has data-seconds down, in the page's language, and says what is in
// data-done at the end.
(function () {
  const language = document.documentElement.lang + "-u-nu-latn";

  function words(seconds) {
    const [unit, count] = seconds < 120 ? ["second", seconds]
      : seconds < 7200 ? ["minute", Math.ceil(seconds / 60)]
      : ["hour", Math.ceil(seconds / 3600)];
    return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count);
  }

  const begun = performance.now();
  const lines = Array.from(document.querySelectorAll("[data-seconds]"));
  function tick() {
    const passed = (performance.now() - begun) / 1000;
    for (const line of lines.slice()) {
      const left = Math.ceil(Number(line.dataset.seconds) - passed);
      const wait = line.querySelector(".wait");
      if (left > 0 && wait) {
        const text = words(left);
        if (wait.textContent !== text) wait.textContent = text;
        continue;
      }
      lines.splice(lines.indexOf(line), 1);
      if (line.dataset.done) line.textContent = line.dataset.done;
    }
  }
  setInterval(tick, 250);
})();

// Looks again until the state is another one, and disturbs nobody before that.
(function () {
  const shown = document.querySelector("[data-refresh]");
  if (!shown) return;
  const timer = setInterval(async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById(shown.id);
      if (now && now.dataset.state === shown.dataset.state) return;
      clearInterval(timer);
      location.reload();
    } catch {
      // The server is away; the next look may find it.
    }
  }, Number(shown.dataset.refresh) * 1000);
})();

// What is pasted or filled in becomes the code alone.
(function () {
  const input = document.getElementById("code");
  if (!input) return;
  const length = Number(input.dataset.length);
  const numeric = input.inputMode === "numeric";

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

  // The first code of the right length in a text, else null. In letters and
  // digits only a text that is a code altogether can be told.
  function codeIn(text) {
    const found = plain(text.replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}\u20e3]/gu, ""));
    if (!numeric) {
      const code = found.replace(/[\s\p{Dash}]/gu, "");
      return code.length === length ? code : null;
    }
    const match = found.match(new RegExp("(?<!\\d)\\d(?:[\\s\\p{Dash}]*\\d){" + (length - 1) + "}(?!\\d)", "u"));
    return match ? match[0].replace(/\D/g, "") : null;
  }

  function put(code) {
    input.value = code;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  input.addEventListener("paste", (event) => {
    const code = codeIn(event.clipboardData ? event.clipboardData.getData("text") : "");
    if (code === null) return;
    event.preventDefault();
    put(code);
  });

  // The browser may hand over the code of the text that arrives on this phone.
  if ("OTPCredential" in window) {
    const stop = new AbortController();
    if (input.form) input.form.addEventListener("submit", () => stop.abort());
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: stop.signal })
      .then((otp) => {
        const code = otp && codeIn(otp.code);
        if (code) put(code);
      })
      .catch(() => {}); // declined, or nothing arrived
  }
})();
