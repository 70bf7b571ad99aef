// Counts down to the moment when another code may be asked for.
"use strict";
(function () {
  const line = document.getElementById("next-resend");
  if (!line) return;
  const end = performance.now() + Number(line.dataset.seconds) * 1000;
  const timer = setInterval(() => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) {
      line.querySelector("span").textContent = String(left);
      return;
    }
    line.textContent = "A new code can be sent now";
    clearInterval(timer);
  }, 250);
})();
