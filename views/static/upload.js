"use strict";

// Returns a function that tells users of screen readers the progress, at most every ten seconds.
const announcer = (parent) => {
  const region = parent.querySelector("[role=status]");
  let last = performance.now();
  return (progress) => {
    if (performance.now() - last < 10_000) return;
    last = performance.now();
    region.textContent = progress;
  };
};

// The form: users drop a file anywhere on the page, and a bar shows how much of it is sent.
const form = document.querySelector("[data-upload]");
if (form) {
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  const sending = form.querySelector(".sending");
  const button = form.querySelector("button");
  const lost = form.querySelector(".lost");
  let inside = 0;
  const over = (change) => {
    inside = Math.max(0, inside + change);
    drop.classList.toggle("over", inside > 0);
  };
  const hasFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");

  form.querySelector(".dropping").hidden = false;
  addEventListener("dragenter", (event) => { if (hasFiles(event)) over(1); });
  addEventListener("dragleave", (event) => { if (hasFiles(event)) over(-1); });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(-inside);
    if (button.disabled || !event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });

  const busy = (is) => {
    button.disabled = is;
    sending.hidden = !is;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const request = new XMLHttpRequest();
    const bar = sending.querySelector("progress");
    const announce = announcer(form);
    const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
    bar.value = 0;
    lost.hidden = true;
    busy(true);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      if (!total) return;
      bar.value = loaded / total;
      announce(`${sending.querySelector("label").textContent}: ${percent.format(bar.value)}`);
    });
    request.addEventListener("load", () => {
      if (request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      // The response is a page with the reason.
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const alert = page.querySelector("main .message.bad[role=alert]:not(.lost)");
      if (!alert) {
        location.reload();
        return;
      }
      form.parentElement.querySelector(":scope > .message")?.remove();
      form.before(document.adoptNode(alert));
      busy(false);
    });
    request.addEventListener("error", () => {
      lost.hidden = false;
      busy(false);
    });
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.send(new FormData(form));
  });
  // Browsers keep pages for the back button.
  addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
}

// The progress bar of an upload in process: polls every second until its page changes.
const watched = document.querySelector("[data-watch]");
if (watched) {
  const bar = watched.querySelector("progress");
  const announce = announcer(watched);
  const look = async () => {
    try {
      const answer = await fetch(watched.dataset.watch, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const progress = await answer.json();
        if (progress.state !== watched.dataset.state) {
          location.reload();
          return;
        }
        bar.value = progress.share;
        for (const name of ["objects", "rate", "left"]) watched.querySelector(`[data-${name}]`).textContent = progress[name];
        announce([progress.objects, progress.left].filter(Boolean).join(", "));
      } else if (answer.status < 500) { // signed out, or swept
        location.reload();
        return;
      }
    } catch {
      // the network or the server may recover
    }
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
}

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
